// SPDX-License-Identifier: GPL-3.0-or-later
// How long a step of the training of gates takes, over random tokens; times depend on nothing else. It trains nothing.
// gate_bench MODEL CONTEXT [STEPS [BACKEND]]
#include "engine/model/model.h"
#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/search/gate_training.h"

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

Result<void> run(const std::string &name, std::int64_t context, int steps, const std::string &backendName)
{
    ZIGZAG_TRY(model, loadModel(name));
    ZIGZAG_TRY(made, createBackend(backendName));
    const std::shared_ptr<Backend> backend = std::move(made);
    ZIGZAG_TRY(device, uploadModel(model, backend));
    fmt::print("{} on {}, {} tokens, activations in {}\n", model->config.name, backend->device().name, context,
               nameOf(backend->activationType(model->config.dtype)));
    TaskPrompt prompt;
    prompt.context = context;
    prompt.tokens = randomTokens(context, model->config.vocabulary, 1);
    prompt.answers = {{static_cast<std::int64_t>(context) - 8, static_cast<std::int64_t>(context)}};
    {
        ZIGZAG_TRY(pass, LayerPass::create(device, context, false));
        ZIGZAG_CHECK(timeLayers(*pass, *backend, prompt));
    }
    GatePlan plan;
    plan.unit = Unit::Layer;
    plan.steps = steps;
    ZIGZAG_TRY(training, GateTraining::create(device, {prompt}, plan));
    fmt::print("{:.1f} GB of the device are free beside it\n", static_cast<double>(backend->device().memoryBytes) / 1e9);
    const std::vector<double> half(static_cast<std::size_t>(unitCount(model->shape(), plan.unit)), 0.5);
    std::vector<double> gradient;
    for (int step = 0; step <= steps; ++step) { // the first one makes the target, and what the backend makes once
        const auto begin = Clock::now();
        ZIGZAG_TRY(loss, training.lossAndGradient(0, half, gradient));
        fmt::print("step {}: {:.3f} s, loss {:.4g}, |gradient| {:.4g}\n", step, secondsSince(begin), loss,
                   std::abs(*std::ranges::max_element(gradient, {}, [](double value) { return std::abs(value); })));
    }
    return {};
}

} // namespace
} // namespace zigzag

int main(int argc, char **argv)
{
    if (argc < 3) {
        fmt::print(stderr, "usage: gate_bench MODEL CONTEXT [STEPS [BACKEND]]\n");
        return 1;
    }
    const auto done = zigzag::run(argv[1], std::atoll(argv[2]), argc > 3 ? std::atoi(argv[3]) : 3, argc > 4 ? argv[4] : "auto");
    if (!done)
        fmt::print(stderr, "{}\n", done.error().message);
    return done ? 0 : 1;
}
