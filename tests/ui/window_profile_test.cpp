// SPDX-License-Identifier: GPL-3.0-or-later
// The profile page in the real window: traces from files and from runs, the hand in the timeline, linked selection.
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/runs_page.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/trace_file.h"
#include "tests/paths.h"
#include "trace_samples.h"
#include "views/models/head_map_model.h"
#include "views/widgets/op_table_view.h"
#include "views/widgets/timeline_view.h"
#include "window_fixture.h"

#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QWheelEvent>

namespace zigzag::test {

namespace {
constexpr int patience = 180000; // ms; a loaded machine, a sanitizer
} // namespace

class ProfileTest : public WindowTest
{
protected:
    void openSample(int layers = 8)
    {
        ASSERT_TRUE(open(savedMap(fullMap(layers, 4))));
        ASSERT_TRUE(writeTrace(*sampleTrace(2000, layers, true), m_folder / "sample.trace"));
        ASSERT_TRUE(open(m_folder / "sample.trace")) << message().toStdString();
        settle();
    }
    TimelineView &timeline() { return m_window->profile().timeline(); }
    const TraceModel &trace() { return m_window->profile().trace(); }
    int rows() { return m_window->profile().opTable().model()->rowCount(); }
    void press(Qt::Key which)
    {
        timeline().setFocus();
        QTest::keyClick(&timeline(), which);
        settle();
    }
    void choose(const char *box, int index)
    {
        m_window->findChild<QComboBox *>(QLatin1String(box))->setCurrentIndex(index);
        settle();
    }
};

TEST_F(ProfileTest, OpensOurTracesAndChromesAndRefusesTheRest)
{
    openSample();
    EXPECT_TRUE(m_window->findChild<QDockWidget *>("profileDock")->widget()->isVisible());
    EXPECT_EQ(trace().lanes().size(), 4u);
    const int ops = rows();
    EXPECT_EQ(ops, 10);
    ASSERT_TRUE(writeChromeTrace(*trace().trace(), m_folder / "chrome.json"));
    ASSERT_TRUE(open(m_folder / "chrome.json")) << message().toStdString();
    settle();
    EXPECT_EQ(trace().lanes().size(), 4u);
    EXPECT_EQ(rows(), ops);
    EXPECT_EQ(m_window->findChild<QComboBox *>("traceChoice")->count(), 2);
    EXPECT_FALSE(open(write("broken.json", R"({"format": "zigzag-trace", "version": 9})")));
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
    EXPECT_FALSE(open(write("half.json", R"({"traceEvents": [{"ph": "X", )")));
    EXPECT_EQ(m_window->findChild<QComboBox *>("traceChoice")->count(), 2);
    EXPECT_EQ(trace().lanes().size(), 4u) << "what was shown stays";
}

TEST_F(ProfileTest, ATraceOfAnotherProgramSaysSoAndItsCallsLieBelowEachOther)
{
    ASSERT_TRUE(open(std::filesystem::path(sourceDir()) / "tests/fixtures/traces/pytorch.json.gz")) << message().toStdString();
    settle();
    EXPECT_EQ(message(),
              "pytorch.json.gz: recorded by another program: 161 events in 3 rows. not shown: 2 instants, 80 flow arrows.");
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);
    EXPECT_EQ(trace().lanes().size(), 5u) << "calls in calls in calls, the stream, the profiler's own";
    EXPECT_EQ(trace().lanes()[0].entries().size(), 40u);
    EXPECT_EQ(trace().lanes()[1].name(), "inside");
    EXPECT_EQ(rows(), 5) << "grouped by event: there are no ops";
}

TEST_F(ProfileTest, WrongFilesAreToldWhatTheyAre)
{
    struct Wrong {
        std::string file;
        QString says;
    };
    for (const Wrong &wrong : {
             Wrong{write("config.json", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama"})"),
                   "\"num_hidden_layers\" is missing"},
             Wrong{write("notes.txt", "not a map at all"), "this is plain text, not a map"},
             Wrong{write("binary", std::string("\x01\x02\xff\0", 4)), "this is binary data, not a map"},
             Wrong{write("empty.json", ""), "this is an empty file, not a map"},
             Wrong{write("empty-trace.json", R"({"traceEvents": []})"), "a trace without any event that lasts"},
             Wrong{write("x.gz", "\x1f\x8b\x08"), "this is gzip-compressed data"},
             Wrong{write("model.gguf", "GGUF\x03"), "the file is truncated or damaged"},
         }) {
        EXPECT_FALSE(open(wrong.file));
        EXPECT_TRUE(message().contains(wrong.says)) << message().toStdString();
        EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
    }
}

