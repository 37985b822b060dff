// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag-edit-bench: how long it takes until an edit has reached every plot, in the window itself, with a map of 80 layers of 64
// KV heads, ten variants and a thousand stored runs; and how long it takes to open a session of 100 MB. Without a display. Run by
// hand and by ./dev bench.
#include "app/studio/main_window.h"
#include "app/studio/state/session_keeper.h"
#include "engine/model/resources.h"
#include "profiler/measure/bench_file.h"
#include "samples.h"
#include "trace_samples.h"
#include "views/models/native_path.h"
#include "views/models/run_list_model.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/message_bar.h"
#include "views/widgets/plots_panel.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>

namespace {

using namespace zigzag;

constexpr int layers = 80, heads = 64, variants = 10, runs = 1000;
constexpr double mostMs = 16;

double at(std::vector<double> times, double fraction)
{
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(fraction * static_cast<double>(times.size() - 1))];
}

/// Of this thread: what an edit would take on a machine that does nothing else.
double processorMs()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

std::unique_ptr<MainWindow> shownWindow(const std::filesystem::path &sessions)
{
    auto window = std::make_unique<MainWindow>(
        MainWindow::Parts{std::make_unique<EngineWorker>(), std::make_unique<DialogPrompts>(true), nullptr, sessions});
    window->resize(1920, 1080);
    window->show();
    QCoreApplication::processEvents();
    return window;
}

void writeConfig(const std::filesystem::path &folder)
{
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json")
        << R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672,)"
        << R"( "num_hidden_layers": )" << layers << R"(, "num_attention_heads": 64, "num_key_value_heads": )" << heads
        << R"(, "head_dim": 128, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,)"
        << R"( "vocab_size": 128256, "tie_word_embeddings": false, "hidden_act": "silu", "torch_dtype": "bfloat16"})";
}

/// Measurements as they would be of this map and others, which the list of runs and the plots' points have to look through.
void addRuns(MainWindow &window)
{
    const HeadMap &map = window.document().map();
    std::vector<NamedMap> maps;
    std::vector<BenchRecord> records;
    const std::vector<std::int64_t> contexts = window.plotted().contexts();
    for (int run = 0; run < runs; ++run) {
        HeadMap other = map;
        other.setLayer(run % layers, HeadKind::Streaming);
        BenchRecord record;
        record.map = "map " + std::to_string(run);
        record.phase = run % 2 ? Phase::Prefill : Phase::Decode;
        record.context = contexts[static_cast<std::size_t>(run) % contexts.size()];
        record.samplesMs = {10.0 + run, 11.0 + run, 12.0 + run};
        record.medianMs = 11.0 + run;
        record.spreadMs = 1;
        maps.push_back({record.map, other});
        records.push_back(record);
    }
    window.studio().plotted().measurements().addRecords(maps, records);
    window.studio().runList().setRecords(1, QStringLiteral("80 × 64"), maps, records);
}

void fill(MainWindow &window, const std::filesystem::path &folder)
{
    writeConfig(folder / "model");
    const auto opened = [&](const QString &name) {
        if (!window.openWithoutWeights(name))
            throw std::runtime_error(qPrintable(window.messages().text()));
    };
    opened(textOfPath(folder / "model"));
    const auto profile = window.studio().chooseProfile(resourceFolder() / "kept" / "zigzag-tiny" / "machine.json");
    if (!profile)
        throw std::runtime_error(profile.error().message);
    window.document().setScores(test::risingScores(layers, heads));
    addRuns(window);
    for (int variant = 1; variant < variants; ++variant) {
        window.document().duplicateVariant(QStringLiteral("variant %1").arg(variant));
        if (const auto assigned = window.document().assign(QStringLiteral("zigzag"), variant / 10.0); !assigned)
            throw std::runtime_error(assigned.error().message);
        window.document().endSeries();
    }
    window.refreshNow();
    QCoreApplication::processEvents();
}

