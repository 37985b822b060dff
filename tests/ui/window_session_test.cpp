// SPDX-License-Identifier: GPL-3.0-or-later
// The session through the real window: what was worked out comes back, under a name and without one.
#include "app/studio/state/session_keeper.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/run_alike.h"
#include "profiler/session/session_parts.h"
#include "session_window.h"

#include <QElapsedTimer>

#include <iostream>

namespace zigzag::test {

namespace {

NeedleResult someGrid()
{
    NeedleResult grid;
    grid.grid = {{1024, 0, 5, 5}, {1024, 0.5, 5, 3}};
    grid.planned = 4;
    grid.accuracy = 0.8;
    return grid;
}

std::shared_ptr<const Trace> someTrace()
{
    auto trace = std::make_shared<Trace>();
    trace->info.model = "sample";
    trace->info.map = "this map";
    trace->info.phase = Phase::Decode;
    trace->info.context = 1024;
    trace->rows = {"host"};
    TraceSpan pass;
    pass.durationNs = 2'000'000;
    trace->spans = {pass};
    return trace;
}

} // namespace

TEST_F(SessionWindowTest, EverythingComesBackAfterACrash)
{
    start();
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    const auto scores = risingScores(4, 2);
    ASSERT_TRUE(writeHeadScores(*scores, m_folder / "scores.json"));
    ASSERT_TRUE(open(m_folder / "scores.json"));
    click(1, 1);
    m_window->document().toggleLocks({2});
    Studio &studio = m_window->studio();
    BenchRecord record;
    record.map = "this map";
    record.phase = Phase::Decode;
    record.context = studio.plotted().contexts().front();
    record.medianMs = 12.5;
    record.samplesMs = {12.25, 12.5, 13};
    studio.takeRecords({{"this map", map()}}, {record});
    studio.takeNeedles({"this map", map()}, someGrid());
    RunEntry traced = entryOf(someTrace(), "trace", QDateTime::currentDateTime());
    traced.map = map();
    studio.takeKeptTrace(traced);
    SweepPoint point{map().withEvery(HeadKind::Streaming), {}};
    point.quality.loss = {0.25, 0.125, 0.5, 0.0625, 9};
    point.quality.prompts = 9;
    studio.sweep() = {{point}, {}, {}, nullptr, map().model()};
    const HeadMap edited = map();
    m_prompts->files = {QStringLiteral("streams all")};
    m_window->findChild<QAction *>(QStringLiteral("newVariant"))->trigger();
    key(Qt::Key_A, Qt::ControlModifier);
    key(Qt::Key_S);
    m_window->document().setVariantNotes(1, QStringLiteral("too much"));
    const HeadMap second = map();
    ASSERT_NE(second, edited);
    studio.refreshSoon();
    ASSERT_TRUE(waitForSave([&](const SavedSession &saved) {
        return saved.all(PartKind::Variant).size() == 2 && saved.all(PartKind::Variant)[1]->notes == "too much"
            && *mapOf(*saved.all(PartKind::Variant)[1]) == second;
    }));

    crash();
    start();
    ASSERT_FALSE(m_window->lastSession().isEmpty());
    ASSERT_TRUE(m_window->open(m_window->lastSession())) << message().toStdString();
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
    Document &document = m_window->document();
    ASSERT_EQ(document.variants(), 2);
    EXPECT_EQ(document.variant(), 1);
    EXPECT_EQ(map(), second);
    EXPECT_EQ(document.variantAt(1).notes, QStringLiteral("too much"));
    document.showVariant(0);
    EXPECT_EQ(map(), edited);
    EXPECT_EQ(document.state().locked, (std::vector<bool>{false, false, true, false}));
    EXPECT_TRUE(document.isModified()) << "its file has another map";
    EXPECT_EQ(document.path(), m_folder / "map.json");
    ASSERT_TRUE(document.state().scores);
    EXPECT_EQ(document.state().scores->scores, scores->scores);
    EXPECT_GE(m_window->studio().scoreSources().rowOf(document.state().scores.get()), 0);

    Studio &again = m_window->studio();
    again.refreshNow();
    const BenchRecord *measured = again.plotted().measurements().find(edited, Phase::Decode, record.context);
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->samplesMs, record.samplesMs);
    const NeedleResult *needle = again.plotted().measurements().needle(edited);
    ASSERT_TRUE(needle);
    EXPECT_EQ(needle->grid.size(), 2u);
    EXPECT_EQ(needle->grid[1].found, 3);
    EXPECT_FALSE(needle->isComplete());
    ASSERT_EQ(again.sweep().points.size(), 1u);
    EXPECT_EQ(again.sweep().points[0].quality.loss.error, 0.0625);
    ASSERT_TRUE(
        QTest::qWaitFor([&] { return again.plotted().measurements().trace(edited, Phase::Decode, 1024) != nullptr; }, patience));
    EXPECT_EQ(again.plotted().measurements().trace(edited, Phase::Decode, 1024)->spans, someTrace()->spans);
    EXPECT_EQ(again.runList().rowCount(), 2) << "the measurement and the trace";
}

