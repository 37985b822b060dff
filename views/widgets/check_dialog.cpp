// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/check_dialog.h"

#include "profiler/carry/engine_serving.h"
#include "views/models/text.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

QString contextsText(const std::vector<std::int64_t> &contexts)
{
    QStringList texts;
    for (const std::int64_t context : contexts)
        texts << contextText(context);
    return texts.join(QStringLiteral(", "));
}

/// As wide and as high as what is in it: the dialog grows rather than that a number hides.
void fit(QTreeWidget &table)
{
    table.header()->resizeSections(QHeaderView::ResizeToContents);
    const int row = table.sizeHintForRow(0), frame = 2 * table.frameWidth();
    table.setMinimumSize(table.header()->length() + frame,
                         table.topLevelItemCount() * row + table.header()->sizeHint().height() + frame);
    table.setMaximumHeight(table.minimumHeight());
}

void rightAligned(QTreeWidgetItem &item, int from)
{
    for (int column = from; column < item.columnCount(); ++column)
        item.setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
}

} // namespace

CheckDialog::CheckDialog(const std::string &engine, std::vector<std::int64_t> contexts, QWidget *parent)
    : QDialog(parent)
    , m_contexts(std::move(contexts))
    , m_server(new QLineEdit(QStringLiteral("http://127.0.0.1:8000"), this))
    , m_key(new QLineEdit(this))
    , m_servedName(new QLineEdit(this))
    , m_engine(new QComboBox(this))
    , m_takesTimes(new QCheckBox(this))
    , m_check(new QPushButton(this))
    , m_progress(new QProgressBar(this))
    , m_doing(new QLabel(this))
    , m_says(new QLabel(this))
    , m_basis(new QLabel(this))
    , m_timesNote(new QLabel(this))
{
    setWindowTitle(tr("Check a server"));
    auto *form = new QFormLayout;
    buildFields(*form, engine);
    m_ways = makeTable(QStringLiteral("checkedWays"), tr("Ways in which the server may run, and how near it is to each"),
                       {tr("If it runs"), tr("Tokens as here"), tr("Mean difference"), tr("Largest")});
    m_times = makeTable(QStringLiteral("checkedTimes"), tr("Times of the server"),
                        {tr("Tokens"), tr("TTFT"), tr("predicted"), tr("floor"), tr("TPOT"), tr("predicted"), tr("floor")});
    QFont bold = m_says->font();
    bold.setBold(true);
    m_says->setFont(bold);
    m_timesNote->setObjectName(QStringLiteral("checkTimesNote"));
    m_says->setObjectName(QStringLiteral("checkSays"));
    m_says->setAccessibleName(tr("What the server was found to run"));
    m_progress->setObjectName(QStringLiteral("checkProgress"));
    m_progress->setAccessibleName(tr("How far the check is"));
    m_progress->setRange(0, 100);
    for (QLabel *label : {m_says, m_basis, m_timesNote}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText); // a server's words are in it
    }
    m_doing->setTextFormat(Qt::PlainText);

    m_check->setObjectName(QStringLiteral("check"));
    m_check->setDefault(true);
    connect(m_check, &QPushButton::clicked, this, &CheckDialog::toggleChecking);
    auto *running = new QHBoxLayout;
    running->addWidget(m_check);
    running->addWidget(m_progress);
    running->addWidget(m_doing);
    running->addStretch(1);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->button(QDialogButtonBox::Close)->setAutoDefault(false); // Enter checks
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto *column = new QVBoxLayout(this);
    column->addLayout(form);
    column->addLayout(running);
    for (QWidget *each : {static_cast<QWidget *>(m_says), static_cast<QWidget *>(m_ways), static_cast<QWidget *>(m_basis),
                          static_cast<QWidget *>(m_times), static_cast<QWidget *>(m_timesNote)}) {
        column->addWidget(each);
        each->hide(); // until there is something in it
    }
    column->addStretch(1);
    column->addWidget(buttons);
    setMinimumWidth(fontMetrics().averageCharWidth() * 80);
    m_server->setFocus();
    m_server->selectAll(); // what is typed first stands in its place
    endChecking();
}

void CheckDialog::buildFields(QFormLayout &form, const std::string &engine)
{
    m_server->setObjectName(QStringLiteral("checkServer"));
    m_server->setToolTip(tr("vLLM, SGLang, llama.cpp's server, zigzag serve: whoever speaks OpenAI's API"));
    m_key->setObjectName(QStringLiteral("checkKey"));
    m_key->setEchoMode(QLineEdit::Password);
    m_key->setPlaceholderText(tr("where the server asks for one"));
    m_servedName->setObjectName(QStringLiteral("checkServedName"));
    m_servedName->setPlaceholderText(tr("the only one that it serves"));
    m_engine->setObjectName(QStringLiteral("checkEngine"));
    m_engine->addItem(tr("zigzag serve: the map with its sinks"), QString());
    for (const ServingEngine &each : servingEngines())
        m_engine->addItem(QStringLiteral("%1: %2").arg(plain(each.name), plain(each.title)), plain(each.name));
    m_engine->setCurrentIndex(std::max(0, m_engine->findData(QString::fromStdString(engine))));
    m_engine->setToolTip(tr("How the map was exported: what the server should be running"));
    m_takesTimes->setObjectName(QStringLiteral("checkTimes"));
    m_takesTimes->setText(tr("Take &times as well, at %1 tokens").arg(contextsText(m_contexts)));
    m_takesTimes->setVisible(!m_contexts.empty());
    form.addRow(tr("&Server"), m_server);
    form.addRow(tr("&Key"), m_key);
    form.addRow(tr("&Model there"), m_servedName);
    form.addRow(tr("Served &as"), m_engine);
    form.addRow(QString(), m_takesTimes);
}