TEST_F(ProfileTest, KeysAndWheelZoomAndPan)
{
    openSample();
    EXPECT_TRUE(timeline().window().isWhole());
    press(Qt::Key_W);
    press(Qt::Key_W);
    EXPECT_FALSE(timeline().window().isWhole());
    const double span = timeline().window().spanNs(), begin = timeline().window().beginNs();
    press(Qt::Key_D);
    EXPECT_GT(timeline().window().beginNs(), begin);
    press(Qt::Key_A);
    EXPECT_NEAR(timeline().window().beginNs(), begin, span * 1e-9);
    const QPointF at(timeline().viewport()->width() / 2.0, 40);
    const auto wheel = [&](int turn, Qt::KeyboardModifiers keys) {
        QWheelEvent event(at, timeline().viewport()->mapToGlobal(at), {}, {0, turn}, Qt::NoButton, keys, Qt::NoScrollPhase,
                          false);
        QCoreApplication::sendEvent(timeline().viewport(), &event);
    };
    wheel(120, Qt::ControlModifier);
    EXPECT_LT(timeline().window().spanNs(), span * 0.8);
    const double before = timeline().window().beginNs();
    wheel(-120, Qt::ShiftModifier);
    EXPECT_GT(timeline().window().beginNs(), before);
    press(Qt::Key_F);
    EXPECT_TRUE(timeline().window().isWhole());
}

TEST_F(ProfileTest, ADragSelectsAStretchOfTimeWithItsTotals)
{
    openSample();
    const auto count = [this] { return m_window->profile().opTable().model()->index(0, 1).data().toInt(); };
    const int all = count();
    QWidget *view = timeline().viewport();
    const int left = timeline().itemRect({0, 1}).left(), right = timeline().itemRect({0, 1}).right();
    QTest::mousePress(view, Qt::LeftButton, {}, {left, 40});
    for (int step = 1; step <= 6; ++step)
        QTest::mouseMove(view, {left + (right - left) * step / 6, 40});
    QTest::mouseRelease(view, Qt::LeftButton, {}, {right, 40});
    settle();
    ASSERT_TRUE(timeline().area());
    EXPECT_LT(count(), all);
    auto *area = m_window->findChild<QLabel *>("traceArea");
    EXPECT_TRUE(area->text().contains("Selected")) << area->text().toStdString();
    press(Qt::Key_F);
    EXPECT_NEAR(timeline().window().spanNs(), static_cast<double>(timeline().area()->endNs - timeline().area()->beginNs) * 1.04,
                timeline().window().spanNs() * 0.05)
        << "F shows what is selected";
    press(Qt::Key_Escape);
    EXPECT_FALSE(timeline().area());
    EXPECT_EQ(count(), all);
}

