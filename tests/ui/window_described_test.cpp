// SPDX-License-Identifier: GPL-3.0-or-later
// A model without its weights: predictions by another machine's profile, for a batch, GPUs and an engine; layers by their place.
#include "app/studio/open_target.h"
#include "engine/model/model.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/cost/profile_file.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"
#include "window_fixture.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>

namespace zigzag::test {

namespace {

namespace fs = std::filesystem;

class Described : public WindowTest
{
protected:
    /// A folder with a config.json alone.
    fs::path configAlone()
    {
        const fs::path whole = writeTinyModel(m_folder / "whole", {.layers = 4, .maxContext = 256});
        const fs::path folder = m_folder / "config-alone";
        fs::create_directories(folder);
        fs::copy_file(whole / "config.json", folder / "config.json");
        return folder;
    }
    /// Of a machine on which a pass of the model takes so long, whatever it is asked.
    fs::path profileOf(const fs::path &model, double ms)
    {
        const auto config = loadModelConfig(model.string());
        EXPECT_TRUE(config) << (config ? "" : config.error().message);
        Calibration calibration;
        calibration.machine.device = "Faraway 9000";
        ModelSamples samples;
        samples.config = *config;
        samples.layers = config->layers;
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            const PassPoint point{.phase = phase, .pass = {.tokens = 1, .firstPosition = 63, .batch = 1}};
            samples.ops.push_back({point, Op::Logits, 1000 * ms});
            samples.passes.push_back({point, ms});
        }
        calibration.models.push_back(samples);
        const fs::path file = m_folder / "faraway.json";
        const auto written = writeProfile(calibration, file);
        EXPECT_TRUE(written) << (written ? "" : written.error().message);
        return file;
    }
    const PlottedMaps &plotted() { return m_window->plotted(); }
    template <class T> T *part(const char *name)
    {
        auto *found = m_window->findChild<T *>(QLatin1String(name));
        EXPECT_TRUE(found) << name;
        return found;
    }
    void refresh() { m_window->refreshNow(); }
};

} // namespace

TEST_F(Described, AConfigAloneOpensAndSaysHowToGetTimes)
{
    const fs::path folder = configAlone();
    ASSERT_TRUE(open(folder / "config.json")) << message().toStdString();
    settle();
    EXPECT_TRUE(message().contains("without weights")) << message().toStdString();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);
    EXPECT_FALSE(m_window->runs().isBusy()) << "nothing is loaded";
    EXPECT_EQ(map().layers(), 4);
    EXPECT_FALSE(m_window->actions().measure->isEnabled());
    EXPECT_TRUE(m_window->studio().whyNoTimes().contains("machine profile"));
    EXPECT_FALSE(plotted().predicted(Series::Full, Quantity::Kv).empty()) << "memory needs no weights";
    ASSERT_TRUE(open(profileOf(folder, 4))) << message().toStdString();
    refresh();
    ASSERT_TRUE(plotted().hasTimes());
    EXPECT_EQ(m_window->studio().whyNoTimes(), QString());
    EXPECT_TRUE(plotted().conditionsText().contains("Faraway 9000"));
    EXPECT_EQ(part<QComboBox>("conditionsMachine")->currentText(), "faraway.json");
    m_window->studio().useThisMachine();
    EXPECT_FALSE(plotted().hasTimes()) << "nobody measured this machine";
}

TEST_F(Described, APresetOpensWithoutItsRandomWeights)
{
    ASSERT_TRUE(m_window->openWithoutWeights("preset:llama-3-8b")) << message().toStdString();
    EXPECT_FALSE(m_window->runs().isBusy());
    EXPECT_EQ(map().layers(), 32);
    EXPECT_GT(plotted().kv(map(), 8192), 1e9);
    EXPECT_FALSE(m_window->openWithoutWeights(QString::fromStdString(savedMap(fullMap(2, 2)).string())));
    EXPECT_TRUE(message().contains("no model")) << message().toStdString();
    EXPECT_EQ(map().layers(), 32) << "what is no model changes nothing";
}

TEST_F(Described, BatchAndGpusArePredictedAndWhatCannotBeIsRefused)
{
    const fs::path folder = configAlone();
    ASSERT_TRUE(open(profileOf(folder, 4))) << "before its model";
    ASSERT_TRUE(open(folder / "config.json"));
    refresh();
    ASSERT_TRUE(plotted().hasTimes()) << "the profile stays for the model that comes after it";
    const double kvOfOne = plotted().compare(Quantity::Kv, 256).current.value;
    const double one = plotted().compare(Quantity::Tpot, 256).current.value;
    part<QSpinBox>("conditionsBatch")->setValue(8);
    refresh();
    EXPECT_DOUBLE_EQ(plotted().compare(Quantity::Kv, 256).current.value, 8 * kvOfOne);
    const double expected = plotted().cost().estimate(map(), {.phase = Phase::Decode, .context = 256, .batch = 8}).ms;
    EXPECT_DOUBLE_EQ(plotted().compare(Quantity::Tpot, 256).current.value, expected);
    EXPECT_TRUE(plotted().conditionsText().contains("batch 8"));
    part<QAction>("copyPredictLine")->trigger();
    const std::string line = QGuiApplication::clipboard()->text().toStdString();
    EXPECT_EQ(line.rfind("zigzag predict " + folder.string() + " --map full --contexts ", 0), 0u) << line;
    EXPECT_NE(line.find("--batch 8 --gpus 1 --profile " + (m_folder / "faraway.json").string()), std::string::npos) << line;
    part<QSpinBox>("conditionsBatch")->setValue(1);
    refresh();
    EXPECT_DOUBLE_EQ(plotted().compare(Quantity::Tpot, 256).current.value, one);
    auto *gpus = part<QComboBox>("conditionsGpus");
    gpus->setCurrentIndex(gpus->findData(2));
    Q_EMIT gpus->activated(gpus->currentIndex());
    refresh();
    EXPECT_EQ(plotted().conditions().gpus, 2);
    EXPECT_GT(plotted().estimate(map(), Phase::Decode, 256).allReduceMs, 0);
    gpus->setCurrentIndex(gpus->findData(8)); // four query heads
    Q_EMIT gpus->activated(gpus->currentIndex());
    refresh();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error) << message().toStdString();
    EXPECT_EQ(plotted().conditions().gpus, 2);
    EXPECT_EQ(gpus->currentData().toInt(), 2) << "the box stands at what there is";
}

