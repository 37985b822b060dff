// SPDX-License-Identifier: GPL-3.0-or-later
// From a model's folder to the recommended map, by three clicks; what is planned, found, kept and refused.
#include "app/studio/state/session_restore.h"
#include "app/studio/state/session_snapshot.h"
#include "engine/base/files.h"
#include "engine/map/run_alike.h"
#include "engine/model/resources.h"
#include "held_window.h"
#include "profiler/jobs/recommend_search.h"
#include "views/models/recommend_text.h"
#include "views/models/score_sources.h"
#include "views/widgets/pareto_plot.h"
#include "views/widgets/recommend_dialog.h"
#include "window_fixture.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTreeWidget>

namespace zigzag::test {

namespace {

constexpr int patience = 240000; // ms; a loaded machine, a sanitizer
constexpr const char *tiny = "bundled:zigzag-tiny";

class RecommendWindow : public WindowTest
{
protected:
    RecommendWindow() { qputenv("XDG_DATA_HOME", QByteArray::fromStdString((m_folder / "data").string())); }
    ~RecommendWindow() override { qunsetenv("XDG_DATA_HOME"); }

    template <class T> T &child(const char *name)
    {
        T *found = m_window->findChild<T *>(QString::fromLatin1(name));
        if (!found)
            throw std::runtime_error(std::string("there is no ") + name);
        return *found;
    }
    void press(const char *button)
    {
        QTest::mouseClick(&child<QPushButton>(button), Qt::LeftButton);
        settle();
    }
    QString plan() { return child<QLabel>("recommendPlan").text(); }
    QString whyNot() { return child<QLabel>("recommendWhyNot").text(); }

    /// In the folder, in the place of a plan: the least of everything, whatever the machine's pace.
    void planLittle(const std::filesystem::path &folder)
    {
        auto loaded = loadModel(tiny);
        ASSERT_TRUE(loaded) << loaded.error().message;
        const auto device = uploadModel(*loaded, *createBackend("auto"));
        ASSERT_TRUE(device) << device.error().message;
        KnownMachine machine;
        const JobContext context{*device, &machine, nullptr, {}};
        jobs::RecommendRequest request;
        request.context = child<QSpinBox>("recommendContext").value();
        request.kept = 0.6;
        request.seconds = 60;
        request.progressFolder = folder;
        jobs::RecommendPlan plan;
        plan.promptTokens = 256;
        plan.windows = {{4, 32}};
        plan.greedy = true;
        plan.scorePrompts = plan.sweepPrompts = 4;
        plan.counts = 4;
        plan.judgePrompts = 20;
        plan.judgedMaps = 2;
        std::filesystem::create_directories(folder);
        const jobs::RecommendRun run{context, request, {jobs::ServingWay{}}, jobs::RecommendState(plan, 1)};
        ASSERT_TRUE(run.save());
    }
    bool isIdle()
    {
        const bool done = QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience);
        m_window->refreshNow();
        return done;
    }
};

} // namespace