TEST_F(SessionWindowTest, IsSavedUnderANameAndGoesOnThere)
{
    start();
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    click(0, 0);
    ASSERT_TRUE(waitForSave([&](const SavedSession &saved) { return saved.model.layers == 4; }));
    const auto unnamed = m_window->keeper().path();
    m_prompts->files = {QString::fromStdString((m_folder / "mine").string())};
    m_window->findChild<QAction *>(QStringLiteral("saveSession"))->trigger();
    const auto path = m_folder / "mine.zigzag";
    ASSERT_TRUE(std::filesystem::exists(path)) << message().toStdString();
    EXPECT_FALSE(std::filesystem::exists(unnamed)) << "it has a name now";
    EXPECT_EQ(m_window->keeper().path(), path);
    click(1, 1);
    const HeadMap edited = map();
    ASSERT_TRUE(waitForSave([&](const SavedSession &saved) { return *mapOf(*saved.all(PartKind::Variant)[0]) == edited; }));

    // Another model takes the window: nothing is asked, and the session is left as it is.
    ASSERT_TRUE(open(savedMap(fullMap(2, 2), "other.json")));
    EXPECT_NE(m_window->keeper().path(), path);
    ASSERT_TRUE(open(path));
    EXPECT_EQ(map(), edited);
    EXPECT_TRUE(m_window->close()) << "what is kept needs no question";
}

TEST_F(SessionWindowTest, TwoWindowsDoNotWriteIntoOneFile)
{
    start();
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    click(0, 0);
    m_prompts->files = {QString::fromStdString((m_folder / "mine.zigzag").string())};
    m_window->findChild<QAction *>(QStringLiteral("saveSessionAs"))->trigger();
    const HeadMap edited = map();
    auto first = std::move(m_window);
    start();
    ASSERT_TRUE(open(m_folder / "mine.zigzag"));
    EXPECT_EQ(map(), edited);
    EXPECT_TRUE(message().contains(QStringLiteral("another window"))) << message().toStdString();
    EXPECT_NE(m_window->keeper().path(), m_folder / "mine.zigzag");
}

TEST_F(SessionWindowTest, ABrokenSessionIsOneMessageAndChangesNothing)
{
    start();
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    const HeadMap before = map();
    for (const char *text :
         {"{\"format\": \"zigzag-session\", \"version\": 1}\n", "{\"format\": \"zigzag-session\", \"version\": 9}\n",
          "{\"format\": \"zigzag-session\", \"version\": 1}\nmanifest 00 5\nabc"}) {
        m_window->messages().close();
        EXPECT_FALSE(m_window->open(QString::fromStdString(write("broken.zigzag", text)))) << text;
        EXPECT_FALSE(message().isEmpty()) << text;
        EXPECT_FALSE(message().contains('\n')) << message().toStdString();
        EXPECT_EQ(map(), before);
    }
}

TEST_F(SessionWindowTest, PartsOfAnotherShapeAreLeftOutAndKept)
{
    SavedSession session;
    session.model = shapeOf(4, 2);
    session.put(variantPart("good", fullMap(4, 2)));
    session.put(variantPart("of another model", fullMap(5, 3)));
    session.put(scoresPart("of another model", *risingScores(5, 3)));
    SweepRecord sweep;
    sweep.points = {{fullMap(5, 3), {}}};
    session.put(sweepPart("of another model", sweep));
    session.put(reportPart("a report", "text"));
    ASSERT_TRUE(writeSession(session, m_folder / "mixed.zigzag"));
    start();
    ASSERT_TRUE(open(m_folder / "mixed.zigzag"));
    EXPECT_TRUE(message().contains(QStringLiteral("another model"))) << message().toStdString();
    EXPECT_EQ(m_window->document().variants(), 1);
    EXPECT_TRUE(m_window->studio().sweep().points.empty());
    click(0, 0);
    ASSERT_TRUE(waitForSave([&](const SavedSession &saved) { return *mapOf(*saved.find(PartKind::Variant, "good")) == map(); }));
    const auto saved = readSession(m_folder / "mixed.zigzag");
    EXPECT_TRUE(saved->session.find(PartKind::Variant, "of another model")) << "kept as it was";
    EXPECT_TRUE(saved->session.find(PartKind::Scores, "of another model"));
    EXPECT_TRUE(saved->session.find(PartKind::Report, "a report"));
}

