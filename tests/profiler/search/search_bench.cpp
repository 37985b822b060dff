// SPDX-License-Identifier: GPL-3.0-or-later
// How long the searches that run a model most take, over prompts of random tokens: times depend on nothing else, and what is
// found means nothing. gates: COUNT steps; greedy: the whole path over COUNT prompts. search_bench MODEL CONTEXT gates|greedy
// COUNT [BACKEND]
#include "engine/model/model.h"
#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/search/gate_training.h"
#include "profiler/search/search.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Forward alone, every layer with all heads of one kind.
Result<void> timeLayers(LayerPass &pass, Backend &backend, const TaskPrompt &prompt)
{
    const ModelConfig &config = pass.config();
    ZIGZAG_TRY(states, pass.states());
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
        const std::vector<HeadPattern> patterns(static_cast<std::size_t>(config.kvHeads), patternOf(kind, StreamingWindow{}));
        for (int round = 0; round < 2; ++round) {
            ZIGZAG_CHECK(pass.embed(prompt.tokens, *states));
            ZIGZAG_CHECK(backend.synchronize());
            const auto begin = Clock::now();
            for (int layer = 0; layer < config.layers; ++layer)
                pass.run(layer, patterns, std::ssize(prompt.tokens), *states, *states);
            ZIGZAG_CHECK(backend.synchronize());
            if (round > 0)
                fmt::print("forward, {}: {:.2f} ms a layer\n", kind == HeadKind::Retrieval ? "full" : "streaming",
                           1e3 * secondsSince(begin) / config.layers);
        }
    }
    return {};
}

Result<void> timeGates(const std::shared_ptr<DeviceModel> &device, const TaskPrompt &prompt, int steps)
{
    GatePlan plan;
    plan.unit = Unit::Layer;
    plan.steps = steps;
    const std::int64_t before = device->backend->device().memoryBytes;
    ZIGZAG_TRY(training, GateTraining::create(device, {prompt}, plan));
    const std::vector<double> half(static_cast<std::size_t>(unitCount(device->model->shape(), plan.unit)), 0.5);
    std::vector<double> gradient;
    for (int step = 0; step <= steps; ++step) { // the first one makes the target, and what the backend makes once
        const auto begin = Clock::now();
        ZIGZAG_TRY(loss, training.lossAndGradient(0, half, gradient));
        fmt::print("step {}: {:.3f} s, loss {:.4g}, largest gradient {:.4g}\n", step, secondsSince(begin), loss,
                   std::ranges::max(gradient, {}, [](double value) { return std::abs(value); }));
    }
    fmt::print("{:.1f} GB beside the weights\n", static_cast<double>(before - device->backend->device().memoryBytes) / 1e9);
    return {};
}

Result<void> timeGreedy(const std::shared_ptr<DeviceModel> &device, const std::vector<TaskPrompt> &prompts)
{
    SearchPlan plan;
    plan.method = SearchMethod::Greedy;
    plan.asked = std::make_shared<const std::vector<TaskPrompt>>(prompts);
    ZIGZAG_TRY(search, Search::create(device, plan));
    ZIGZAG_TRY(result, search.run({}, nullptr));
    fmt::print("greedy: {} counts, {} prompts, {} runs of a layer, {:.1f} s\n", result.path.size(), prompts.size(),
               result.layerRuns, result.seconds);
    return {};
}

Result<void> run(const std::string &name, std::int64_t context, const std::string &what, int count,
                 const std::string &backendName)
{
    ZIGZAG_TRY(model, loadModel(name));
    ZIGZAG_TRY(made, createBackend(backendName));
    const std::shared_ptr<Backend> backend = std::move(made);
    ZIGZAG_TRY(device, uploadModel(model, backend));
    fmt::print("{} on {}, {} tokens, activations in {}\n", model->config.name, backend->device().name, context,
               nameOf(backend->activationType(model->config.dtype)));
    std::vector<TaskPrompt> prompts;
    for (int i = 0; i < (what == "greedy" ? count : 1); ++i) {
        TaskPrompt &prompt = prompts.emplace_back();
        prompt.context = context;
        prompt.tokens = randomTokens(context, model->config.vocabulary, static_cast<std::uint64_t>(i + 1));
        prompt.answers = {{context - 8, context}};
    }
    if (what == "greedy")
        return timeGreedy(device, prompts);
    {
        ZIGZAG_TRY(pass, LayerPass::create(device, context, false));
        ZIGZAG_CHECK(timeLayers(*pass, *backend, prompts.front()));
    }
    return timeGates(device, prompts.front(), count);
}

} // namespace
} // namespace zigzag

int main(int argc, char **argv)
{
    const std::string what = argc > 3 ? argv[3] : "";
    const std::int64_t context = argc > 2 ? std::atoll(argv[2]) : 0;
    const int count = argc > 4 ? std::atoi(argv[4]) : 0;
    if ((what != "gates" && what != "greedy") || context < 16 || count < 1) {
        fmt::print(stderr, "usage: search_bench MODEL CONTEXT gates|greedy COUNT [BACKEND]\n");
        return 1;
    }
    const auto done = zigzag::run(argv[1], context, what, count, argc > 5 ? argv[5] : "auto");
    if (!done)
        fmt::print(stderr, "{}\n", done.error().message);
    return done ? 0 : 1;
}