TEST_F(Described, MeasuredPointsStandOnlyBesidePredictionsOfTheirOwnMachine)
{
    const fs::path folder = configAlone();
    ASSERT_TRUE(open(folder / "config.json"));
    BenchRecord record;
    record.map = "this map";
    record.phase = Phase::Decode;
    record.context = 256;
    record.samplesMs = {3};
    record.medianMs = 3;
    m_window->studio().takeRecords({{"this map", map()}}, {record});
    refresh();
    EXPECT_EQ(plotted().measured(Series::Current, Quantity::Tpot).size(), 1u);
    ASSERT_TRUE(open(profileOf(folder, 4)));
    refresh();
    EXPECT_TRUE(plotted().measured(Series::Current, Quantity::Tpot).empty()) << "it was measured here, not there";
    EXPECT_FALSE(plotted().predictionError(Quantity::Tpot));
    EXPECT_EQ(plotted().compare(Quantity::Tpot, 256).current.source == Figure::Source::Measured, false);
}

TEST_F(Described, MemoryIsCountedAsTheEngineCountsIt)
{
    const fs::path folder = configAlone();
    ASSERT_TRUE(open(folder / "config.json"));
    HeadMap streaming = map();
    streaming.setWindow(0, 32);
    streaming.setLayer(1, HeadKind::Streaming);
    streaming.setLayer(2, HeadKind::Streaming);
    m_window->document().applyMap(streaming);
    refresh();
    const double ours = plotted().compare(Quantity::Kv, 256).current.value;
    m_window->studio().setServedBy("vllm");
    refresh();
    const auto layers = engineLayers(streaming);
    ASSERT_TRUE(layers);
    const auto engines = engineMemory(*plotted().config(), *layers, 256);
    ASSERT_EQ(engines.front().engine, "vLLM");
    const Comparison shown = plotted().compare(Quantity::Kv, 256);
    if (shown.current.source == Figure::Source::Unknown) // a family that this engine cannot run says why
        EXPECT_TRUE(m_window->headline().text().contains("vllm")) << m_window->headline().text().toStdString();
    else
        EXPECT_DOUBLE_EQ(shown.current.value, static_cast<double>(engines.front().decoding));
    m_window->studio().setServedBy({});
    refresh();
    EXPECT_DOUBLE_EQ(plotted().compare(Quantity::Kv, 256).current.value, ours);
}

TEST_F(Described, LayersAreAssignedByTheirPlaceAndItIsOneStepOfUndo)
{
    ASSERT_TRUE(open(configAlone() / "config.json"));
    settle();
    auto *assign = part<QPushButton>("assignPattern");
    EXPECT_FALSE(assign->isEnabled()) << "nothing is asked yet";
    const HeadMap before = map();
    m_window->document().toggleLocks({2});
    settle();
    part<QSpinBox>("patternEvery")->setValue(2);
    part<QSpinBox>("patternFirst")->setValue(1);
    ASSERT_TRUE(assign->isEnabled());
    assign->click();
    settle();
    EXPECT_EQ(map().layerKind(0), LayerKind::Retrieval);
    EXPECT_EQ(map().layerKind(1), LayerKind::Retrieval);
    EXPECT_EQ(map().layerKind(2), LayerKind::Retrieval) << "locked";
    EXPECT_EQ(map().layerKind(3), LayerKind::Retrieval);
    m_window->document().toggleLocks({2});
    assign->click();
    settle();
    EXPECT_EQ(map().layerKind(2), LayerKind::Streaming);
    EXPECT_EQ(map().provenance().criterion, "pattern every:2,first:1");
    m_window->document().undoStack().undo();
    m_window->document().undoStack().undo();
    m_window->document().undoStack().undo();
    EXPECT_EQ(map().streamingHeads(), before.streamingHeads());
}

TEST(OpenTarget, AConfigIsItsFolderAndAProfileIsOne)
{
    const TempFolder scratch;
    const fs::path model = writeTinyModel(scratch / "model");
    const QString config = QString::fromStdString((model / "config.json").string());
    EXPECT_EQ(*classify(config), TargetKind::Model);
    EXPECT_EQ(modelNameOf(config), QString::fromStdString(model.string()));
    EXPECT_EQ(modelNameOf("preset:llama-3-8b"), "preset:llama-3-8b");
    fs::copy_file(model / "config.json", scratch / "other.json");
    EXPECT_FALSE(classify(QString::fromStdString((scratch / "other.json").string()))) << "a folder is opened by its config.json";
}

} // namespace zigzag::test
