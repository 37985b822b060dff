// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/preferences_dialog.h"

#include "app/studio/language.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

constexpr double gibibyte = 1 << 30;

/// A row with its explanation below and in the field's tooltip.
void addRow(QFormLayout *form, const QString &name, QWidget *field, const char *objectName, const QString &explanation)
{
    field->setObjectName(QLatin1String(objectName));
    field->setAccessibleDescription(explanation);
    field->setToolTip(explanation);
    form->addRow(name, field);
    auto *text = new QLabel(explanation, form->parentWidget());
    text->setWordWrap(true);
    text->setForegroundRole(QPalette::PlaceholderText);
    form->addRow(QString(), text);
}

} // namespace

PreferencesDialog::PreferencesDialog(const Preferences &preferences, QWidget *parent)
    : QDialog(parent)
    , m_threads(new QSpinBox(this))
    , m_font(new QSpinBox(this))
    , m_memory(new QDoubleSpinBox(this))
    , m_patience(new QDoubleSpinBox(this))
    , m_language(new QComboBox(this))
    , m_contexts(new QLineEdit(this))
    , m_wrong(new QLabel(this))
{
    setWindowTitle(tr("Preferences"));
    m_threads->setRange(0, Preferences::mostThreads);
    m_threads->setSpecialValueText(tr("all processors"));
    m_memory->setRange(0, 1 << 20);
    m_memory->setDecimals(1);
    m_memory->setSuffix(tr(" GiB"));
    m_memory->setSpecialValueText(tr("what is available"));
    m_patience->setRange(0, Preferences::mostPatience);
    m_patience->setDecimals(0);
    m_patience->setSuffix(tr(" s"));
    m_patience->setSpecialValueText(tr("none"));
    m_font->setRange(Preferences::leastFont - 1, Preferences::mostFont);
    m_font->setSuffix(tr(" pt"));
    m_font->setSpecialValueText(tr("as the desktop"));
    m_contexts->setPlaceholderText(tr("a quarter, half and all of the model's"));

    auto *column = new QVBoxLayout(this);
    auto *form = new QFormLayout;
    column->addLayout(form);
    addRow(form, tr("Th&reads"), m_threads, "preferThreads",
           tr("Of the processor's backend. From the next start on; the variable OMP_NUM_THREADS goes before."));
    addRow(form, tr("&Memory"), m_memory, "preferMemory",
           tr("What the program may take in all. A model that does not fit is refused in one line."));
    addRow(form, tr("&Patience"), m_patience, "preferPatience",
           tr("How long a measurement (F5) waits in all while other programs slow the machine."));
    addRow(form, tr("&Contexts"), m_contexts, "preferContexts",
           tr("Tokens, separated by commas: where F5 measures. Those that are longer than the model's are left out."));
    addRow(form, tr("&Font size"), m_font, "preferFont", tr("Of everything in the window, at once."));
    m_language->addItem(tr("as the desktop"), QString());
    for (const Language &each : languages())
        m_language->addItem(each.name, each.code);
    addRow(form, tr("&Language"), m_language, "preferLanguage",
           tr("Of the window, from the next start on. Messages of the engine and the guide are English."));
    m_wrong->setWordWrap(true);
    m_wrong->setText(tr("Contexts are at most 16 whole numbers, such as 512, 1024, 2048."));
    column->addWidget(m_wrong);
    auto *buttons
        = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel | QDialogButtonBox::RestoreDefaults, this);
    m_accept = buttons->button(QDialogButtonBox::Ok);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons->button(QDialogButtonBox::RestoreDefaults), &QPushButton::clicked, this, [this] { fill(Preferences()); });
    column->addWidget(buttons);
    connect(m_contexts, &QLineEdit::textChanged, this, &PreferencesDialog::check);
    fill(preferences);
    check();
    setMinimumWidth(fontMetrics().averageCharWidth() * 70);
}

void PreferencesDialog::fill(const Preferences &preferences)
{
    m_threads->setValue(preferences.threads);
    m_memory->setValue(static_cast<double>(preferences.memoryBytes) / gibibyte);
    m_patience->setValue(preferences.patienceSeconds);
    m_contexts->setText(contextsText(preferences.contexts));
    m_font->setValue(preferences.fontPoints == 0 ? m_font->minimum() : preferences.fontPoints);
    m_language->setCurrentIndex(std::max(0, m_language->findData(preferences.language)));
}

void PreferencesDialog::check()
{
    const bool right = parseContexts(m_contexts->text()).has_value();
    m_wrong->setVisible(!right);
    m_accept->setEnabled(right);
}

Preferences PreferencesDialog::chosen() const
{
    Preferences chosen;
    chosen.threads = m_threads->value();
    chosen.memoryBytes = std::llround(m_memory->value() * gibibyte);
    chosen.patienceSeconds = m_patience->value();
    chosen.contexts = parseContexts(m_contexts->text()).value_or(chosen.contexts);
    chosen.fontPoints = m_font->value() == m_font->minimum() ? 0 : m_font->value();
    chosen.language = m_language->currentData().toString();
    return chosen;
}

} // namespace zigzag
