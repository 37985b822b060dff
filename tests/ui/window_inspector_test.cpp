// SPDX-License-Identifier: GPL-3.0-or-later
// Why a layer does what it does: its score and the cut in the head map, the page about it, and what a head looks at.
#include "app/studio/pages/inspector_page.h"
#include "views/models/head_map_model.h"
#include "views/models/layer_ranking.h"
#include "views/models/layer_story.h"
#include "views/models/score_sources.h"
#include "views/widgets/attention_view.h"
#include "window_fixture.h"

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QTableView>

#include <algorithm>

namespace zigzag::test {

namespace {

constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

/// A score for each layer, the same for all of its heads.
std::shared_ptr<const HeadScores> scoresOf(const std::vector<float> &layers, int kvHeads, const char *method = "ablation")
{
    HeadScores scores;
    scores.model = shapeOf(static_cast<int>(layers.size()), kvHeads);
    scores.method = method;
    for (const float score : layers)
        scores.scores.insert(scores.scores.end(), static_cast<std::size_t>(kvHeads), score);
    return std::make_shared<const HeadScores>(std::move(scores));
}

const std::vector<float> unordered{0.2f, 0.9f, 0.1f, 0.8f, 0.4f, 0.3f};

HeadMap halfMap()
{
    HeadMap map = fullMap(6, 4);
    for (const int layer : {0, 2, 4})
        map.setLayer(layer, HeadKind::Streaming);
    return map;
}

class InspectorWindow : public WindowTest
{
protected:
    void SetUp() override
    {
        ASSERT_TRUE(open(savedMap(halfMap())));
        m_window->studio().takeScores(scoresOf(unordered, 4));
        settle();
    }
    void toggle(const char *action, bool on)
    {
        m_window->findChild<QAction *>(QLatin1String(action))->setChecked(on);
        settle();
    }
    QString text(const char *label) { return m_window->findChild<QLabel *>(QLatin1String(label))->text(); }
    QString entry(const char *table, int row, int column)
    {
        return m_window->findChild<QTableView *>(QLatin1String(table))->model()->index(row, column).data().toString();
    }
    int rowNamed(const char *table, const QString &name)
    {
        const QAbstractItemModel *model = m_window->findChild<QTableView *>(QLatin1String(table))->model();
        for (int row = 0; row < model->rowCount(); ++row)
            if (model->index(row, 0).data().toString().contains(name))
                return row;
        return -1;
    }
};

} // namespace

TEST(LayerRanking, TheCutLiesWhereTheMapsCountPutsIt)
{
    const auto scores = scoresOf(unordered, 4);
    const LayerRanking half = rankLayers(*scores, halfMap());
    EXPECT_EQ(half.order, (std::vector<int>{1, 3, 4, 5, 0, 2}));
    EXPECT_EQ(half.ranks, (std::vector<int>{5, 1, 6, 2, 3, 4}));
    EXPECT_EQ(half.retrieving, 3);
    ASSERT_TRUE(half.cut);
    EXPECT_NEAR(*half.cut, 0.35, 1e-6) << "between layer 4 and layer 5";
    EXPECT_TRUE(half.isAboveCut(4)) << "by its score, whatever the map does";
    EXPECT_FALSE(half.isAboveCut(5));
    EXPECT_FALSE(rankLayers(*scores, fullMap(6, 4)).cut);
    EXPECT_FALSE(rankLayers(*scores, fullMap(6, 4).withEvery(HeadKind::Streaming)).cut);
    HeadMap heads = fullMap(6, 4); // a map of single heads: ten of 24 stream
    for (int head = 0; head < 10; ++head)
        heads.set(head / 2, head % 2, HeadKind::Streaming);
    EXPECT_EQ(rankLayers(*scores, heads).retrieving, 4) << "14 heads are 3.5 layers";

    ModelShape local = shapeOf(6, 4);
    local.fileWindows = {0, 128, 0, 0, 0, 0};
    HeadMap map(local, HeadKind::Retrieval, 4, 60);
    map.setLayer(2, HeadKind::Streaming);
    const LayerRanking without = rankLayers(*scores, map);
    EXPECT_EQ(without.ranks[1], 0) << "no map decides it";
    EXPECT_EQ(without.order.back(), 1);
    EXPECT_EQ(without.ranked, 5);
    EXPECT_NEAR(without.cut.value(), 0.15, 1e-6);
    EXPECT_FLOAT_EQ(static_cast<float>(without.highest), 0.8f);
}

TEST(HeadMapGeometry, LayersStandInTheOrderThatIsGiven)
{
    HeadMapGeometry geometry(4, 2, {15, 10}, QSize(800, 600), {.scores = true});
    geometry.setOrder({2, 0, 3, 1});
    EXPECT_EQ(geometry.layerAt(0), 2);
    EXPECT_EQ(geometry.rowOf(1), 3);
    EXPECT_LT(geometry.row(2).top(), geometry.row(0).top());
    EXPECT_LT(geometry.row(3).top(), geometry.row(1).top());
    for (int layer = 0; layer < 4; ++layer) {
        EXPECT_EQ(geometry.hit(geometry.cell(layer, 1).center()).layer, layer);
        EXPECT_EQ(geometry.hit(geometry.score(layer).center()).layer, layer);
        EXPECT_EQ(geometry.nearestCell(geometry.cell(layer, 1).center()), QPoint(1, layer));
    }
    EXPECT_EQ(geometry.nearestCell(QPoint(1000, 10000)), QPoint(1, 1)) << "the lowest row";
    EXPECT_EQ(HeadMapGeometry(4, 2, {15, 10}, QSize(800, 600), {}).score(0).width(), 0);
    const HeadMapGeometry numbers(4, 64, {15, 10}, QSize(400, 600), {.numbers = true});
    EXPECT_GE(numbers.cellWidth(), 50) << "room for a letter and a score, however little room there is";
}

TEST_F(InspectorWindow, OrderedByScoreEveryGestureMeansTheLayerThatIsSeen)
{
    HeadMapView &view = m_window->headMap();
    toggle("orderByScore", true);
    EXPECT_EQ(view.geometryOfMap().order(), (std::vector<int>{1, 3, 4, 5, 0, 2}));
    EXPECT_LT(view.visibleLayer(1).top(), view.visibleLayer(0).top());
    const HeadMap before = map();
    click(5, 1);
    EXPECT_EQ(map().at(5, 1), HeadKind::Streaming);
    EXPECT_EQ(map().streamingHeads(), before.streamingHeads() + 1);
    m_window->actions().undo->trigger();
    // A drag from the highest score to the lowest of one column: every layer on the way, none beside it.
    drag(cell(1, 0), cell(2, 0));
    for (int layer = 0; layer < 6; ++layer) {
        EXPECT_EQ(map().at(layer, 0), HeadKind::Streaming) << layer;
        EXPECT_EQ(map().at(layer, 1), before.at(layer, 1)) << layer;
    }
    m_window->actions().undo->trigger();
    EXPECT_EQ(map(), before);
    // A range with Shift: the rows between, as they are seen.
    click(3, 0, Qt::ControlModifier);
    view.selectionModel()->clearSelection();
    view.selectionModel()->setCurrentIndex(view.selectionModel()->model()->index(3, 0), QItemSelectionModel::NoUpdate);
    click(5, 3, Qt::ShiftModifier);
    EXPECT_EQ(view.selectedLayers(), (std::vector<int>{3, 4, 5}));
    EXPECT_EQ(m_window->studio().selection().layers(), (std::vector<int>{3, 4, 5}));
    view.selectionModel()->clearSelection();
    view.selectionModel()->setCurrentIndex(view.selectionModel()->model()->index(1, 2), QItemSelectionModel::NoUpdate);
    key(Qt::Key_Down);
    EXPECT_EQ(view.selectionModel()->currentIndex().row(), 3) << "the row below is that of the next score";
    key(Qt::Key_PageDown);
    EXPECT_EQ(view.selectionModel()->currentIndex().row(), 2);
    key(Qt::Key_Space);
    EXPECT_EQ(map().at(2, 2), HeadKind::Retrieval);
    // Another source in front: another order.
    m_window->document().setScores(scoresOf({0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}, 4));
    settle();
    EXPECT_EQ(view.geometryOfMap().order().front(), 5);
    toggle("orderByScore", false);
    EXPECT_TRUE(view.geometryOfMap().order().empty());
}

TEST_F(InspectorWindow, ScoresHaveAColumnAndNumbersTheRoomThatTheyNeed)
{
    HeadMapView &view = m_window->headMap();
    EXPECT_GT(view.geometryOfMap().score(0).width(), 0);
    const auto headings = view.headings();
    EXPECT_TRUE(std::any_of(headings.begin(), headings.end(), [](const auto &each) { return each.title.contains("cut"); }));
    const QString tip = view.selectionModel()->model()->headerData(4, Qt::Vertical, Qt::ToolTipRole).toString();
    EXPECT_TRUE(tip.contains("rank 3 of 6")) << tip.toStdString();
    EXPECT_TRUE(tip.contains("lies at 0.350")) << tip.toStdString();
    const int em = view.fontMetrics().horizontalAdvance(QLatin1Char('R'));
    toggle("numbersInCells", true);
    EXPECT_GE(view.geometryOfMap().cellWidth(), 5 * em);
    m_window->document().setScores(nullptr);
    settle();
    EXPECT_EQ(view.geometryOfMap().score(0).width(), 0) << "without scores there is nothing to show";
}

TEST_F(WindowTest, WhatTheHeadMapShowsIsRemembered)
{
    const QString settings = QString::fromStdString((m_folder / "view.ini").string());
    const auto window = [&settings] {
        return std::make_unique<MainWindow>(MainWindow::Parts{std::make_unique<EngineWorker>(),
                                                              std::make_unique<PreparedPrompts>(),
                                                              std::make_unique<QSettings>(settings, QSettings::IniFormat)});
    };
    {
        auto first = window();
        EXPECT_FALSE(first->headMap().isOrderedByScore());
        first->findChild<QAction *>("orderByScore")->trigger();
        EXPECT_TRUE(first->headMap().isOrderedByScore());
        ASSERT_TRUE(first->close());
    }
    auto second = window();
    EXPECT_TRUE(second->headMap().isOrderedByScore());
    EXPECT_TRUE(second->findChild<QAction *>("orderByScore")->isChecked());
    EXPECT_FALSE(second->headMap().areNumbersShown());
}

TEST_F(InspectorWindow, ThePageTellsWhyALayerDoesWhatItDoes)
{
    m_window->showPage("inspector");
    m_window->studio().selection().set({4});
    settle();
    EXPECT_EQ(text("layerTitle"), "Layer 4 streams");
    const QString facts = text("layerFacts");
    EXPECT_TRUE(facts.contains("0.400, number 3 of 6")) << facts.toStdString();
    EXPECT_TRUE(facts.contains("0.050 above the cut")) << facts.toStdString();
    EXPECT_TRUE(facts.contains("By these scores alone it would retrieve.")) << facts.toStdString();
    EXPECT_TRUE(facts.contains("keep 4 sink and 60 recent tokens")) << facts.toStdString();
    // Another source, which does not agree.
    FoundScores other;
    other.name = "Gates";
    other.scores = scoresOf({0.9f, 0.8f, 0.7f, 0.6f, 0.1f, 0.5f}, 4, "gates");
    m_window->studio().scoreSources().add(other);
    m_window->refreshNow();
    const int gates = rowNamed("layerOpinions", "Gates");
    ASSERT_GE(gates, 0);
    EXPECT_EQ(entry("layerOpinions", gates, LayerOpinionsModel::Says), "streams");
    EXPECT_EQ(entry("layerOpinions", gates, LayerOpinionsModel::Rank), "6 of 6");
    EXPECT_EQ(entry("layerOpinions", gates, LayerOpinionsModel::Margin), QString::fromUtf8("−0.550"));
    EXPECT_EQ(entry("layerOpinions", 1 - gates, LayerOpinionsModel::Says), "retrieves");
    // KV either way: the plot's own figures.
    const PlottedMaps &plotted = m_window->plotted();
    const std::int64_t context = m_window->studio().context();
    HeadMap retrieving = map();
    retrieving.setLayer(4, HeadKind::Retrieval);
    const LayerStory story = tellLayer(4,
                                       {.map = map(),
                                        .scores = m_window->document().state().scores.get(),
                                        .sources = m_window->studio().scoreSources(),
                                        .plotted = plotted,
                                        .context = context});
    ASSERT_GE(story.rows.size(), 3u);
    EXPECT_EQ(story.rows[0].now, story.rows[0].streaming);
    EXPECT_EQ(story.rows[0].retrieving, plotted.layerKv(retrieving, 4, context));
    EXPECT_EQ(story.rows[1].retrieving, plotted.kv(retrieving, context));
    EXPECT_GT(*story.rows[1].retrieving, *story.rows[1].streaming);
    EXPECT_TRUE(entry("layerCosts", 0, LayerCostsModel::Retrieving).contains("(+"));
    const LayerStory strong = tellLayer(1,
                                        {.map = map(),
                                         .scores = m_window->document().state().scores.get(),
                                         .sources = m_window->studio().scoreSources(),
                                         .plotted = plotted,
                                         .context = context});
    EXPECT_EQ(strong.rows.back().streaming, 4.0) << "gates of 0.9 are demoted when it streams";
    EXPECT_EQ(strong.rows.back().retrieving, 0.0);
    // It follows an edit, a lock, and the keyboard where nothing is selected.
    m_window->document().toggleLayer(4);
    m_window->document().toggleLocks({4});
    settle();
    EXPECT_EQ(text("layerTitle"), "Layer 4 retrieves");
    EXPECT_TRUE(text("layerFacts").contains("locked"));
    m_window->studio().selection().clear();
    key(Qt::Key_Home);
    key(Qt::Key_Up);
    settle();
    EXPECT_EQ(text("layerTitle"),
              QStringLiteral("Layer %1 %2")
                  .arg(m_window->headMap().selectionModel()->currentIndex().row())
                  .arg(map().layerKind(m_window->headMap().selectionModel()->currentIndex().row()) == LayerKind::Streaming
                           ? QStringLiteral("streams")
                           : QStringLiteral("retrieves")));
    EXPECT_FALSE(m_window->findChild<QAction *>("showAttention")->isEnabled()) << "there is no model to ask";
    EXPECT_TRUE(text("attentionAsked").contains("open the model"));
    QAbstractItemModelTester costs(m_window->findChild<QTableView *>("layerCosts")->model());
    QAbstractItemModelTester opinions(m_window->findChild<QTableView *>("layerOpinions")->model());
    EXPECT_TRUE(
        saved("save_layer-costs", "costs.csv").startsWith("quantity,unit,cost now,cost if it streams,cost if it retrieves\n"));
}

TEST_F(WindowTest, AHeadsAttentionIsAPictureWithItsStrongestKeysAsText)
{
    const auto text = [this](const char *label) { return m_window->findChild<QLabel *>(QLatin1String(label))->text(); };
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", {.layers = 2, .maxContext = 512}))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([this] { return !m_window->runs().isBusy() && m_window->studio().canScore(); }, patience));
    m_window->showPage("inspector");
    m_window->studio().selection().set({1});
    m_window->findChild<QLineEdit *>("attentionText")->setText("a tree, a tree");
    m_window->findChild<QAction *>("showAttention")->trigger();
    auto &view = *m_window->findChild<AttentionView *>("attentionView");
    ASSERT_TRUE(QTest::qWaitFor([&] { return !view.isEmpty(); }, patience)) << message().toStdString();
    settle();
    ASSERT_TRUE(view.picture());
    const AttentionPicture &shown = *view.picture();
    EXPECT_EQ(shown.layer, 1);
    EXPECT_EQ(shown.tokens, std::ssize(view.pictures()->prompt.tokens));
    EXPECT_EQ(view.query(), shown.tokens - 1) << "the last token of a text";
    EXPECT_EQ(m_window->findChild<QComboBox *>("attentionHead")->count(), 2);
    const QString words = text("attentionWords");
    EXPECT_TRUE(words.startsWith(QStringLiteral("Query %1, at “e”").arg(shown.tokens - 1))) << words.toStdString();
    EXPECT_EQ(words.count(QLatin1Char('\n')), AttentionPicture::strongKeys);
    EXPECT_TRUE(words.contains(QStringLiteral(" at %1 (").arg(shown.strongestOf(shown.tokens - 1)[0].position)));
    QTest::keyClick(&view, Qt::Key_Home);
    EXPECT_EQ(view.query(), 0);
    EXPECT_EQ(text("attentionWords").count(QLatin1Char('\n')), 1) << "the first query sees itself";
    EXPECT_EQ(view.accessibleDescription(), view.described());
    const QByteArray csv = saved("save_attention", "attention.csv");
    EXPECT_TRUE(csv.startsWith("first query,last query,first key,last key,mean weight,largest weight\n0,0,0,0,1,1\n"))
        << csv.left(120).toStdString();
    EXPECT_EQ(csv.count('\n'), 1 + shown.tokens * (shown.tokens + 1) / 2);
    EXPECT_TRUE(saved("save_attention", "attention.png").startsWith("\x89PNG"));
    // Another model: its pictures are gone.
    ASSERT_TRUE(open(writeTinyModel(m_folder / "other", {.layers = 2, .seed = 2}))) << message().toStdString();
    settle();
    EXPECT_TRUE(view.isEmpty());
}

} // namespace zigzag::test
