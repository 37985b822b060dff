// SPDX-License-Identifier: GPL-3.0-or-later
// What watching costs: decode steps of a model with each sink, taking turns, and the cost of one span by itself.
// trace_overhead_bench [MODEL [CONTEXT]]
#include "engine/model/model.h"
#include "engine/run/device_model.h"
#include "engine/run/session.h"
#include "profiler/base/random_tokens.h"
#include "profiler/base/run_types.h"
#include "profiler/timing/sampler.h"
#include "profiler/trace/nvtx_sink.h"
#include "profiler/trace/trace_recorder.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

struct Contestant {
    std::string name;
    TraceSink *sink = nullptr;
    std::vector<double> us; ///< of one decode step
    int disturbed = 0;
};

/// As the transformer makes one: by a call that the compiler does not see through.
[[gnu::noinline]] SpanInfo infoOf(Op op, int layer)
{
    SpanInfo info;
    info.op = op;
    info.layer = layer;
    return info;
}

/// Nanoseconds of one span, in the quickest of several batches of them.
double spanNs(TraceSink *sink, const std::function<void()> &forget)
{
    constexpr int spans = 10000;
    double best = 1e9;
    for (int round = 0; round < 50; ++round) {
        forget();
        const auto begin = Clock::now();
        for (int i = 0; i < spans; ++i) {
            const Span span(sink, infoOf(Op::Attention, i % 32));
            asm volatile("" ::: "memory");
        }
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / spans);
    }
    return best;
}

Result<void> run(const std::string &name, std::int64_t context)
{
    ZIGZAG_TRY(model, loadModel(name));
    ZIGZAG_TRY(made, createBackend("cpu"));
    const std::shared_ptr<Backend> backend = std::move(made);
    ZIGZAG_TRY(device, uploadModel(model, backend));
    constexpr int rounds = 200;
    const HeadMap full(model->shape(), HeadKind::Retrieval, 0, 1);
    ZIGZAG_TRY(session, Session::create(device, full, {.maxContext = context + 1}));
    TraceRecorder recorder(1 << 22);
    std::vector<TraceSink *> both = {&recorder};
    FanOutSink fanOut(both);
    std::vector<Contestant> contestants = {{"no sink", nullptr, {}, 0},
                                           {"NVTX, no tool attached", attachedNvtxSink(), {}, 0},
                                           {"recorder", &recorder, {}, 0},
                                           {"recorder behind a fan-out", &fanOut, {}, 0}};
    const std::vector<int> token = randomTokens(1, model->config.vocabulary, 1);
    Sampler sampler(device, 60, nullptr);
    session->pretend(context - 1, 1);
    for (int round = -5; round < rounds; ++round)
        for (Contestant &contestant : contestants) {
            const auto taken = sampler.take([&]() -> Result<double> {
                session->setTraceSink(contestant.sink);
                recorder.clear();
                if (session->position() >= context)
                    session->pretend(context - 1, 1);
                const auto begin = Clock::now();
                ZIGZAG_CHECK(session->step(token));
                return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
            });
            if (!taken)
                return tl::unexpected(taken.error());
            if (round < 0)
                continue;
            contestant.us.push_back(1e3 * taken->ms);
            contestant.disturbed += sampler.isDisturbed(*taken);
        }
    const double spans = static_cast<double>(recorder.spans().size());
    fmt::print("{} at {} tokens: {} spans a decode step, {} rounds, taking turns\n", name, context, spans, rounds);
    fmt::print("{:<26}  {:>8}  {:>22}  {:>20}  {:>11}\n", "", "ns/span", "spans' share of a step", "step µs, median ± IQR",
               "disturbed");
    const double step = quantile(contestants[0].us, 0.5);
    for (const Contestant &contestant : contestants) {
        const double ns = spanNs(contestant.sink, [&] { recorder.clear(); });
        fmt::print("{:<26}  {:>8.2f}  {:>20.3f} %  {:>11.2f} ± {:>6.2f}  {:>11}\n", contestant.name, ns,
                   100 * ns * spans / 1e3 / step, quantile(contestant.us, 0.5),
                   quantile(contestant.us, 0.75) - quantile(contestant.us, 0.25), contestant.disturbed);
    }
    return {};
}

} // namespace
} // namespace zigzag

int main(int argc, char **argv)
{
    const auto done = zigzag::run(argc > 1 ? argv[1] : "bundled:zigzag-tiny", argc > 2 ? std::max(2L, std::atol(argv[2])) : 1024);
    if (!done)
        fmt::print(stderr, "error: {}\n", done.error().message);
    return done ? 0 : 1;
}
