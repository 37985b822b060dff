// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/recommend_page.h"

#include "engine/map/run_alike.h"
#include "views/models/native_path.h"
#include "views/models/recommend_text.h"
#include "views/models/text.h"
#include "views/widgets/pareto_plot.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

enum Column { Layers, Judged, Window, Kv, Token, Rise, Right, As, ColumnCount };
constexpr int placeRole = Qt::UserRole;

bool byTime(const jobs::RecommendRecord &record)
{
    return record.tpotMs || std::none_of(record.tried.begin(), record.tried.end(), [&](const jobs::RecordedMap &each) {
               return each.cost.kvBytes < record.full.kvBytes;
           });
}

} // namespace

RecommendPage::RecommendPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("recommend"), tr("Recommend"), parent)
    , m_headline(new QLabel(this))
    , m_text(new QLabel(this))
    , m_command(new QLineEdit(this))
    , m_serving(new QWidget(this))
    , m_ask(new QPushButton(tr("Recommend…"), this))
    , m_open(new QPushButton(tr("Open the map"), this))
    , m_check(new QPushButton(tr("Check a server…"), this))
    , m_answers(new QPushButton(tr("Its answers"), this))
    , m_tried(makeTable())
    , m_plot(new ParetoPlot(this))
{
    setGuidePage(QStringLiteral("recommend"));
    m_plot->setObjectName(QStringLiteral("recommendPlot"));
    m_plot->setTitles(tr("rise (nats a token)"), tr("▲ no map is better in both   ◇ the open map"));
    auto *sides = new QSplitter(Qt::Horizontal, this);
    sides->addWidget(makeText());
    sides->addWidget(m_tried);
    sides->addWidget(m_plot);
    sides->setChildrenCollapsible(false);
    constexpr int shares[] = {5, 6, 4};
    for (int side = 0; side < 3; ++side)
        sides->setStretchFactor(side, shares[side]);
    sides->setSizes({320, 450, 290}); // the table has most to show
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(sides);
    connect(m_ask, &QPushButton::clicked, this, &RecommendPage::recommendAsked);
    connect(m_open, &QPushButton::clicked, this, [this] {
        if (const auto &record = this->studio().recommendation(); record && record->chosen)
            this->studio().openTried(*record->chosen);
    });
    connect(m_check, &QPushButton::clicked, this, [this] {
        const auto &record = this->studio().recommendation();
        if (!record || !record->map())
            return;
        this->studio().openTried(*record->chosen);
        Q_EMIT checkAsked(record->engine == jobs::ourEngine ? QString() : plain(record->map()->as));
    });
    connect(m_answers, &QPushButton::clicked, this, [this] {
        if (const auto &record = this->studio().recommendation(); record)
            Q_EMIT answersAsked(textOfPath(std::filesystem::path(record->folder) / "answers.json"));
    });
    connect(m_plot, &ParetoPlot::pointChosen, this, [this](int point) {
        if (point >= 0)
            this->studio().openTried(static_cast<std::size_t>(point));
    });
    Exhibit plot = m_plot->exhibit();
    plot.name = tr("the plot of the maps that were tried");
    plot.fileName = QStringLiteral("tried-plot");
    exhibit(plot, m_plot);
    exhibit(tableExhibit(tr("the maps that were tried"), QStringLiteral("tried-maps"), *m_tried), m_tried);
}