TEST_F(ProfileTest, ALayerIsSelectedInTimelineTableAndMapAlike)
{
    openSample();
    press(Qt::Key_W);
    press(Qt::Key_F);
    const QRect layer = timeline().itemRect({1, 5});
    QTest::mouseClick(timeline().viewport(), Qt::LeftButton, {}, layer.center());
    settle();
    EXPECT_EQ(m_window->studio().selection().layers(), std::vector<int>{trace().layerOf(timeline().current())});
    EXPECT_EQ(m_window->headMap().selectedLayers(), m_window->studio().selection().layers());
    EXPECT_TRUE(trace().hasEmphasis());
    choose("groupBy", 1);
    OpTableView &table = m_window->profile().opTable();
    EXPECT_EQ(table.selectionModel()->selectedRows().size(), 1) << "the row of the layer, also after regrouping";
    table.selectionModel()->select(table.model()->index(2, 0), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    const int chosen = table.model()->index(2, 0).data(OpTableModel::LayerRole).toInt();
    EXPECT_EQ(m_window->studio().selection().layers(), chosen < 0 ? std::vector<int>{} : std::vector<int>{chosen});
    m_window->studio().selection().set({1});
    EXPECT_EQ(table.selectionModel()->selectedRows().first().data(OpTableModel::LayerRole).toInt(), 1);

    // A trace of a model with more layers than the map: what the map does not have, it does not take back.
    m_window->studio().selection().set({30});
    EXPECT_EQ(m_window->studio().selection().layers(), std::vector<int>{30});
}

TEST_F(ProfileTest, AKernelIsLinkedToItsOpAndLayerAndCountedInAreaAndSearch)
{
    openSample();
    const int lane = static_cast<int>(trace().lanes().size()) - 1;
    ASSERT_EQ(trace().lanes()[static_cast<std::size_t>(lane)].item(), TraceItem::Kernel);
    ASSERT_EQ(trace().lanes()[static_cast<std::size_t>(lane)].name(), "GPU stream 7");
    // The fourth kernel of the sixth layer is that of its attention.
    const TraceModel::Item kernel{lane, 5 * 9 + 3};
    timeline().setCurrent(kernel);
    press(Qt::Key_F);
    QTest::mouseClick(timeline().viewport(), Qt::LeftButton, {}, timeline().itemRect(kernel).center());
    settle();
    ASSERT_EQ(timeline().current(), kernel);
    EXPECT_EQ(m_window->headMap().selectedLayers(), std::vector<int>{5});
    OpTableView &table = m_window->profile().opTable();
    const auto selectedRow = [&] {
        const QModelIndexList rows = table.selectionModel()->selectedRows();
        return rows.size() == 1 ? rows.first().data().toString() : QString::number(rows.size()) + " rows";
    };
    EXPECT_EQ(selectedRow(), "attention");
    choose("groupBy", 3);
    EXPECT_EQ(selectedRow(), "attention · layer 5");
    choose("groupBy", 4);
    EXPECT_EQ(selectedRow(), "attention · retrieval");
    choose("groupBy", 1);
    EXPECT_EQ(selectedRow(), "layer 5");

    // An op chosen in the table stands out in the timeline, kernels and spans alike.
    choose("groupBy", 0);
    for (int row = 0; row < table.model()->rowCount(); ++row)
        if (table.model()->index(row, 0).data().toString() == "qkv")
            table.selectionModel()->select(table.model()->index(row, 0),
                                           QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    const auto stressed = [&](int of) {
        const TraceLane &found = trace().lanes()[static_cast<std::size_t>(of)];
        return found.hasEmphasis() ? found.emphasised(0, static_cast<std::int32_t>(found.entries().size())) : -1;
    };
    const int passes = static_cast<int>(trace().lanes()[0].entries().size());
    EXPECT_EQ(stressed(lane), 8 * passes);
    EXPECT_EQ(stressed(2), 8 * passes);
    m_window->studio().selection().set({2});
    EXPECT_EQ(stressed(lane), 9 * passes) << "another view chose: the layer with all its ops";

    // Words of its op and layer find a kernel, and so do words of its name.
    auto *search = m_window->findChild<QLineEdit *>("traceSearch");
    search->setText("attention layer 3");
    EXPECT_EQ(stressed(lane), passes);
    search->setText("matmul");
    EXPECT_EQ(stressed(lane), 8 * 8 * passes);
    EXPECT_EQ(stressed(2), 0);
    search->clear();

    choose("groupBy", m_window->findChild<QComboBox *>("groupBy")->findText("kernel"));
    ASSERT_EQ(rows(), 2);
    EXPECT_EQ(table.model()->headerData(0, Qt::Horizontal).toString(), "Kernel");
    const int all = table.model()->index(0, OpTableModel::Count).data().toInt();
    const TraceLane::Entry &pass = trace().entry({0, 1});
    timeline().setArea(TimeRange{pass.beginNs, pass.endNs});
    settle();
    EXPECT_EQ(table.model()->index(0, OpTableModel::Count).data().toInt(), all / passes);
    const QString area = m_window->findChild<QLabel *>("traceArea")->text();
    EXPECT_TRUE(area.contains("73 spans")) << area.toStdString();
    EXPECT_TRUE(area.contains("72 kernels")) << area.toStdString();
}

TEST_F(ProfileTest, ArrowsGoFromItemToItemAndSearchFindsThem)
{
    openSample();
    press(Qt::Key_Right);
    ASSERT_TRUE(timeline().current().isValid());
    EXPECT_FALSE(timeline().accessibleDescription().isEmpty());
    press(Qt::Key_Down);
    press(Qt::Key_Down);
    const TraceModel::Item first = timeline().current();
    EXPECT_EQ(first.lane, 2);
    press(Qt::Key_Right);
    EXPECT_EQ(timeline().current().entry, first.entry + 1);

    auto *search = m_window->findChild<QLineEdit *>("traceSearch");
    search->setText("attention layer 3");
    settle();
    EXPECT_TRUE(m_window->findChild<QLabel *>("traceMatches")->text().contains("matches"));
    QTest::keyClick(search, Qt::Key_Return);
    EXPECT_EQ(trace().opOf(timeline().current()), Op::Attention);
    EXPECT_EQ(trace().layerOf(timeline().current()), 3);
    const std::int64_t at = trace().entry(timeline().current()).beginNs;
    m_window->findChild<QAction *>("nextMatch")->trigger();
    EXPECT_GE(trace().entry(timeline().current()).beginNs, at);
    m_window->findChild<QAction *>("previousMatch")->trigger();
    EXPECT_EQ(trace().entry(timeline().current()).beginNs, at);
    choose("laneOrder", 1);
    EXPECT_EQ(trace().lanes().size(), 12u);
    EXPECT_FALSE(timeline().current().isValid()) << "lanes have changed";
}

TEST_F(ProfileTest, RecordsATraceOfTheMapAndMeasuredBarsStandBesideIt)
{
    QAction *record = m_window->profile().recordAction();
    EXPECT_FALSE(record->isEnabled());
    TinyModel shape;
    shape.layers = 3;
    shape.maxContext = 256;
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", shape))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->plotted().hasTimes() && !m_window->runs().isBusy(); }, patience));
    settle();
    ASSERT_TRUE(record->isEnabled());
    record->trigger();
    ASSERT_TRUE(m_window->runs().isBusy());
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    settle();
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
    EXPECT_EQ(m_window->findChild<QComboBox *>("traceChoice")->count(), 2) << "a prefill and decode steps";
    ASSERT_TRUE(trace().trace());
    EXPECT_EQ(trace().trace()->info.phase, Phase::Decode) << "the phase that the tool bar stands at";
    EXPECT_EQ(trace().trace()->info.context, m_window->studio().context());
    const auto recorded = m_window->plotted().measurements().trace(map(), Phase::Decode, m_window->studio().context());
    EXPECT_EQ(recorded.get(), trace().trace());
    const auto *model = m_window->findChild<HeadMapModel *>();
    ASSERT_TRUE(model->cost(0) && model->cost(0)->measuredMs);
    ASSERT_TRUE(model->cost(0)->predictedMs);
    EXPECT_GT((*model->cost(0)->predictedMs)[0], 0) << "attention of the stack";

    // The run stands beside its prediction, op by op.
    auto &runs = *m_window->findChild<RunsPage *>();
    const auto &runList = m_window->studio().runList();
    ASSERT_EQ(runList.rowCount(), 2);
    for (int row = 0; row < 2; ++row) {
        runs.list().selectionModel()->select(runs.list().model()->index(row, 0),
                                             QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        settle();
        const auto &rows = runs.comparison().rows();
        ASSERT_GT(rows.size(), 5u);
        EXPECT_GT(rows.front().a, 0);
        EXPECT_GT(rows.front().b, 0);
        EXPECT_TRUE(runs.comparison().headerData(RunCompareModel::B, Qt::Horizontal).toString().contains("predicted"));
        EXPECT_TRUE(runs.comparison().index(0, RunCompareModel::B).data().toString().startsWith("~"));
        const auto attention
            = std::find_if(rows.begin(), rows.end(), [](const Difference &each) { return each.op == Op::Attention; });
        ASSERT_NE(attention, rows.end());
        EXPECT_FALSE(attention->onlyA || attention->onlyB);
    }
    m_window->document().toggleLayer(0);
    settle();
    EXPECT_FALSE(model->cost(0)->measuredMs) << "an edited map is a prediction again";
    m_window->document().undoStack().undo();
    settle();
    EXPECT_TRUE(model->cost(0)->measuredMs);
    ASSERT_TRUE(open(savedMap(fullMap(4, 2), "other.json")));
    settle();
    EXPECT_EQ(m_window->findChild<QComboBox *>("traceChoice")->count(), 0) << "another model";
    EXPECT_TRUE(trace().lanes().empty());
}

} // namespace zigzag::test