/// ZIGZAG_SESSION_MB=100 for one of that size.
TEST_F(SessionWindowTest, ALargeOneIsThereBeforeItsTracesAreRead)
{
    const int megabytes = std::max(8, qEnvironmentVariableIntValue("ZIGZAG_SESSION_MB"));
    constexpr int spansOfOne = 200'000; // 4 MB
    Trace trace = *someTrace();
    trace.spans.clear();
    for (int span = 0; span < spansOfOne; ++span) {
        TraceSpan next;
        next.beginNs = std::int64_t{1000} * span;
        next.durationNs = 700 + span % 251;
        trace.spans.push_back(next);
    }
    SavedSession session;
    session.model = shapeOf(4, 2);
    session.put(variantPart("map", fullMap(4, 2)));
    session.put(measuredMapPart(fullMap(4, 2)));
    SessionPart part = tracePart("trace", trace);
    part.details["map"] = session.parts.back().name;
    int traces = 0;
    for (std::size_t bytes = 0; bytes < static_cast<std::size_t>(megabytes) << 20; bytes += part.content->size()) {
        SessionPart each = part;
        each.name = "trace " + std::to_string(traces++);
        each.content = std::make_shared<const std::string>(*part.content + std::string(static_cast<std::size_t>(traces), ' '));
        session.put(std::move(each));
    }
    ASSERT_TRUE(writeSession(session, m_folder / "large.zigzag"));
    start();
    QElapsedTimer clock;
    clock.start();
    ASSERT_TRUE(open(m_folder / "large.zigzag")) << message().toStdString();
    const double openedMs = 1e-6 * static_cast<double>(clock.nsecsElapsed());
    std::cout << std::filesystem::file_size(m_folder / "large.zigzag") / 1'000'000 << " MB opened in " << openedMs << " ms\n";
    EXPECT_LT(openedMs, 10'000) << "1,000 for 100 MB on an idle machine";
    // A save in the middle has all of them, read or not.
    click(0, 0);
    ASSERT_TRUE(waitForSave([&](const SavedSession &saved) { return *mapOf(*saved.all(PartKind::Variant)[0]) == map(); }));
    EXPECT_EQ(readSession(m_folder / "large.zigzag")->session.all(PartKind::Trace).size(), static_cast<std::size_t>(traces));
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->studio().runList().rowCount() == traces; }, patience));
    m_window->studio().refreshSoon();
    ASSERT_TRUE(m_window->keeper().saveNow());
    EXPECT_EQ(readSession(m_folder / "large.zigzag")->session.all(PartKind::Trace).size(), static_cast<std::size_t>(traces));
}

TEST_F(SessionWindowTest, VariantsAreUndoneOnTheirOwn)
{
    start();
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    click(0, 0);
    const HeadMap first = map();
    m_prompts->files = {QStringLiteral("second")};
    m_window->findChild<QAction *>(QStringLiteral("newVariant"))->trigger();
    EXPECT_EQ(map(), first);
    EXPECT_FALSE(m_window->actions().undo->isEnabled()) << "its history begins here";
    click(1, 0);
    click(1, 1);
    m_window->findChild<QAction *>(QStringLiteral("nextVariant"))->trigger();
    EXPECT_EQ(map(), first);
    m_window->actions().undo->trigger();
    EXPECT_EQ(map().streamingHeads(), 0);
    m_window->findChild<QAction *>(QStringLiteral("nextVariant"))->trigger();
    EXPECT_EQ(map().streamingHeads(), 3);
    m_window->actions().undo->trigger();
    EXPECT_EQ(map().streamingHeads(), 2);
    // The other one is there to be compared with.
    auto *against = m_window->findChild<QComboBox *>(QStringLiteral("against"));
    settle();
    ASSERT_GE(against->findData(m_window->document().variantName(0)), 0);
    m_window->findChild<QAction *>(QStringLiteral("removeVariant"))->trigger();
    EXPECT_EQ(m_window->document().variants(), 1);
    EXPECT_EQ(map().streamingHeads(), 0);
    settle();
    EXPECT_LT(against->findData(m_window->document().variantName(0)), 0);
}

} // namespace zigzag::test