QTreeWidget *CheckDialog::makeTable(const QString &name, const QString &accessible, const QStringList &titles)
{
    auto *table = new QTreeWidget(this);
    table->setObjectName(name);
    table->setAccessibleName(accessible);
    table->setHeaderLabels(titles);
    table->setRootIsDecorated(false);
    table->setUniformRowHeights(true);
    table->setSelectionMode(QAbstractItemView::NoSelection);
    table->header()->setStretchLastSection(false);
    table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff); // either would only be there for the other's sake
    table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    for (int column = 1; column < titles.size(); ++column)
        table->headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    return table;
}

CheckDialog::Choice CheckDialog::choice() const
{
    return {m_server->text().trimmed().toStdString(), m_key->text().toStdString(), m_servedName->text().trimmed().toStdString(),
            m_engine->currentData().toString().toStdString(),
            m_takesTimes->isChecked() ? m_contexts : std::vector<std::int64_t>{}};
}

void CheckDialog::toggleChecking()
{
    if (m_checking) {
        Q_EMIT checkCancelled();
        endChecking();
        return;
    }
    m_checking = true;
    m_check->setText(tr("&Stop"));
    for (QWidget *each : {static_cast<QWidget *>(m_says), static_cast<QWidget *>(m_ways), static_cast<QWidget *>(m_basis),
                          static_cast<QWidget *>(m_times), static_cast<QWidget *>(m_timesNote)})
        each->hide(); // it spoke of another check
    showProgress(0, tr("waiting for other runs"));
    m_progress->show();
    m_doing->show();
    Q_EMIT checkAsked();
}

void CheckDialog::showProgress(double fraction, const QString &text)
{
    if (!m_checking)
        return;
    m_progress->setValue(static_cast<int>(std::lround(100 * std::clamp(fraction, 0.0, 1.0))));
    m_doing->setText(text);
}

void CheckDialog::showFound(const jobs::ServerCheck &check)
{
    m_says->setText(tr("%1: %2").arg(QString::fromStdString(check.server), QString::fromStdString(check.says())));
    m_says->show();
    showWays(check);
    if (!check.times.empty())
        showTimes(check);
    if (!check.whyNoTimes.empty()) {
        m_timesNote->setText(tr("No times: %1").arg(QString::fromStdString(check.whyNoTimes)));
        m_timesNote->show();
    }
    adjustSize();
}

void CheckDialog::showWays(const jobs::ServerCheck &check)
{
    const check::Answers &answers = check.answers;
    m_ways->clear();
    for (std::size_t way = 0; way < check.ways.size(); ++way) {
        const check::Likeness &likeness = answers.likenesses[way];
        auto *item = new QTreeWidgetItem(
            {QString::fromStdString(check.ways[way]), tr("%1 of %2").arg(likeness.equal).arg(answers.tokens),
             QString::number(likeness.meanDifference, 'f', 5), QString::number(likeness.largestDifference, 'f', 5)});
        rightAligned(*item, 1);
        if (answers.finding == check::Finding::Found && way == answers.nearest)
            for (int column = 0; column < item->columnCount(); ++column) {
                QFont bold = font();
                bold.setBold(true);
                item->setFont(column, bold);
            }
        m_ways->addTopLevelItem(item);
    }
    m_ways->show();
    fit(*m_ways);
    QString basis
        = tr("Differences of log-probabilities (nats) over %1 greedy tokens behind %2 prompts of %3 tokens; the nearest "
             "two ways are %4 apart.")
              .arg(answers.tokens)
              .arg(answers.prompts)
              .arg(answers.context)
              .arg(answers.toNext, 0, 'f', 5);
    if (answers.inText)
        basis += QLatin1Char(' ') + tr("Prompts were sent as text: the server takes no token ids.");
    m_basis->setText(basis);
    m_basis->show();
}

void CheckDialog::showTimes(const jobs::ServerCheck &check)
{
    const auto median = [](const std::vector<double> &values) { return timeText(quantile(values, 0.5)); };
    const auto predicted = [](const std::optional<jobs::Foreseen> &of) {
        return of ? QStringLiteral("~") + timeText(of->ms) : QStringLiteral("–");
    };
    const auto floor = [](const std::optional<jobs::Foreseen> &of) { return of ? timeText(of->floorMs) : QStringLiteral("–"); };
    m_times->clear();
    for (const jobs::CheckedTimes &each : check.times) {
        auto *item
            = new QTreeWidgetItem({QString::number(each.served.context), median(each.served.firstMs), predicted(each.first),
                                   floor(each.first), median(each.served.stepMs), predicted(each.step), floor(each.step)});
        rightAligned(*item, 0);
        m_times->addTopLevelItem(item);
    }
    m_times->headerItem()->setTextAlignment(0, Qt::AlignRight | Qt::AlignVCenter);
    m_times->show();
    fit(*m_times);
    m_timesNote->setText(
        check.times.front().first
            ? tr("Times as a client sees them, medians of %1; predicted and floor are of zigzag's engine on this machine. They "
                 "are "
                 "listed under Runs.")
                  .arg(check.times.front().served.firstMs.size())
            : tr("Times as a client sees them, medians of %1. They are listed under Runs; predictions are not calibrated.")
                  .arg(check.times.front().served.firstMs.size()));
    m_timesNote->show();
}

void CheckDialog::endChecking(const QString &why)
{
    m_checking = false;
    m_check->setText(tr("&Check"));
    m_progress->hide();
    m_doing->hide();
    if (!why.isEmpty()) {
        m_says->setText(why);
        m_says->show();
    }
}

} // namespace zigzag
