// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/conditions_bar.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

namespace zigzag {

namespace {

enum Machine { ThisMachine, Profile, AnotherProfile };
constexpr int mostSequences = 1024; // as `zigzag predict --batch`
constexpr double bytesPerGigabyte = 1e9;

template <class T> T *named(T *widget, const char *objectName, const QString &accessibleName, const QString &tip)
{
    widget->setObjectName(QLatin1String(objectName));
    widget->setAccessibleName(accessibleName);
    widget->setToolTip(tip);
    widget->setWhatsThis(tip);
    return widget;
}

} // namespace

ConditionsBar::ConditionsBar(QWidget *parent)
    : QWidget(parent)
    , m_machine(
          named(new QComboBox(this), "conditionsMachine", tr("Machine"),
                tr("Whose times are predicted: this machine's, or those of a profile that zigzag calibrate wrote elsewhere")))
    , m_batch(named(new QSpinBox(this), "conditionsBatch", tr("Sequences at once"), tr("Sequences at once")))
    , m_gpus(named(new QComboBox(this), "conditionsGpus", tr("GPUs"), tr("GPUs of one host, tensor parallel")))
    , m_linkName(new QLabel(tr("Link"), this))
    , m_link(named(new QDoubleSpinBox(this), "conditionsLink", tr("Link between GPUs in gigabytes a second"),
                   tr("Gigabytes a second of an all-reduce between the GPUs")))
{
    m_batch->setRange(1, mostSequences);
    m_batch->setKeyboardTracking(false); // 128 is one change, not 1, 12, 128
    for (const int gpus : {1, 2, 4, 8})
        m_gpus->addItem(QString::number(gpus), gpus);
    m_link->setRange(1, 10'000);
    m_link->setDecimals(0);
    m_link->setSuffix(tr(" GB/s"));
    m_link->setKeyboardTracking(false);
    m_machine->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_machine->setMinimumContentsLength(12);
    const auto caption = [this](const QString &text, QWidget *of) {
        auto *label = new QLabel(text, this);
        label->setBuddy(of);
        return label;
    };
    m_linkName->setBuddy(m_link);
    const int gap = fontMetrics().height() / 3;
    auto *machine = new QHBoxLayout;
    machine->setSpacing(gap);
    machine->addWidget(caption(tr("Machine"), m_machine));
    machine->addWidget(m_machine, 1);
    auto *load = new QHBoxLayout;
    load->setSpacing(gap);
    load->addWidget(caption(tr("Batch"), m_batch));
    load->addWidget(m_batch);
    load->addWidget(caption(tr("GPUs"), m_gpus));
    load->addWidget(m_gpus);
    load->addWidget(m_linkName);
    load->addWidget(m_link);
    load->addStretch(1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(gap, gap, gap, 0);
    column->setSpacing(gap);
    column->addLayout(machine);
    column->addLayout(load);
    showMachine({});
    connect(m_machine, &QComboBox::activated, this, &ConditionsBar::chooseMachine);
    connect(m_batch, &QSpinBox::valueChanged, this, &ConditionsBar::changed);
    connect(m_gpus, &QComboBox::activated, this, &ConditionsBar::changed);
    connect(m_link, &QDoubleSpinBox::valueChanged, this, [this](double gigabytes) {
        m_shownLink.bytesPerSecond = bytesPerGigabyte * gigabytes;
        m_shownLink.isGiven = true;
        Q_EMIT changed();
    });
}

void ConditionsBar::showMachine(const QString &profile)
{
    m_profile = profile;
    m_machine->clear();
    m_machine->addItem(tr("this machine"), ThisMachine);
    if (!profile.isEmpty())
        m_machine->addItem(profile, Profile);
    m_machine->addItem(tr("another machine’s profile…"), AnotherProfile);
    m_machine->setCurrentIndex(profile.isEmpty() ? 0 : 1);
}

void ConditionsBar::chooseMachine()
{
    const int chosen = m_machine->currentData().toInt();
    if (chosen == AnotherProfile) {
        showMachine(m_profile); // until there is one
        Q_EMIT profileAsked();
    } else if (chosen == ThisMachine) {
        Q_EMIT thisMachineAsked();
    }
}

void ConditionsBar::show(const ConditionsView &view)
{
    const QSignalBlocker blockers[] = {QSignalBlocker(m_batch), QSignalBlocker(m_link)};
    if (view.profile != m_profile || m_machine->currentIndex() != (view.profile.isEmpty() ? 0 : 1))
        showMachine(view.profile);
    m_batch->setValue(view.batch);
    m_gpus->setCurrentIndex(m_gpus->findData(view.gpus));
    // Figures say where they come from; what was measured stays so until somebody gives another one.
    m_shownLink = view.link;
    const bool isMeasured = view.link.isMeasured(view.gpus);
    m_link->setValue(view.link.rate(view.gpus) / bytesPerGigabyte);
    m_linkName->setText(isMeasured ? tr("Link, measured") : view.link.isGiven ? tr("Link, as given") : tr("Link, assumed"));
    m_link->setVisible(view.gpus > 1); // of one there is none
    m_linkName->setVisible(view.gpus > 1);
}

int ConditionsBar::batch() const
{
    return m_batch->value();
}

int ConditionsBar::gpus() const
{
    return m_gpus->currentData().toInt();
}

Link ConditionsBar::link() const
{
    return m_shownLink;
}

} // namespace zigzag
