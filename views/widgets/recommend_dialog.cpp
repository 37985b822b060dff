// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/recommend_dialog.h"

#include "profiler/jobs/recommend_ways.h"
#include "views/models/text.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>
#include <limits>

namespace zigzag {

namespace {

constexpr int leastContext = 64, leastQuality = 50, mostQuality = 99, usualQuality = 90, mostMinutes = 1440;

} // namespace

RecommendDialog::RecommendDialog(const Start &start, QWidget *parent)
    : QDialog(parent)
    , m_engine(new QComboBox(this))
    , m_context(new QSpinBox(this))
    , m_budget(new QComboBox(this))
    , m_amount(new QDoubleSpinBox(this))
    , m_quality(new QSpinBox(this))
    , m_minutes(new QSpinBox(this))
    , m_prompts(new QLineEdit(this))
    , m_folder(new QLineEdit(this))
    , m_plan(new QLabel(this))
    , m_whyNot(new QLabel(this))
{
    setWindowTitle(tr("Recommend a map"));
    auto *form = new QFormLayout;
    buildFields(*form, start);
    for (QLabel *label : {m_plan, m_whyNot}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText); // names of files and models are in it
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    constexpr int planLines = 7; // the dialog holds still while the plan changes
    m_plan->setObjectName(QStringLiteral("recommendPlan"));
    m_plan->setAccessibleName(tr("What will be done, and how long that takes"));
    m_plan->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_plan->setMinimumHeight(planLines * fontMetrics().lineSpacing());
    m_whyNot->setObjectName(QStringLiteral("recommendWhyNot"));
    QFont bold = m_whyNot->font();
    bold.setBold(true);
    m_whyNot->setFont(bold);

    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_start = buttons->addButton(tr("&Recommend"), QDialogButtonBox::AcceptRole);
    m_start->setObjectName(QStringLiteral("startRecommending"));
    m_start->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto *column = new QVBoxLayout(this);
    column->addLayout(form);
    column->addWidget(m_plan);
    column->addWidget(m_whyNot);
    column->addStretch(1);
    column->addWidget(buttons);
    constexpr int columns = 86;
    setMinimumWidth(fontMetrics().averageCharWidth() * columns);
    takeBudget();
}

void RecommendDialog::buildFields(QFormLayout &form, const Start &start)
{
    auto *model = new QLabel(start.model, this);
    model->setObjectName(QStringLiteral("recommendModel"));
    model->setTextFormat(Qt::PlainText);
    form.addRow(tr("Model"), model);

    m_engine->setObjectName(QStringLiteral("recommendEngine"));
    for (const std::string_view name : jobs::recommendedEngines())
        m_engine->addItem(name == jobs::ourEngine ? tr("zigzag serve") : plain(name), plain(name));
    m_engine->setCurrentIndex(std::max(0, m_engine->findData(QString::fromStdString(start.engine))));
    m_engine->setToolTip(tr("Who will serve the map: layers are chosen as that engine runs them"));
    form.addRow(tr("&Engine"), m_engine);

    m_context->setObjectName(QStringLiteral("recommendContext"));
    m_context->setRange(leastContext, std::numeric_limits<int>::max());
    m_context->setValue(static_cast<int>(std::min<std::int64_t>(start.longest, std::numeric_limits<int>::max())));
    m_context->setGroupSeparatorShown(true);
    m_context->setSuffix(tr(" tokens"));
    m_context->setToolTip(tr("Where a budget holds and savings are told; prompts are as long where the time allows it"));
    form.addRow(tr("&Context"), m_context);

    m_budget->setObjectName(QStringLiteral("recommendBudget"));
    m_budget->addItem(tr("none: whatever keeps the quality"), static_cast<int>(Budget::None));
    m_budget->addItem(tr("memory of a sequence, GiB"), static_cast<int>(Budget::Gibibytes));
    m_budget->addItem(tr("memory of a sequence, MiB"), static_cast<int>(Budget::Mebibytes));
    m_budget->addItem(tr("time per token, ms"), static_cast<int>(Budget::Milliseconds));
    m_amount->setObjectName(QStringLiteral("recommendAmount"));
    m_amount->setAccessibleName(tr("How much the budget is"));
    m_amount->setDecimals(3);
    constexpr double mostAmount = 1e6;
    m_amount->setRange(0.001, mostAmount);
    m_amount->setValue(1);
    auto *budget = new QHBoxLayout;
    budget->addWidget(m_budget, 1);
    budget->addWidget(m_amount);
    auto *budgetTitle = new QLabel(tr("&Budget"), this);
    budgetTitle->setBuddy(m_budget);
    form.addRow(budgetTitle, budget);

    m_quality->setObjectName(QStringLiteral("recommendQuality"));
    m_quality->setRange(leastQuality, mostQuality);
    m_quality->setValue(usualQuality);
    m_quality->setSuffix(tr(" % of full attention's score"));
    m_quality->setToolTip(tr("Must be kept by the lower end of the 95 % interval"));
    form.addRow(tr("&Quality to keep"), m_quality);

    m_minutes->setObjectName(QStringLiteral("recommendMinutes"));
    m_minutes->setRange(1, mostMinutes);
    m_minutes->setValue(start.minutes);
    m_minutes->setSuffix(tr(" min"));
    form.addRow(tr("&Time for all of it"), m_minutes);

    const auto place = [&](QLineEdit *line, const char *name, const QString &label, const QString &accessible, auto signal) {
        line->setObjectName(QLatin1String(name));
        auto *choose = new QPushButton(tr("Choose…"), this);
        choose->setObjectName(QLatin1String(name) + QStringLiteral("Choose"));
        choose->setAccessibleName(accessible);
        choose->setAutoDefault(false);
        connect(choose, &QPushButton::clicked, this, signal);
        auto *row = new QHBoxLayout;
        row->addWidget(line, 1);
        row->addWidget(choose);
        auto *title = new QLabel(label, this);
        title->setBuddy(line);
        form.addRow(title, row);
    };
    m_prompts->setPlaceholderText(tr("needle tasks that are made here"));
    m_prompts->setToolTip(tr("Questions of your own: half of them choose the map, half of them judge it"));
    place(m_prompts, "recommendPrompts", tr("&Prompts"), tr("Choose a file of questions"), &RecommendDialog::promptsAsked);
    place(m_folder, "recommendFolder", tr("&Folder"), tr("Choose the folder for the results"), &RecommendDialog::folderAsked);
    m_folder->setToolTip(tr("For the map, its scores, the page and the export"));

    connect(m_engine, &QComboBox::currentIndexChanged, this, &RecommendDialog::changed);
    connect(m_budget, &QComboBox::currentIndexChanged, this, &RecommendDialog::takeBudget);
    connect(m_amount, &QDoubleSpinBox::valueChanged, this, &RecommendDialog::changed);
    for (QSpinBox *number : {m_context, m_quality, m_minutes})
        connect(number, &QSpinBox::valueChanged, this, &RecommendDialog::changed);
    for (QLineEdit *line : {m_prompts, m_folder})
        connect(line, &QLineEdit::textChanged, this, &RecommendDialog::changed);
}

void RecommendDialog::takeBudget()
{
    m_amount->setEnabled(m_budget->currentData().toInt() != static_cast<int>(Budget::None));
    Q_EMIT changed();
}

RecommendDialog::Choice RecommendDialog::choice() const
{
    constexpr double mebibyte = 1 << 20, gibibyte = 1 << 30, percent = 100, minute = 60;
    Choice choice;
    choice.engine = m_engine->currentData().toString().toStdString();
    choice.context = m_context->value();
    const auto budget = static_cast<Budget>(m_budget->currentData().toInt());
    if (budget == Budget::Gibibytes || budget == Budget::Mebibytes)
        choice.memory = static_cast<std::int64_t>(m_amount->value() * (budget == Budget::Gibibytes ? gibibyte : mebibyte));
    if (budget == Budget::Milliseconds)
        choice.tpotMs = m_amount->value();
    choice.kept = m_quality->value() / percent;
    choice.seconds = m_minutes->value() * minute;
    choice.prompts = m_prompts->text().trimmed();
    choice.folder = m_folder->text().trimmed();
    return choice;
}

void RecommendDialog::suggestFolder(const QString &folder)
{
    if (!m_folder->text().isEmpty() && m_folder->text() != m_suggested)
        return;
    m_suggested = folder;
    if (m_folder->text() != folder)
        m_folder->setText(folder);
}

void RecommendDialog::setPrompts(const QString &file)
{
    m_prompts->setText(file);
}

void RecommendDialog::setFolder(const QString &folder)
{
    m_folder->setText(folder);
}

void RecommendDialog::showPlan(const QString &plan, const QString &whyNot)
{
    m_plan->setText(plan);
    m_whyNot->setText(whyNot);
    m_whyNot->setVisible(!whyNot.isEmpty());
    m_start->setEnabled(whyNot.isEmpty());
}

} // namespace zigzag