QWidget *RecommendPage::makeText()
{
    auto *area = new QScrollArea(this);
    auto *inside = new QWidget(area);
    inside->setBackgroundRole(QPalette::Base);
    auto *column = new QVBoxLayout(inside);
    QFont bold = m_headline->font();
    bold.setBold(true);
    m_headline->setFont(bold);
    m_headline->setObjectName(QStringLiteral("recommendHeadline"));
    m_text->setObjectName(QStringLiteral("recommendText"));
    for (QLabel *label : {m_headline, m_text}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText); // names of models and devices are in it
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    m_command->setObjectName(QStringLiteral("recommendCommand"));
    m_command->setReadOnly(true);
    m_command->setAccessibleName(tr("The command that serves the map"));
    auto *copy = new QPushButton(tr("Copy"), m_serving);
    copy->setObjectName(QStringLiteral("copyRecommendCommand"));
    copy->setToolTip(tr("Copy the command that serves the map"));
    connect(copy, &QPushButton::clicked, this, &RecommendPage::copyCommand);
    auto *serving = new QHBoxLayout(m_serving);
    serving->setContentsMargins(0, 0, 0, 0);
    serving->addWidget(m_command, 1);
    serving->addWidget(copy);
    m_ask->setObjectName(QStringLiteral("askRecommendation"));
    m_open->setObjectName(QStringLiteral("openRecommended"));
    m_open->setToolTip(tr("Bring the recommended map to the front, as a variant"));
    m_check->setObjectName(QStringLiteral("checkRecommended"));
    m_check->setToolTip(tr("Ask the server, once it runs, whether it applies this map"));
    m_answers->setObjectName(QStringLiteral("openRecommendAnswers"));
    m_answers->setToolTip(tr("Every answer of full attention and of the maps that were judged"));
    auto *buttons = new QHBoxLayout;
    for (QPushButton *each : {m_open, m_check, m_answers, m_ask})
        buttons->addWidget(each);
    buttons->addStretch(1);
    column->addWidget(m_headline);
    column->addWidget(m_serving);
    column->addLayout(buttons);
    column->addWidget(m_text);
    column->addStretch(1);
    area->setWidget(inside);
    area->setWidgetResizable(true);
    area->setAccessibleName(tr("What was found, and what it rests on"));
    area->setFrameShape(QFrame::NoFrame);
    constexpr int columns = 42;
    area->setMinimumWidth(fontMetrics().averageCharWidth() * columns);
    return area;
}

QTreeWidget *RecommendPage::makeTable()
{
    auto *table = new QTreeWidget(this);
    table->setObjectName(QStringLiteral("recommendTried"));
    table->setAccessibleName(tr("Maps that were tried"));
    table->setRootIsDecorated(false);
    table->setUniformRowHeights(true);
    table->setAllColumnsShowFocus(true);
    table->setHeaderLabels(
        {tr("Layers"), tr("Score kept (95 %)"), tr("Sink + recent"), tr("KV"), tr("TPOT"), tr("Rise"), tr("Right"), tr("As")});
    for (const Column column : {Layers, Window, Kv, Token, Rise, Right})
        table->headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    table->headerItem()->setToolTip(Layers, tr("That stream"));
    table->headerItem()->setToolTip(Judged, tr("On prompts that chose nothing, against full attention"));
    table->headerItem()->setToolTip(Rise, tr("Of the right answer's negative log-likelihood, nats a token: less is better"));
    table->headerItem()->setToolTip(Right, tr("Share of the answers right, on the prompts that chose"));
    table->headerItem()->setToolTip(Token, tr("Predicted for zigzag's engine"));
    connect(table, &QTreeWidget::itemActivated, this,
            [this](const QTreeWidgetItem *item) { studio().openTried(item->data(0, placeRole).toULongLong()); });
    for (int column = 0; column < ColumnCount; ++column)
        table->resizeColumnToContents(column); // the headings' own widths
    return table;
}

void RecommendPage::refresh()
{
    showText();
    showTried();
}

void RecommendPage::showText()
{
    Studio &s = studio();
    const auto &record = s.recommendation();
    const QString doing = s.doing(RunName::Recommend);
    const bool isOn = !doing.isEmpty();
    const bool isDone = record && !isOn && (record->map() || !record->folder.empty() || s.isRecommendationKept());
    QString headline;
    QStringList lines;
    if (isOn) {
        headline = doing;
        lines = s.recommendPlan();
        if (record)
            lines << tr("%1 maps were tried so far.").arg(record->tried.size());
    } else if (isDone) {
        headline = headlineOf(*record);
        if (s.isRecommendationKept())
            headline += QLatin1Char(' ') + tr("(Kept: this came with the model; it was not run here.)");
        if (record->map()) {
            lines << layersOf(*record->map()) << standInsOf(*record->map()) << QString();
            lines << tr("What it saves") << savingsOf(*record) << QString() << tr("What it costs") << costOf(*record)
                  << QString();
        }
        lines << basisOf(*record);
        if (!record->exported.empty())
            lines << tr("The export lies in %1.").arg(plain(record->exported));
    } else if (!s.recommendPlan().isEmpty()) {
        headline = tr("The recommendation did not come to its end; asked again, it goes on from where it was.");
        lines = s.recommendPlan();
    } else {
        headline = tr("Which layers can stream in my engine, and what does it cost?");
        lines << tr("Recommend… orders the layers as the engine runs them, tries counts and windows, judges the best on prompts "
                    "that chose nothing, and writes the map with its export.");
    }
    m_headline->setText(headline);
    m_text->setText(lines.join(QLatin1Char('\n')));
    std::error_code none;
    const QString command = isDone ? plain(record->serve).trimmed() : QString();
    m_serving->setVisible(!command.isEmpty());
    if (m_command->text() != command) {
        m_command->setText(command);
        m_command->setCursorPosition(0);
    }
    m_open->setVisible(isDone && record->map());
    m_check->setVisible(isDone && record->map() && !s.isRecommendationKept());
    m_check->setEnabled(s.loaded().has_value());
    m_answers->setVisible(isDone && record->isAsked
                          && std::filesystem::exists(std::filesystem::path(record->folder) / "answers.json", none));
    m_ask->setVisible(!isOn);
}

