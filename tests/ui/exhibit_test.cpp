// SPDX-License-Identifier: GPL-3.0-or-later
// What is taken out of the window: numbers with their units, no column twice, plots that stand in a document by themselves.
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/runs_page.h"
#include "profiler/measure/bench_file.h"
#include "profiler/trace/op_table.h"
#include "profiler/trace/trace_file.h"
#include "trace_samples.h"
#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/map_difference_model.h"
#include "views/models/needle_model.h"
#include "views/models/op_table_model.h"
#include "views/models/run_list_model.h"
#include "views/models/score_sources.h"
#include "views/widgets/exhibit.h"
#include "window_fixture.h"

#include <QFile>
#include <QImage>
#include <QRegularExpression>

#include <set>

namespace zigzag::test {

namespace {

/// Rows of cells; the samples here have no commas in quotes where it matters.
std::vector<QStringList> cellsOf(const QString &csv)
{
    std::vector<QStringList> rows;
    for (const QString &line : csv.split('\n', Qt::SkipEmptyParts))
        rows.push_back(line.split(','));
    return rows;
}

int columnOf(const std::vector<QStringList> &rows, const QString &heading)
{
    const auto found = rows.front().indexOf(heading);
    EXPECT_GE(found, 0) << "no " << heading.toStdString() << " in " << rows.front().join(',').toStdString();
    return static_cast<int>(std::max<qsizetype>(found, 0));
}

class ExhibitTest : public WindowTest
{
protected:
    bool has(const QImage &image, const QColor &color, const QRect &where)
    {
        for (int y = where.top(); y <= where.bottom(); ++y)
            for (int x = where.left(); x <= where.right(); ++x)
                if (image.pixelColor(x, y) == color)
                    return true;
        return false;
    }
};

} // namespace

TEST(CsvColumns, TheOpTableHasUnitsAndEachColumnOnce)
{
    OpTableModel model;
    const auto trace = sampleTrace(3000, 8, true);
    model.show(opTable(*trace, GroupBy::Op));
    const auto rows = cellsOf(csvOf(model));
    EXPECT_EQ(rows.front().mid(0, 6), QStringList({"Op", "Count", "Total ns", "Self ns", "Share of self %", "Mean ns"}));
    const int share = columnOf(rows, "Share of self %"), self = columnOf(rows, "Self ns");
    double shares = 0, selfNs = 0;
    for (std::size_t row = 1; row < rows.size(); ++row) {
        shares += rows[row][share].toDouble();
        selfNs += rows[row][self].toDouble();
    }
    EXPECT_NEAR(shares, 100, 1e-6) << "per cent, not nanoseconds";
    EXPECT_NEAR(rows[1][share].toDouble(), 100 * rows[1][self].toDouble() / selfNs, 1e-9);
    for (qsizetype a = 0; a < rows.front().size(); ++a)
        for (qsizetype b = a + 1; b < rows.front().size(); ++b) {
            EXPECT_NE(rows.front()[a], rows.front()[b]);
            bool same = true, empty = true;
            for (std::size_t row = 1; row < rows.size(); ++row) {
                same = same && rows[row][a] == rows[row][b];
                empty = empty && rows[row][a].isEmpty();
            }
            EXPECT_FALSE(same && !empty && rows.front()[a].startsWith("Share"))
                << rows.front()[a].toStdString() << " = " << rows.front()[b].toStdString();
        }
    // Kernels have one time, no bytes and no operations: no columns for what is not there, and none that repeats another.
    model.showKernels(kernelTable(*trace, {}));
    const auto kernels = cellsOf(csvOf(model));
    EXPECT_EQ(kernels.front(), QStringList({"Kernel", "Count", "Total ns", "Share of total %", "Mean ns", "p50 ns", "p99 ns"}));
    EXPECT_EQ(kernels[1].size(), kernels.front().size());
}

TEST(CsvColumns, RunsSayWhenWhatAndInWhichUnit)
{
    BenchRecord measured;
    measured.map = "zigzag";
    measured.context = 2048;
    measured.medianMs = 1.5;
    measured.spreadMs = 0.25;
    measured.samplesMs = {1.4, 1.5, 1.65};
    measured.floorRatio = 0.5;
    BenchRecord single = measured, failed = measured, slowed = measured;
    single.samplesMs = {1.5};
    single.spreadMs = 0;
    single.floorRatio = 0;
    failed.samplesMs.clear();
    failed.failure = "needs 8 GiB";
    slowed.disturbed = 3;
    BenchFile file;
    file.model = "bundled:zigzag-tiny";
    file.records = {measured, single, failed, slowed};
    RunListModel runs;
    runs.addFile("a.json", QDateTime(QDate(2026, 1, 2), QTime(3, 4, 5), Qt::UTC), file);
    const auto rows = cellsOf(csvOf(runs));
    ASSERT_EQ(rows.size(), 5u);
    const auto at = [&](int row, const char *heading) { return rows[row][columnOf(rows, heading)]; };
    EXPECT_EQ(at(1, "When"), "2026-01-02T03:04:05Z");
    EXPECT_EQ(at(1, "Context tokens"), "2048");
    EXPECT_EQ(at(1, "Median ms"), "1.5");
    EXPECT_EQ(at(1, "Spread ms"), "0.25");
    EXPECT_EQ(at(1, "Floor reached %"), "50");
    EXPECT_EQ(at(1, "Source"), "measured");
    EXPECT_EQ(at(2, "Spread ms"), "") << "one sample has no spread";
    EXPECT_EQ(at(2, "Floor reached %"), "");
    EXPECT_EQ(at(3, "Median ms"), "") << "a run that failed has no time";
    EXPECT_EQ(at(3, "Failure"), "needs 8 GiB");
    EXPECT_EQ(rows[4].mid(columnOf(rows, "Source")).join(',').startsWith("\"measured, disturbed\""), true);
    file.predicted = true;
    file.records = {measured};
    RunListModel predictions;
    predictions.addFile("p.json", QDateTime::currentDateTime(), file);
    EXPECT_TRUE(csvOf(predictions).contains(",predicted,"));

    RunCompareModel compared;
    compared.show(compareRecords({measured}, {slowed}), false, true);
    const auto sides = cellsOf(csvOf(compared));
    EXPECT_EQ(sides.front(),
              QStringList({"What", "A ms", "A spread ms", "B predicted ms", "B spread ms", "B − A ms", "Change %", "Verdict"}));
}

TEST(CsvColumns, OtherTablesHaveNumbersAndUnits)
{
    HeadMap other = fullMap(4, 2);
    other.setLayer(1, HeadKind::Streaming);
    const auto scores = risingScores(4, 2);
    auto found = differenceOf(fullMap(4, 2), other, 1024, scores.get());
    ASSERT_TRUE(found);
    MapDifferenceModel difference;
    difference.show(*found, 8, 256.0);
    const auto rows = cellsOf(csvOf(difference));
    ASSERT_EQ(rows.size(), 3u);
    columnOf(rows, "Streaming heads of this map");
    EXPECT_TRUE(csvOf(difference).contains("\n1,2,\"0, 1\",0,2,")) << csvOf(difference).toStdString();

    ScoreSources scoreSources;
    FoundScores search;
    search.name = "Ablation of layers";
    search.scores = scores;
    search.isSearch = true;
    search.window = {4, 60};
    search.forwardPasses = 12;
    search.seconds = 3.5;
    scoreSources.add(search);
    EXPECT_TRUE(csvOf(scoreSources).contains("Sink tokens,Recent tokens")) << csvOf(scoreSources).toStdString();
    EXPECT_TRUE(csvOf(scoreSources).endsWith(",4,60,,12,3.5\n")) << csvOf(scoreSources).toStdString();

    NeedleResult result;
    result.grid = {{1024, 0.25, 4, 3}, {2048, 0.25, 0, 0}};
    NeedleModel needle;
    needle.show(&result);
    EXPECT_EQ(csvOf(needle, "depth"), "depth,share found at 1024 tokens,share found at 2048 tokens\n0.25,0.75,\n");
}

TEST_F(ExhibitTest, EveryTableSaysEachThingOnceAndInItsUnit)
{
    // Something in every table: scores, a trace, runs, two maps, needles.
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->studio().takeScores(risingScores(8, 4));
    m_window->document().setKind({{3, 1}}, HeadKind::Streaming);
    ASSERT_TRUE(writeTrace(*sampleTrace(3000, 8, true), m_folder / "sample.trace"));
    ASSERT_TRUE(open(m_folder / "sample.trace")) << message().toStdString();
    NeedleResult needles;
    needles.grid = {{256, 0.0, 4, 3}, {512, 0.0, 4, 1}};
    m_window->studio().plotted().measurements().addNeedle(map(), needles);
    m_window->refreshNow();
    static const QRegularExpression unit("\\b(ns|ms|s|bytes|keys|tokens|%|flops|count|layer|head|heads|depth|share|score|spread|"
                                         "loss|error|passes|cost|pareto|map|sequences)"
                                         "\\b|%",
                                         QRegularExpression::CaseInsensitiveOption);
    int tables = 0;
    for (const QAction *action : m_window->findChildren<QAction *>()) {
        if (!action->objectName().startsWith("save_"))
            continue;
        SCOPED_TRACE(action->objectName().toStdString());
        const auto rows = cellsOf(saved(action->objectName(), "x.csv"));
        ASSERT_FALSE(rows.empty()) << message().toStdString();
        ++tables;
        const QStringList &headings = rows.front();
        EXPECT_EQ(std::set<QString>(headings.begin(), headings.end()).size(), static_cast<std::size_t>(headings.size()))
            << headings.join(", ").toStdString();
        for (qsizetype column = 0; column < headings.size(); ++column) {
            EXPECT_FALSE(headings[column].isEmpty());
            bool number = false, text = false;
            for (std::size_t row = 1; row < rows.size(); ++row)
                if (const QString cell = rows[row].value(column); !cell.isEmpty())
                    (cell.toDouble(&number), text |= !number);
            if (rows.size() > 1 && number && !text) {
                EXPECT_TRUE(unit.match(headings[column]).hasMatch()) << headings[column].toStdString();
            }
        }
    }
    EXPECT_GE(tables, 12);
}

TEST_F(ExhibitTest, TheHeadMapsNumbersHaveItsScores)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    const auto bare = cellsOf(saved("save_head-map", "bare.csv"));
    EXPECT_FALSE(bare.front().contains("score of head 0"));
    auto scores = std::make_shared<HeadScores>(*risingScores(8, 4));
    scores->spread.assign(32, 0.5f);
    m_window->document().setScores(scores);
    settle();
    const auto rows = cellsOf(saved("save_head-map", "map.csv"));
    ASSERT_EQ(rows.size(), 9u);
    EXPECT_EQ(rows[4][columnOf(rows, "score of head 1")], "0.40625"); // 13 of 32
    EXPECT_EQ(rows[8][columnOf(rows, "spread of head 3")], "0.5");
    const QStringList &headings = rows.front();
    EXPECT_EQ(std::set<QString>(headings.begin(), headings.end()).size(), static_cast<std::size_t>(headings.size()));
    EXPECT_EQ(headings.filter(QRegularExpression("^kv bytes at \\d+ tokens$")).size(), 1) << headings.join('|').toStdString();
}

