// SPDX-License-Identifier: GPL-3.0-or-later
// Runs side by side, and plots and tables taken out of the window.
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/runs_page.h"
#include "profiler/measure/bench_file.h"
#include "profiler/trace/trace_file.h"
#include "trace_samples.h"
#include "views/widgets/exhibit.h"
#include "window_fixture.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QHeaderView>
#include <QImage>
#include <QLabel>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QTreeView>

namespace zigzag::test {

class RunsTest : public WindowTest
{
protected:
    RunsPage &runs() { return *m_window->findChild<RunsPage *>(); }
    void openTrace(const std::string &name, const Trace &trace)
    {
        ASSERT_TRUE(writeTrace(trace, m_folder / name));
        ASSERT_TRUE(open(m_folder / name)) << message().toStdString();
        settle();
    }
    void select(const std::vector<int> &rows)
    {
        QItemSelection selection;
        for (const int row : rows)
            selection.select(runs().list().model()->index(row, 0), runs().list().model()->index(row, 0));
        runs().list().selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        settle();
    }
};

TEST_F(RunsTest, TwoSelectedRunsStandSideBySideAndLayersAreLinked)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    EXPECT_TRUE(m_window->findChild<QLabel *>("comparisonHeadline")->text().contains("Nothing has been measured"));
    Trace base = *sampleTrace(3000, 8);
    openTrace("a.trace", base);
    for (TraceSpan &span : base.spans)
        if (span.layer == 2 && span.op == Op::Attention)
            span.durationNs /= 4;
    base.info.map = "other";
    openTrace("b.trace", base);
    EXPECT_EQ(runs().list().model()->rowCount(), 2);
    select({0});
    EXPECT_EQ(runs().comparison().rowCount(), 0) << "without its map there is no prediction of it";
    EXPECT_TRUE(m_window->findChild<QLabel *>("comparisonHeadline")->text().contains("second run"));
    select({0, 1});
    EXPECT_GT(runs().comparison().rowCount(), 9);
    EXPECT_LT(runs().comparison().rows().front().absolute(), 1e-9) << "A is the older one";
    const QString headline = m_window->findChild<QLabel *>("comparisonHeadline")->text();
    EXPECT_TRUE(headline.contains("other, TPOT")) << headline.toStdString();
    m_window->findChild<QAction *>("swapRuns")->trigger();
    EXPECT_GT(runs().comparison().rows().front().absolute(), -1e-9);
    m_window->findChild<QComboBox *>("compareBy")->setCurrentIndex(1);
    settle();
    auto *table = m_window->findChild<QTreeView *>("runComparison");
    for (int row = 0; row < table->model()->rowCount(); ++row)
        if (table->model()->index(row, 0).data(RunCompareModel::LayerRole).toInt() == 2)
            table->selectionModel()->select(table->model()->index(row, 0),
                                            QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    EXPECT_EQ(m_window->headMap().selectedLayers(), std::vector<int>{2});
    m_window->studio().selection().set({4});
    EXPECT_EQ(table->selectionModel()->selectedRows().first().data(RunCompareModel::LayerRole).toInt(), 4);
}

TEST_F(RunsTest, FilesOfBenchAndPredictAreRunsAndComparePointByPoint)
{
    MachineProfile machine;
    machine.device = "a processor";
    BenchRecord one;
    one.map = "full";
    one.context = 512;
    one.samplesMs = {2, 2.1, 2.2};
    one.medianMs = 2.1;
    one.spreadMs = 0.1;
    BenchRecord two = one;
    two.map = "zigzag";
    two.medianMs = 1;
    BenchRecord failed = one;
    failed.context = 1 << 20;
    failed.samplesMs.clear();
    failed.failure = "needs 8 GiB and 4 are free";
    ASSERT_TRUE(writeBenchFile(m_folder / "before.json", "preset:llama-3-8b", machine, {}, {one, two, failed}));
    ASSERT_TRUE(open(m_folder / "before.json")) << message().toStdString();
    settle();
    EXPECT_TRUE(runs().isVisible()) << "its page comes to the front";
    EXPECT_EQ(runs().list().model()->rowCount(), 3);
    EXPECT_EQ(runs().list().selectionModel()->selectedRows().size(), 3) << "what was opened is selected";
    EXPECT_TRUE(m_window->findChild<QWidget *>("emptyMapText")->isVisible());
    EXPECT_TRUE(m_window->findChild<QAbstractButton *>("open_preset:llama-3-8b")) << "the model of the runs is offered";
    two.medianMs = 1.5;
    ASSERT_TRUE(writeBenchFile(m_folder / "after.json", "preset:llama-3-8b", machine, {}, {two, one}));
    QMimeData urls, *mime = &urls;
    mime->setUrls({QUrl::fromLocalFile(QString::fromStdString((m_folder / "after.json").string()))});
    QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, mime, Qt::LeftButton, {});
    QCoreApplication::sendEvent(m_window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(5, 5), Qt::CopyAction, mime, Qt::LeftButton, {});
    QCoreApplication::sendEvent(m_window.get(), &drop);
    settle();
    ASSERT_EQ(runs().list().model()->rowCount(), 5);
    EXPECT_EQ(runs().list().selectionModel()->selectedRows().size(), 5) << "two files are opened to be compared";
    const auto &rows = runs().comparison().rows();
    ASSERT_EQ(rows.size(), 2u) << "a failed point is no time";
    EXPECT_EQ(rows[0].verdict(), Verdict::Within);
    EXPECT_EQ(rows[1].name, "zigzag, decode at 512");
    EXPECT_EQ(rows[1].verdict(), Verdict::Grew);
    const QString headline = m_window->findChild<QLabel *>("comparisonHeadline")->text();
    EXPECT_TRUE(headline.contains("3 points, before.json")) << headline.toStdString();
    EXPECT_TRUE(headline.contains("1 grew")) << headline.toStdString();

