// SPDX-License-Identifier: GPL-3.0-or-later
// What the window shows before anything has run: results that came with the bundled model, or were kept at an earlier start.
#include "app/studio/state/kept_results.h"
#include "engine/model/model.h"
#include "engine/model/resources.h"
#include "held_window.h"
#include "profiler/cost/profile_file.h"

namespace zigzag::test {

namespace {

constexpr const char *tiny = "bundled:zigzag-tiny";

Calibration shipped()
{
    return readProfile(resourceFolder() / "kept/zigzag-tiny/machine.json").value();
}

} // namespace

TEST_F(HeldWindow, TheBundledModelIsThereAtOnceAndSaysFromWhen)
{
    build(std::make_unique<HeldWorker>(std::set<std::string>{"load"}));
    ASSERT_TRUE(m_window->open(tiny)) << message().toStdString();
    // Nothing was loaded, measured or scored yet.
    EXPECT_FALSE(m_window->studio().loaded());
    const PlottedMaps &plotted = m_window->plotted();
    EXPECT_TRUE(plotted.isKept());
    EXPECT_FALSE(plotted.predicted(Series::Zigzag, Quantity::Tpot).empty());
    EXPECT_TRUE(m_window->document().state().scores);
    EXPECT_DOUBLE_EQ(map().sparsity(), 0.5);
    EXPECT_FALSE(m_window->isWindowModified());
    const QString machine = QString::fromStdString(shipped().machine.device), day = QString::fromStdString(shipped().measured);
    EXPECT_FALSE(machine.isEmpty());
    EXPECT_EQ(plotted.keptText(), "kept, measured on " + machine + " at " + day);
    EXPECT_EQ(plotted.compare(Quantity::Tpot, 2048).current.source, Figure::Source::Kept);
    EXPECT_TRUE(m_window->headline().text().contains("predicted, kept")) << m_window->headline().text().toStdString();
    EXPECT_FALSE(m_window->studio().whyNoTimes().isEmpty()) << "a budget in milliseconds is one of this machine";

    // Once this machine has been calibrated its own times are shown, as such.
    m_window->studio().takeCost(CostModel(shipped(), *plotted.config()));
    m_window->refreshNow();
    EXPECT_FALSE(plotted.isKept());
    EXPECT_EQ(plotted.keptText(), "");
    EXPECT_FALSE(m_window->headline().text().contains("kept"));
    EXPECT_EQ(m_window->studio().whyNoTimes(), "");
    m_window->runs().cancelAll();
}

TEST_F(HeldWindow, AnotherModelHasNothingOfTheBundledOne)
{
    hold({"calibrate", "score"});
    EXPECT_FALSE(m_window->plotted().hasTimes());
    EXPECT_FALSE(m_window->document().state().scores);
}

TEST(KeptResults, ScoresThatCameAlongAreOfTheWeightsThatCameAlong)
{
    const auto model = loadModel(tiny);
    ASSERT_TRUE(model) << model.error().message;
    const auto scores = KeptResults().scores(tiny, (*model)->config);
    ASSERT_TRUE(scores);
    EXPECT_EQ(scores->model.fingerprint, (*model)->shape().fingerprint) << "score it anew: resources/kept";
    EXPECT_FALSE(KeptResults().scores("preset:llama-3-8b", (*model)->config));
    EXPECT_FALSE(KeptResults().scores("bundled:../models/zigzag-tiny", (*model)->config));
}

TEST(KeptResults, ThisMachinesCalibrationComesFirstAndIsBelievedWhereItFits)
{
    TempFolder folder;
    const ModelConfig config = loadModelConfig(tiny).value();
    KeptResults kept;
    EXPECT_TRUE(kept.fileToKeep(tiny, config).empty()) << "nothing is kept where nobody said where";
    kept.setFolder(folder / "kept");
    EXPECT_EQ(kept.times(tiny, config).measured(), shipped().measured);
    EXPECT_TRUE(kept.times(tiny, config).isOwn());

    Calibration own = shipped();
    own.measured = today();
    own.machine.device = "this machine";
    const std::filesystem::path file = kept.fileToKeep(tiny, config);
    ASSERT_TRUE(writeProfile(own, file));
    EXPECT_EQ(kept.times(tiny, config).machine().device, "this machine");
    EXPECT_EQ(kept.times(tiny, config).measured(), today());
    EXPECT_FALSE(kept.times("FOLDER", config).isFitted()) << "each model has a file of its own";
    ModelConfig otherType = config;
    otherType.kvType = DType::F32;
    EXPECT_FALSE(kept.times(tiny, otherType).isFitted()) << "what keys and values in another type cost is not known";

    own.measured.clear();
    ASSERT_TRUE(writeProfile(own, file));
    EXPECT_EQ(kept.times(tiny, config).machine().device, shipped().machine.device) << "kept times say from when they are";
    std::ofstream(file) << "{\"format\": \"zigzag-machine-profile\"";
    EXPECT_EQ(kept.times(tiny, config).machine().device, shipped().machine.device) << "a torn file is none";
}

} // namespace zigzag::test