TEST_F(ExhibitTest, ASavedPlotIsLargeAndHasItsLegendAndUnits)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->document().setScores(risingScores(8, 4));
    m_window->resize(m_window->minimumSizeHint()); // the picture does not depend on the window
    settle();
    for (const char *plot : {"save_ttft", "save_tpot", "save_kv-memory", "save_quality", "save_head-map"}) {
        const QImage image = QImage::fromData(saved(plot, "x.png"), "PNG");
        EXPECT_GE(image.width(), 1200) << plot;
        EXPECT_GE(image.height(), 800) << plot;
    }
    EXPECT_GE(QImage::fromData(saved("save_timeline", "x.png"), "PNG").width(), 1200);
    EXPECT_GE(QImage::fromData(saved("save_needle-this-map", "x.png"), "PNG").width(), 1200);
    const QImage kv = QImage::fromData(saved("save_kv-memory", "x.png"), "PNG");
    const bool dark = isDark(m_window->palette());
    const QRect top(0, 0, kv.width(), 80);
    for (const Series series : allSeries)
        EXPECT_TRUE(has(kv, seriesColor(series, dark), top)) << "the legend names every series";
    const QByteArray svg = saved("save_kv-memory", "x.svg");
    EXPECT_TRUE(svg.contains("DuoAttention 0")) << "its text is text";
    EXPECT_TRUE(svg.contains("context (tokens)"));
    EXPECT_TRUE(svg.contains("KV memory (MiB)") || svg.contains("KV memory (KiB)") || svg.contains("KV memory (GiB)"));
    EXPECT_TRUE(svg.contains("dashed: predicted"));
    const QByteArray map = saved("save_head-map", "x.svg");
    EXPECT_TRUE(map.contains("score 0 to 1"));
    EXPECT_FALSE(map.contains("Click or drag")) << "nobody clicks on paper";
}