void RecommendPage::showTried()
{
    const auto &record = studio().recommendation();
    std::vector<ParetoPoint> points;
    const bool timed = record && byTime(*record);
    if (record != m_shown)
        m_tried->clear();
    QList<QTreeWidgetItem *> rows;
    for (std::size_t place = 0; record && place < record->tried.size(); ++place) {
        const jobs::RecordedMap &map = record->tried[place];
        const QString kv = bytesText(static_cast<double>(map.cost.kvBytes)),
                      ms = map.cost.ms ? timeText(*map.cost.ms) : QString();
        const QString judged = map.judged ? judgedText(map) : map.inSet ? tr("frontier") : QString();
        const StreamingWindow window = map.map.oneStreamingWindow().value_or(StreamingWindow{});
        points.push_back({timed ? map.cost.ms.value_or(0) : static_cast<double>(map.cost.kvBytes), map.rise, 0, map.inSet,
                          runAlike(map.map, studio().document().map()),
                          tr("%1, as %2\nrise %3 nats a token, %4 of answers right\n%5\nClick to open this map")
                              .arg(nameOf(map), asText(map))
                              .arg(map.rise, 0, 'g', 3)
                              .arg(percentText(map.right), judged.isEmpty() ? kv : judged),
                          map.map.sparsity(), window.sink, window.recent});
        if (record == m_shown)
            continue;
        auto *row = new QTreeWidgetItem({QString::number(map.streaming), judged,
                                         QStringLiteral("%1 + %2").arg(window.sink).arg(window.recent), kv, ms,
                                         QString::number(map.rise, 'f', 3), percentText(map.right), asText(map)});
        for (const Column column : {Layers, Window, Kv, Token, Rise, Right})
            row->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        row->setData(0, placeRole, static_cast<qulonglong>(place));
        if (record->chosen == place) {
            QFont bold = font();
            bold.setBold(true);
            for (int column = 0; column < ColumnCount; ++column)
                row->setFont(column, bold);
        }
        rows << row;
    }
    if (record != m_shown) {
        m_shown = record;
        // The recommended one, those that were judged, the frontier, the rest.
        const auto rank = [&](const QTreeWidgetItem *row) {
            const std::size_t place = row->data(0, placeRole).toULongLong();
            const jobs::RecordedMap &map = record->tried[place];
            return record->chosen == place ? 0 : map.judged ? 1 : map.inSet ? 2 : 3;
        };
        std::stable_sort(rows.begin(), rows.end(),
                         [&](const QTreeWidgetItem *a, const QTreeWidgetItem *b) { return rank(a) < rank(b); });
        m_tried->addTopLevelItems(rows);
        for (int column = 0; column < ColumnCount; ++column)
            m_tried->resizeColumnToContents(column);
    }
    m_plot->show(std::move(points),
                 !record     ? tr("KV memory")
                     : timed ? tr("predicted time per output token at %1").arg(contextText(record->context))
                             : tr("KV at %1 in %2").arg(contextText(record->context), plain(record->full.engine)),
                 timed ? UnitTicker::Unit::Time : UnitTicker::Unit::Bytes, tr("Maps stand here as they are tried."));
}

void RecommendPage::copyCommand()
{
    const auto &record = studio().recommendation();
    if (!record || record->serve.empty())
        return;
    const QString command = plain(record->serve).trimmed();
    QGuiApplication::clipboard()->setText(command);
    studio().say(MessageBar::Kind::Note, tr("Copied: %1").arg(command));
}

} // namespace zigzag