/// False where it misses its goal.
bool measureEdits(MainWindow &window, const char *what, const std::function<void(int)> &edit)
{
    constexpr int edits = 200;
    std::set<const CostPlot *> drawn;
    for (CostPlot *plot : window.plots().plots())
        QObject::connect(plot, &QCustomPlot::afterReplot, &window, [&drawn, plot] { drawn.insert(plot); });
    const std::size_t plots = window.plots().plots().size();
    std::vector<double> wall, processor;
    for (int number = 0; number < edits; ++number) {
        drawn.clear();
        QElapsedTimer clock;
        clock.start();
        const double begin = processorMs();
        edit(number);
        while (drawn.size() < plots && clock.elapsed() < 10000)
            QCoreApplication::processEvents();
        if (drawn.size() < plots)
            throw std::runtime_error("an edit did not reach every plot");
        processor.push_back(processorMs() - begin);
        wall.push_back(static_cast<double>(clock.nsecsElapsed()) * 1e-6);
    }
    for (CostPlot *plot : window.plots().plots())
        QObject::disconnect(plot, &QCustomPlot::afterReplot, &window, nullptr);
    std::printf("%-34s %d edits  median %6.2f ms  p99 %6.2f ms  (processor: median %6.2f ms  p99 %6.2f ms; goal %.0f ms)\n", what,
                edits, at(wall, 0.5), at(wall, 0.99), at(processor, 0.5), at(processor, 0.99), mostMs);
    return at(processor, 0.5) <= mostMs;
}

/// Traces fill it, as they would.
std::filesystem::path largeSession(const std::filesystem::path &folder)
{
    constexpr std::uintmax_t wanted = 100 << 20;
    constexpr std::size_t spans = 500'000;
    const auto window = shownWindow(folder / "kept");
    fill(*window, folder);
    for (int number = 0; number < 64; ++number) {
        auto trace = std::make_shared<Trace>(*test::sampleTrace(spans, layers));
        trace->info.map = "map " + std::to_string(number);
        trace->spans.front().durationNs += number; // no two alike, which would be kept once
        window->studio().runList().addTrace(
            entryOf(std::move(trace), QStringLiteral("trace %1").arg(number), QDateTime::currentDateTime()), {});
        window->keeper().noteChange();
        if (const auto saved = window->keeper().saveNow(); !saved)
            throw std::runtime_error(saved.error().message);
        if (std::filesystem::file_size(window->keeper().path()) >= wanted)
            break;
    }
    const std::filesystem::path file = folder / "large.zigzag";
    std::filesystem::copy_file(window->keeper().path(), file);
    return file;
}

void measureOpening(const std::filesystem::path &folder)
{
    const std::filesystem::path file = largeSession(folder);
    constexpr int openings = 7;
    std::vector<double> wall;
    for (int number = 0; number < openings; ++number) {
        const auto window = shownWindow({});
        QElapsedTimer clock;
        clock.start();
        if (!window->open(textOfPath(file)))
            throw std::runtime_error(qPrintable(window->messages().text()));
        QCoreApplication::processEvents();
        window->repaint();
        wall.push_back(static_cast<double>(clock.nsecsElapsed()) * 1e-6);
    }
    std::printf("%-34s %d openings of %.0f MB  median %.0f ms  most %.0f ms  (goal 1000 ms)\n", "a large session", openings,
                static_cast<double>(std::filesystem::file_size(file)) / 1e6, at(wall, 0.5), at(wall, 1));
}

} // namespace

int main(int argc, char **argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    qputenv("QT_LOGGING_RULES", "qt.*=false;default.warning=false"); // of what an offscreen platform cannot do
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    QApplication application(argc, argv);
    QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString();
    try {
        const auto window = shownWindow({});
        fill(*window, folder);
        bool reached = measureEdits(*window, "a head flipped", [&](int number) {
            window->document().toggle({{number % layers, number % heads}});
        });
        reached &= measureEdits(*window, "a sparsity chosen", [&](int number) {
            (void)window->document().assign(QStringLiteral("zigzag"), 0.25 + (number % 50) * 0.01);
        });
        measureOpening(folder);
        return reached ? 0 : 1;
    } catch (const std::exception &failed) {
        std::fprintf(stderr, "error: %s\n", failed.what());
        return 2;
    }
}