TEST_F(ExhibitTest, PicturesHaveTheSizeOfTheirPaper)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    settle();
    const auto paper = [&](PaperSize size) {
        m_window->findChild<QAction *>(QStringLiteral("paper_%1").arg(static_cast<int>(size)))->trigger();
    };
    const auto picture = [&] {
        QImage image;
        image.loadFromData(saved("save_kv-memory", "kv.png"));
        return image;
    };
    EXPECT_EQ(picture().size(), QSize(1440, 960));
    for (const auto &[size, millimetres] : {std::pair(PaperSize::Column, 85.0), std::pair(PaperSize::Page, 180.0)}) {
        paper(size);
        const QImage image = picture();
        EXPECT_NEAR(image.width() / 600.0 * 25.4, millimetres, 0.1) << "at 600 dots an inch";
        EXPECT_NEAR(1000.0 * image.width() / image.dotsPerMeterX(), millimetres, 0.1) << "as the file says";
        const QString svg = QString::fromUtf8(saved("save_kv-memory", "kv.svg"));
        const auto width = QRegularExpression("<svg width=\"([0-9.]+)mm\"").match(svg);
        ASSERT_TRUE(width.hasMatch()) << svg.left(300).toStdString();
        EXPECT_NEAR(width.captured(1).toDouble(), millimetres, 0.5);
    }
    paper(PaperSize::Slide);
    EXPECT_NEAR(static_cast<double>(picture().width()) / picture().height(), 16.0 / 9.0, 0.01);
    paper(PaperSize::Screen);
    EXPECT_EQ(picture().size(), QSize(1440, 960));
}

} // namespace zigzag::test