    for (const std::string &broken : {std::string(R"({"format": "zigzag-bench", "version": 9})"),
                                      std::string(R"({"format": "zigzag-bench", "version": 1, "machine": {}, "records": []})")}) {
        EXPECT_FALSE(open(write("broken.json", broken)));
        EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
        EXPECT_FALSE(message().contains('\n'));
    }
    EXPECT_EQ(runs().list().model()->rowCount(), 5);
    const QByteArray list = saved("save_runs", "runs.csv");
    EXPECT_TRUE(list.contains(",zigzag,TPOT,512,1,1.5,")) << list.toStdString();
}

TEST_F(RunsTest, EveryPlotAndTableIsSavedInEveryForm)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    openTrace("a.trace", *sampleTrace(3000, 8, true));
    int exhibits = 0;
    for (const QAction *action : m_window->findChildren<QAction *>()) {
        const QString name = action->objectName();
        if (!name.startsWith("save_"))
            continue;
        ++exhibits;
        EXPECT_FALSE(action->text().isEmpty());
        const QByteArray png = saved(name, "x.png");
        const QImage image = QImage::fromData(png, "PNG");
        EXPECT_GT(image.width(), 100) << name.toStdString() << " " << message().toStdString();
        EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);
        const QByteArray svg = saved(name, "x.svg");
        EXPECT_TRUE(svg.contains("<svg")) << name.toStdString();
        const QByteArray pdf = saved(name, "x.pdf");
        EXPECT_TRUE(pdf.startsWith("%PDF")) << name.toStdString();
        const QByteArray csv = saved(name, "x.csv");
        EXPECT_TRUE(csv.endsWith('\n') && csv.size() > 1) << name.toStdString();
    }
    EXPECT_GE(exhibits, 12);
    // No plot and no table without a way out: each has its action, or stands in one that has.
    int shown = 0;
    for (const QWidget *widget : m_window->findChildren<QWidget *>()) {
        const bool isTable = qobject_cast<const QAbstractItemView *>(widget) && !qobject_cast<const QHeaderView *>(widget)
            && !widget->parentWidget()->inherits("QComboBoxPrivateContainer");
        const bool isPicture = widget->inherits("QCustomPlot")
            || (qobject_cast<const QAbstractScrollArea *>(widget) && !qobject_cast<const QScrollArea *>(widget)
                && !qobject_cast<const QAbstractItemView *>(widget)
                && !qobject_cast<const QPlainTextEdit *>(widget)); // typed into
        if (!isTable && !isPicture)
            continue;
        ++shown;
        bool isPage = false; // a page holds its actions too: only what is below it counts
        for (const QWidget *each = widget; each && !isPage; each = each->parentWidget()) {
            const QList<QAction *> actions = each->actions();
            isPage = qobject_cast<const Page *>(each);
            if (!isPage && std::any_of(actions.begin(), actions.end(), [](const QAction *action) {
                    return action->objectName().startsWith("save_");
                }))
                break;
        }
        EXPECT_FALSE(isPage) << widget->metaObject()->className() << ' ' << widget->objectName().toStdString();
    }
    EXPECT_GE(shown, 11);
    const QByteArray table = saved("save_op-table", "table.csv");
    EXPECT_EQ(table.count('\n'), 11) << "a heading, nine ops and the pass";
    const QByteArray spans = saved("save_timeline", "spans.csv");
    EXPECT_EQ(spans.count('\n'),
              static_cast<qsizetype>(1 + m_window->profile().trace().trace()->spans.size()
                                     + m_window->profile().trace().trace()->kernels.size()));
    const QByteArray map = saved("save_head-map", "map.csv");
    EXPECT_TRUE(map.contains("\n3,retrieval,RRRR,")) << map.toStdString();
    EXPECT_TRUE(saved("save_tpot", "noending").isEmpty());
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
    EXPECT_TRUE(saved("save_tpot", "missing/folder/x.png").isEmpty());
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
}

} // namespace zigzag::test
