// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_scores_io.h"
#include "engine/model/model.h"
#include "window_fixture.h"

namespace zigzag::test {

TEST_F(WindowTest, SavesAndReopensWhatWasEdited)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    click(1, 1);
    m_prompts->files = {QString::fromStdString((m_folder / "edited.json").string())};
    m_window->actions().saveAs->trigger();
    EXPECT_FALSE(m_window->isWindowModified());
    const HeadMap edited = map();
    EXPECT_EQ(*readHeadMap(m_folder / "edited.json"), edited);
    EXPECT_TRUE(m_window->windowTitle().contains("edited.json"));

    click(0, 0);
    m_window->actions().save->trigger();
    EXPECT_EQ(m_prompts->asked, 1) << "Save knows the file by now";
    ASSERT_TRUE(open(savedMap(fullMap(4, 2), "other.json")));
    EXPECT_EQ(map().streamingHeads(), 0);
    ASSERT_TRUE(open(m_folder / "edited.json"));
    EXPECT_EQ(map().streamingHeads(), 2);
    EXPECT_FALSE(m_window->isWindowModified());
    EXPECT_EQ(m_window->document().undoStack().count(), 0);
}

TEST_F(WindowTest, AsksBeforeEditsAreLost)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    const auto other = savedMap(fullMap(2, 2), "other.json");
    click(1, 1);
    m_prompts->saving = {UserPrompts::Saving::Cancel};
    EXPECT_FALSE(open(other));
    EXPECT_EQ(map().layers(), 4);
    EXPECT_TRUE(m_window->isWindowModified());

    m_prompts->saving = {UserPrompts::Saving::Save};
    EXPECT_TRUE(open(other));
    EXPECT_EQ(map().layers(), 2);
    EXPECT_EQ(readHeadMap(m_folder / "map.json")->streamingHeads(), 1);

    click(0, 0);
    m_prompts->saving = {UserPrompts::Saving::Cancel};
    EXPECT_FALSE(m_window->close());
    m_prompts->saving = {UserPrompts::Saving::Discard};
    EXPECT_TRUE(m_window->close());
    EXPECT_EQ(readHeadMap(other)->streamingHeads(), 0);
}

TEST_F(WindowTest, ABrokenFileIsOneMessageAndChangesNothing)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    click(1, 1);
    const DocumentState before = m_window->document().state();
    const std::vector<std::string> broken = {
        write("empty.json", ""),
        write("half.json", toJson(fullMap(4, 2)).substr(0, 120)),
        write("version.json", R"({"format": "zigzag-head-map", "version": 9})"),
        write("text.json", "this is not a map"),
        write("ragged.tsv", "0.5\t0.5\n0.5\n"),
        write("nan.tsv", "nan\t0.5\n0.5\t0.1\n"),
        (m_folder / "missing.json").string(),
        m_folder.path().string(),
        "preset:nothing-of-the-kind",
    };
    for (const std::string &file : broken) {
        m_window->messages().close();
        EXPECT_FALSE(open(file)) << file;
        EXPECT_FALSE(message().isEmpty()) << file;
        EXPECT_FALSE(message().contains('\n')) << file << ": " << message().toStdString();
        EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
        EXPECT_EQ(m_window->document().state(), before) << file;
        EXPECT_TRUE(m_window->isWindowModified()) << file;
    }
    EXPECT_EQ(m_prompts->asked, 0) << "what cannot be opened asks nothing";
    ASSERT_TRUE(m_window->saveTo(QString::fromStdString((m_folder / "map.json").string())));
    EXPECT_FALSE(m_window->saveTo("/nonexistent/map.json"));
    EXPECT_FALSE(message().isEmpty());
}

TEST_F(WindowTest, ScoresAloneOpenAWindowThatCanBeUsed)
{
    std::string tsv;
    for (int layer = 0; layer < 32; ++layer)
        for (int head = 0; head < 8; ++head)
            tsv += std::to_string((layer * 8 + head) / 256.0) + (head == 7 ? "\n" : "\t");
    ASSERT_TRUE(open(write("gates.tsv", tsv))) << message().toStdString();
    EXPECT_EQ(map().layers(), 32);
    EXPECT_EQ(map().kvHeads(), 8);
    EXPECT_EQ(map().streamingHeads(), 128) << "Zigzag at one half to begin with";
    EXPECT_TRUE(map().isExclusive());
    EXPECT_FALSE(m_window->isWindowModified());
    EXPECT_FALSE(m_window->plotted().hasBytes());
    EXPECT_FALSE(m_window->plotted().predicted(Series::Zigzag, Quantity::Kv).empty());
    click(31, 7);
    EXPECT_TRUE(m_window->isWindowModified());
    EXPECT_TRUE(m_window->headline().text().contains("keys"));

    // Scores for the same shape are an edit of this document.
    std::string other = tsv;
    other.replace(0, 3, "0.9");
    ASSERT_TRUE(open(write("other.tsv", other))) << message().toStdString();
    EXPECT_TRUE(m_window->document().undoStack().canUndo());
    m_prompts->saving = {UserPrompts::Saving::Discard};
    ASSERT_TRUE(open(write("small.tsv", "0.1\t0.9\n0.2\t0.8\n")));
    EXPECT_EQ(map().layers(), 2) << "scores of another shape are another document";
}