TEST_F(RecommendWindow, ThreeClicksLeadFromAFolderToTheMap)
{
    const auto model = modelFolder(tiny);
    ASSERT_TRUE(model) << model.error().message;
    m_prompts->files = {QString::fromStdString(model->string())}; // the second click, in the system's dialog
    press("startRecommend"); // the first
    ASSERT_TRUE(m_window->findChild<RecommendDialog *>()) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return plan().contains("timed here"); }, patience)) << plan().toStdString();
    const QString usual = plan();
    EXPECT_TRUE(usual.contains("1. Order the layers")) << usual.toStdString();
    EXPECT_TRUE(whyNot().isEmpty()) << whyNot().toStdString();

    // The plan follows what is asked.
    child<QSpinBox>("recommendMinutes").setValue(30);
    EXPECT_NE(plan(), usual);
    child<QSpinBox>("recommendMinutes").setValue(1);
    EXPECT_EQ(plan(), usual);
    auto &engine = child<QComboBox>("recommendEngine");
    engine.setCurrentIndex(engine.findData("llama.cpp"));
    EXPECT_TRUE(whyNot().contains("llama.cpp cannot run maps of this model")) << whyNot().toStdString();
    EXPECT_FALSE(child<QPushButton>("startRecommending").isEnabled());
    engine.setCurrentIndex(engine.findData("vllm"));
    EXPECT_TRUE(plan().contains("granite-swa")) << plan().toStdString();
    engine.setCurrentIndex(engine.findData("ours"));

    child<QSpinBox>("recommendQuality").setValue(60);
    const std::filesystem::path out = m_folder / "found";
    child<QLineEdit>("recommendFolder").setText(QString::fromStdString(out.string()));
    planLittle(out);
    press("startRecommending"); // the third
    EXPECT_TRUE(m_window->studio().jobs().find(m_window->runs().currentId()) || m_window->runs().isBusy());
    ASSERT_TRUE(isIdle()) << message().toStdString();

    const auto record = m_window->studio().recommendation();
    ASSERT_TRUE(record) << message().toStdString();
    ASSERT_TRUE(record->map()) << headlineOf(*record).toStdString();
    EXPECT_EQ(child<QLabel>("recommendHeadline").text(), headlineOf(*record));
    EXPECT_EQ(child<QTreeWidget>("recommendTried").topLevelItemCount(), static_cast<int>(record->tried.size()));
    EXPECT_EQ(child<ParetoPlot>("recommendPlot").points().size(), record->tried.size());
    // The map is a variant of its own, in front, with the scores that it is from.
    Document &document = m_window->document();
    EXPECT_EQ(document.variants(), 2);
    EXPECT_EQ(document.variantName(document.variant()), "recommended for ours");
    EXPECT_TRUE(runAlike(map(), record->map()->map));
    ASSERT_TRUE(document.state().scores);
    EXPECT_GE(m_window->studio().scoreSources().rowOf(document.state().scores.get()), 0);
    EXPECT_FALSE(document.isModified()) << "it is in its file";
    for (const char *name : {"map.json", "scores.json", "page.md", "recommend.json"})
        EXPECT_TRUE(std::filesystem::exists(out / name)) << name;

    press("copyRecommendCommand");
    EXPECT_EQ(QGuiApplication::clipboard()->text(), QString::fromStdString(record->serve));
    EXPECT_TRUE(QGuiApplication::clipboard()->text().startsWith("zigzag serve")) << record->serve;
    // Another of the maps that were tried is opened from its row, and the recommended one comes back.
    auto &table = child<QTreeWidget>("recommendTried");
    QTreeWidgetItem *last = table.topLevelItem(table.topLevelItemCount() - 1);
    Q_EMIT table.itemActivated(last, 0);
    EXPECT_EQ(document.variants(), 3);
    EXPECT_FALSE(runAlike(map(), record->map()->map));
    press("openRecommended");
    EXPECT_EQ(document.variants(), 3);
    EXPECT_TRUE(runAlike(map(), record->map()->map));

    // All of it is in the session.
    const SavedSession session = SnapshotWriter().session(snapshotOf(m_window->studio()));
    const auto restored = restoredFrom(session, "it");
    ASSERT_TRUE(restored) << restored.error().message;
    ASSERT_TRUE(restored->recommendation);
    EXPECT_EQ(restored->recommendation->text, record->text);
    EXPECT_TRUE(restored->notes.isEmpty()) << restored->notes.join('\n').toStdString();
    EXPECT_EQ(restored->variants.size(), 3u);
}

TEST_F(RecommendWindow, WhatTheCommandWroteOpensAsASession)
{
    const auto config = loadModelConfig(tiny);
    ASSERT_TRUE(config);
    const auto text = readTextFile(resourceFolder() / "kept/zigzag-tiny/recommend.json");
    ASSERT_TRUE(text) << text.error().message;
    SavedSession session;
    session.asked = tiny;
    session.model = config->shape();
    SessionPart part;
    part.kind = PartKind::Recommendation;
    part.name = "recommendation for ours";
    part.content = std::make_shared<const std::string>(*text);
    session.put(part);
    const std::filesystem::path file = m_folder / "it.zigzag";
    ASSERT_TRUE(writeSession(session, file));
    ASSERT_TRUE(open(file)) << message().toStdString();
    m_window->refreshNow();
    ASSERT_TRUE(m_window->studio().recommendation());
    EXPECT_FALSE(m_window->studio().isRecommendationKept());
    EXPECT_TRUE(child<QLabel>("recommendHeadline").text().startsWith(headlineOf(*m_window->studio().recommendation())));
    m_window->runs().cancelAll();
}

TEST_F(HeldWindow, TheBundledModelsRecommendationIsThereAtOnceAndMarkedAsKept)
{
    build(std::make_unique<HeldWorker>(std::set<std::string>{"load"}));
    ASSERT_TRUE(m_window->open(tiny)) << message().toStdString();
    const auto record = m_window->studio().recommendation();
    ASSERT_TRUE(record && record->map());
    EXPECT_TRUE(m_window->studio().isRecommendationKept());
    m_window->refreshNow();
    const QString headline = m_window->findChild<QLabel *>("recommendHeadline")->text();
    EXPECT_TRUE(headline.startsWith(headlineOf(*record))) << headline.toStdString();
    EXPECT_TRUE(headline.contains("Kept")) << headline.toStdString();
    EXPECT_EQ(m_window->document().variants(), 1) << "the person's own map stays in front";
    QTest::mouseClick(m_window->findChild<QPushButton *>("openRecommended"), Qt::LeftButton);
    settle();
    EXPECT_EQ(m_window->document().variants(), 2);
    EXPECT_TRUE(runAlike(map(), record->map()->map));
    // It is of the model, not of the work: a session does not keep it.
    EXPECT_FALSE(snapshotOf(m_window->studio()).recommendation);
    m_window->runs().cancelAll();
}

} // namespace zigzag::test
