// SPDX-License-Identifier: GPL-3.0-or-later
// Finding layers, the sweep of quality, and what they show.
#include "views/models/head_map_model.h"
#include "views/models/needle_model.h"
#include "views/models/score_sources.h"
#include "views/widgets/pareto_plot.h"
#include "window_fixture.h"

#include <QComboBox>
#include <QPushButton>
#include <QSemaphore>
#include <QSignalSpy>
#include <QTreeView>

#include <algorithm>

namespace zigzag::test {

namespace {

constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

template <class T> T &child(QWidget &window, const char *name)
{
    T *found = window.findChild<T *>(QString::fromLatin1(name));
    if (!found)
        throw std::runtime_error(std::string("there is no ") + name);
    return *found;
}

class SearchWindow : public WindowTest
{
protected:
    void SetUp() override
    {
        qputenv("XDG_DATA_HOME", QByteArray::fromStdString((m_folder / "data").string())); // unfinished searches wait there
        ASSERT_TRUE(open(writeTinyModel(m_folder / "model", {.layers = 3, .maxContext = 512}))) << message().toStdString();
        ASSERT_TRUE(idle());
    }
    bool idle()
    {
        const bool done
            = QTest::qWaitFor([&] { return m_window->document().state().scores && !m_window->runs().isBusy(); }, patience);
        m_window->refreshNow();
        return done;
    }
    void trigger(const char *action)
    {
        child<QAction>(action).trigger();
        ASSERT_TRUE(idle()) << message().toStdString();
    }
    template <class T> T &child(const char *name) { return test::child<T>(*m_window, name); }
    ScoreSources &scoreSources() { return m_window->studio().scoreSources(); }
};

} // namespace

TEST_F(SearchWindow, ASearchBecomesASourceAndItsBarsStandInLineWithTheLayers)
{
    ASSERT_EQ(scoreSources().rowCount(), 1) << "the attention scores that came with the model";
    const auto attention = m_window->document().state().scores;
    QSignalSpy said(&m_window->studio(), &Studio::said);
    trigger("searchLayers");
    ASSERT_EQ(scoreSources().rowCount(), 2);
    const FoundScores &found = scoreSources().at(1);
    EXPECT_EQ(found.effects.size(), 3u);
    EXPECT_EQ(found.done, found.all);
    EXPECT_EQ(m_window->document().state().scores, found.scores) << "what was asked for is what the map shows";
    EXPECT_EQ(m_window->document().state().scores->method, "ablation");
    ASSERT_EQ(said.size(), 1);
    EXPECT_TRUE(said.front()[1].toString().contains("about")) << "the estimate was said";
    EXPECT_TRUE(message().isEmpty()) << "and went with the run: " << message().toStdString();

    const auto *model = m_window->findChild<HeadMapModel *>();
    ASSERT_TRUE(model);
    ASSERT_TRUE(model->hasAblation());
    double largest = 0;
    for (int layer = 0; layer < 3; ++layer) {
        EXPECT_DOUBLE_EQ(model->cost(layer)->loss, found.effects[static_cast<std::size_t>(layer)].loss);
        largest = std::max(largest, model->cost(layer)->loss);
        EXPECT_TRUE(model->headerData(layer, Qt::Vertical, Qt::ToolTipRole).toString().contains("alone streams"));
    }
    const LayerCost &cost = *model->cost(0);
    EXPECT_DOUBLE_EQ(cost.largestLoss, largest);
    EXPECT_EQ(cost.lossShare(largest), 1);
    EXPECT_EQ(cost.lossShare(0), 0);
    EXPECT_GT(cost.lossShare(cost.leastLoss), 0.05) << "the least one has a bar too";
    LayerCost decades;
    decades.leastLoss = 0.001;
    decades.largestLoss = 1;
    EXPECT_DOUBLE_EQ(decades.lossShare(0.01), (1 + 1.0 / 3) / (3 + 1.0 / 3));

    // The other source again, by a click on its row; an undo takes the choice back.
    auto &sources = child<QTreeView>("scoreSources");
    EXPECT_EQ(sources.currentIndex().row(), 1);
    m_window->showPage("find");
    settle();
    QTest::mouseClick(sources.viewport(), Qt::LeftButton, {}, sources.visualRect(scoreSources().index(0, 0)).center());
    m_window->refreshNow();
    EXPECT_EQ(m_window->document().state().scores, attention);
    m_window->document().undoStack().undo();
    EXPECT_EQ(m_window->document().state().scores, found.scores);

    // Measured for one window: another one has no bars.
    m_window->document().setWindow(map().oneWindow()->sink, map().oneWindow()->recent + 1);
    m_window->refreshNow();
    EXPECT_FALSE(model->hasAblation());
}

TEST_F(SearchWindow, ASearchWhosePageIsOpenedMeanwhileStillAssigns)
{
    ASSERT_TRUE(m_window->document().isUntouched());
    child<QAction>("searchLayers").trigger();
    m_window->showPage("find");
    settle();
    QFocusEvent focus(QEvent::FocusIn, Qt::TabFocusReason);
    QCoreApplication::sendEvent(&child<QTreeView>("scoreSources"), &focus);
    ASSERT_TRUE(idle()) << message().toStdString();
    EXPECT_EQ(m_window->document().undoStack().count(), 0) << "looking is no edit";
    EXPECT_EQ(m_window->document().state().scores->method, "ablation");
    EXPECT_DOUBLE_EQ(m_window->document().state().sparsity, 0.5);
    EXPECT_GT(map().streamingHeads(), 0) << "the panel says one half, and so does the map";
}

TEST_F(SearchWindow, AStoppedSearchKeepsWhatItHasAndGoesOn)
{
    // In its second half the search takes a step when it is allowed to, so that no machine is too fast to stop it.
    QSemaphore steps;
    std::atomic<bool> halfWay = false;
    const auto held = QObject::connect(
        m_worker, &RunWorker::progressed, m_worker,
        [&](int, double fraction, const QString &) {
            if (fraction <= 0.5)
                return;
            halfWay = true;
            steps.acquire();
        },
        Qt::DirectConnection);
    child<QComboBox>("searchMethod").setCurrentIndex(2); // gates, one per layer
    child<QPushButton>("startSearch").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return halfWay.load(); }, patience));
    QTest::qWait(1100); // it shows what it has once a second
    steps.release();
    ASSERT_TRUE(QTest::qWaitFor([&] { return scoreSources().rowCount() == 2; }, patience));
    ASSERT_TRUE(m_window->runs().isBusy());
    m_window->runs().cancel();
    EXPECT_FALSE(m_window->runs().isBusy());
    QObject::disconnect(held);
    steps.release(1000);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isStopping(); }, patience));
    m_window->refreshNow();
    ASSERT_EQ(scoreSources().rowCount(), 2);
    EXPECT_GT(scoreSources().at(1).done, 0);
    EXPECT_LT(scoreSources().at(1).done, scoreSources().at(1).all);

    m_prompts->unfinished = {UserPrompts::Unfinished::Cancel, UserPrompts::Unfinished::GoOn};
    child<QPushButton>("startSearch").click();
    EXPECT_FALSE(m_window->runs().isBusy()) << "asked, and nothing begins";
    QSignalSpy said(&m_window->studio(), &Studio::said);
    child<QPushButton>("startSearch").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !said.isEmpty(); }, patience));
    EXPECT_TRUE(said.front()[1].toString().contains("going on from")) << said.front()[1].toString().toStdString();
    ASSERT_TRUE(idle());
    EXPECT_EQ(scoreSources().at(1).done, scoreSources().at(1).all);
    EXPECT_EQ(scoreSources().at(1).scores->method, "gates-layer");
}