TEST_F(WindowTest, ScoresOfAnotherShapeAskBeforeTheyDropAModel)
{
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", {.layers = 3, .maxContext = 512}))) << message().toStdString();
    const std::string other = write("other.tsv", "0.1\t0.9\t0.3\n0.2\t0.8\t0.3\n");
    m_prompts->closing = {false};
    EXPECT_FALSE(open(other));
    EXPECT_EQ(map().layers(), 3) << "the answer was no";
    EXPECT_FALSE(m_window->studio().modelName().empty());
    EXPECT_TRUE(m_prompts->closingFor[0].startsWith("other.tsv has scores for 2 layers of 3 KV heads"));
    EXPECT_TRUE(m_prompts->closingFor[1].endsWith("model"));
    m_prompts->closing = {true};
    EXPECT_TRUE(open(other));
    EXPECT_EQ(map().layers(), 2);
    EXPECT_TRUE(m_window->studio().modelName().empty());
}

TEST_F(WindowTest, ScoresNameTheirModelAndItIsLoaded)
{
    HeadScores scores = *risingScores(8, 4);
    scores.model = {"zigzag-tiny", 8, 0, 4, 0, {}};
    const auto config = loadModelConfig("bundled:zigzag-tiny");
    ASSERT_TRUE(config);
    scores.model.layers = config->layers;
    scores.model.kvHeads = config->kvHeads;
    scores.scores.assign(static_cast<std::size_t>(config->layers * config->kvHeads), 0.5f);
    ASSERT_TRUE(writeHeadScores(scores, m_folder / "scores.json"));
    ASSERT_TRUE(open(m_folder / "scores.json")) << message().toStdString();
    EXPECT_EQ(m_window->studio().modelName(), "bundled:zigzag-tiny");
    EXPECT_EQ(m_window->plotted().contexts().back(), config->maxContext) << "not the longest that any model has";
    EXPECT_TRUE(m_window->plotted().hasBytes());
    EXPECT_DOUBLE_EQ(map().sparsity(), 0.5);
    EXPECT_FALSE(m_window->isWindowModified());
    EXPECT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value(); }, 60000)) << message().toStdString();
    EXPECT_EQ(m_window->document().state().scores->method, "attention");
    m_window->runs().cancel();
}

TEST_F(WindowTest, ExportsInEveryFormat)
{
    HeadMap edited = fullMap(4, 2);
    edited.setLayer(0, HeadKind::Streaming);
    ASSERT_TRUE(open(savedMap(edited)));
    for (const ExportFormat &format : exportFormats()) {
        const std::filesystem::path out = m_folder / ("out-" + std::string(format.name));
        m_prompts->exporting = ExportChoice{&format, QString::fromStdString(out.string())};
        m_window->actions().exportMap->trigger();
        const bool refused = !format.verdict(edited, nullptr).refusal.empty(); // a map without its model
        EXPECT_EQ(std::filesystem::exists(out), !refused) << format.name << message().toStdString();
        EXPECT_EQ(std::filesystem::is_directory(out), format.writesFolder && !refused);
        EXPECT_EQ(m_window->messages().kind(), refused ? MessageBar::Kind::Error : MessageBar::Kind::Note);
    }
    m_prompts->exporting = ExportChoice{&exportFormats()[0], "/nonexistent/folder/out"};
    m_window->actions().exportMap->trigger();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
}

TEST_F(WindowTest, ACalibratedExportIsARunAndSaysWhatItCosts)
{
    ASSERT_TRUE(m_window->open("bundled:zigzag-tiny"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value(); }, 60000)) << message().toStdString();
    m_window->runs().cancel();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 60000));
    HeadMap streaming(map().model(), HeadKind::Retrieval, 4, 64);
    streaming.setLayer(1, HeadKind::Streaming);
    ASSERT_TRUE(open(savedMap(streaming)));
    const std::filesystem::path out = m_folder / "granite";
    m_prompts->exporting = ExportChoice{nullptr, QString::fromStdString(out.string()), &carriedTargets()[0], {}};
    m_window->actions().exportMap->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return message().contains("Exported to"); }, 120000)) << message().toStdString();
    EXPECT_TRUE(message().contains("KL")) << message().toStdString();
    const auto written = loadModelConfig(out.string());
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_GT(written->fileWindows.at(1), 0);
    EXPECT_EQ(written->fileWindows.at(0), 0);
}

TEST_F(WindowTest, AMapOfAnotherModelOpensWithoutOne)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    EXPECT_FALSE(m_window->runs().isBusy()) << "no model is loaded for a map of an unknown one";
    EXPECT_TRUE(m_window->plotted().predicted(Series::Full, Quantity::Tpot).empty());
    EXPECT_FALSE(m_window->plotted().predicted(Series::Full, Quantity::Kv).empty());
}

} // namespace zigzag::test