TEST_F(SearchWindow, GoingOnFromAnotherSearchIsRefusedAndThrowsNothingAway)
{
    child<QComboBox>("searchMethod").setCurrentIndex(2); // gates, one per layer: some seconds
    child<QPushButton>("startSearch").click();
    const auto waiting = [&]() -> std::filesystem::path {
        for (const auto &entry : std::filesystem::recursive_directory_iterator(m_folder / "data"))
            if (entry.path().extension() == ".progress")
                return entry.path();
        return {};
    };
    std::filesystem::create_directories(m_folder / "data");
    ASSERT_TRUE(QTest::qWaitFor([&] { return !waiting().empty(); }, patience)) << "saved after a second";
    m_window->runs().cancel();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isStopping(); }, patience)) << "the worker saves as it leaves";
    const std::filesystem::path file = waiting();
    ASSERT_FALSE(file.empty()) << "stopped: what it has waits";
    std::string other = readText(file);
    const std::size_t seed = other.find("\"seed\":3");
    ASSERT_NE(seed, std::string::npos);
    other[seed + 7] = '4'; // as of a version that asked other questions
    writeText(file, other);

    m_prompts->unfinished = {UserPrompts::Unfinished::GoOn};
    child<QPushButton>("startSearch").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    EXPECT_TRUE(message().contains("another search")) << message().toStdString();
    EXPECT_EQ(readText(file), other);
}

TEST_F(SearchWindow, AStoppedSweepKeepsItsPoints)
{
    auto &plot = child<ParetoPlot>("paretoPlot");
    child<QAction>("sweepQuality").trigger();
    const auto shown = [&] {
        m_window->refreshNow();
        return !plot.points().empty();
    };
    ASSERT_TRUE(QTest::qWaitFor(shown, patience)) << "points come after every prompt";
    m_window->runs().cancel();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    m_window->refreshNow();
    EXPECT_GT(plot.points().size(), 4u);
}

TEST_F(SearchWindow, APointOfTheSweepAppliesItsMap)
{
    auto &plot = child<ParetoPlot>("paretoPlot");
    EXPECT_TRUE(plot.points().empty());
    trigger("sweepQuality");
    ASSERT_GT(plot.points().size(), 4u);
    m_window->showPage("quality");
    settle();
    const auto &points = plot.points();
    const auto full = std::find_if(points.begin(), points.end(), [](const ParetoPoint &point) { return point.loss == 0; });
    ASSERT_NE(full, points.end());
    EXPECT_TRUE(full->inSet) << "nothing loses less";
    for (const ParetoPoint &a : points)
        for (const ParetoPoint &b : points)
            EXPECT_FALSE(a.inSet && b.cost < a.cost && b.loss < a.loss);

    const HeadMap before = map();
    const QPointF at = plot.pixelOf(static_cast<int>(full - points.begin()));
    QTest::mouseClick(&plot, Qt::LeftButton, {}, at.toPoint());
    settle();
    EXPECT_EQ(map().streamingHeads(), 0);
    m_window->refreshNow();
    EXPECT_TRUE(std::any_of(plot.points().begin(), plot.points().end(),
                            [](const ParetoPoint &point) { return point.isCurrent && point.loss == 0; }));
    m_window->document().undoStack().undo();
    EXPECT_EQ(map(), before);

    // The keyboard does the same.
    QSignalSpy chosen(&plot, &ParetoPlot::pointChosen);
    QTest::keyClick(&plot, Qt::Key_Return);
    EXPECT_EQ(chosen.size(), 0) << "nothing is marked yet";
    QTest::keyClick(&plot, Qt::Key_Right);
    QTest::keyClick(&plot, Qt::Key_Return);
    ASSERT_EQ(chosen.size(), 1);
}

TEST(FindingModels, ADifferenceIsOfTheCellsThatBothHave)
{
    NeedleResult mine, full;
    mine.grid = {{256, 0.0, 4, 1}, {256, 1.0, 4, 4}, {512, 0.0, 4, 0}};
    full.grid = {{256, 0.0, 4, 4}, {256, 1.0, 4, 4}};
    NeedleModel model;
    model.showDifference(&mine, &full);
    ASSERT_EQ(model.columnCount(), 1);
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_DOUBLE_EQ(model.index(0, 0).data(NeedleModel::AccuracyRole).toDouble(), -0.75);
    EXPECT_EQ(model.index(0, 0).data().toString(), QStringLiteral("−75 %"));
    EXPECT_EQ(model.index(1, 0).data().toString(), QStringLiteral("±0 %"));
    EXPECT_DOUBLE_EQ(model.accuracy(), -0.375);
    model.showDifference(&mine, nullptr);
    EXPECT_TRUE(model.isEmpty());
    model.show(&mine);
    EXPECT_FALSE(model.isDifference());
}

TEST(FindingModels, SourcesAreReplacedByNameAndWindow)
{
    ScoreSources scoreSources;
    FoundScores found;
    found.name = QStringLiteral("Ablation of layers");
    found.scores = risingScores(2, 2);
    found.isSearch = true;
    found.effects.resize(2);
    EXPECT_EQ(scoreSources.add(found), 0);
    found.window.recent += 1;
    EXPECT_EQ(scoreSources.add(found), 1);
    found.done = 3;
    found.all = 5;
    found.scores = risingScores(2, 2);
    EXPECT_EQ(scoreSources.add(found), 1);
    EXPECT_EQ(scoreSources.rowCount(), 2);
    EXPECT_EQ(scoreSources.rowOf(found.scores.get()), 1);
    EXPECT_EQ(scoreSources.rowOf(nullptr), -1);
    EXPECT_EQ(scoreSources.ablation(found.window), &scoreSources.at(1));
    EXPECT_EQ(scoreSources.ablation({1, 1}), nullptr);
    EXPECT_TRUE(scoreSources.index(1, ScoreSources::Source).data().toString().contains("3 of 5"));
    HeadScores none = *risingScores(2, 2);
    none.unanswered = true;
    found.scores = std::make_shared<const HeadScores>(none);
    EXPECT_EQ(scoreSources.add(found), 1);
    EXPECT_TRUE(scoreSources.index(1, ScoreSources::Source).data().toString().contains("no prompt answered"));
    EXPECT_TRUE(
        scoreSources.index(1, ScoreSources::Source).data(Qt::ToolTipRole).toString().contains("say nothing of its heads"));
}

} // namespace zigzag::test
