// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace_run.h"

#include "engine/run/device_model.h"
#include "profiler/random_tokens.h"
#include "profiler/trace/kernel_collector.h"
#include "profiler/trace/nvtx_sink.h"
#include "profiler/trace/trace_recorder.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

/// One prefill of every sequence.
Result<void> prefill(Session &session, std::span<const int> tokens)
{
    session.reset();
    for (int sequence = 0; sequence < session.batch(); ++sequence)
        ZIGZAG_CHECK(session.run(tokens, Session::Logits::Last, sequence));
    return {};
}

/// Decode steps that end with `context` tokens in the cache.
Result<void> decode(Session &session, std::span<const int> tokens, std::int64_t context, int steps, std::uint64_t seed,
                    TraceSink *sink)
{
    const std::int64_t first = context - steps, warmup = std::min<std::int64_t>(first, 2);
    session.pretend(first - warmup, seed);
    const auto batch = static_cast<std::size_t>(session.batch());
    for (std::int64_t i = -warmup; i < steps; ++i) {
        session.setTraceSink(i < 0 ? nullptr : sink);
        ZIGZAG_CHECK(session.step(tokens.subspan(static_cast<std::size_t>(i + warmup) * batch, batch)));
    }
    return {};
}

} // namespace

Result<Trace> recordTrace(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                          const TracePlan &plan, const std::atomic<bool> *cancel)
{
    if (plan.context < 1 || plan.steps < 1)
        return badInput(fmt::format("{} decode steps at a context of {} tokens cannot be recorded: ask for at least 1 of each",
                                    plan.steps, plan.context));
    const int steps = static_cast<int>(std::min<std::int64_t>(plan.steps, plan.context));
    ZIGZAG_TRY(session,
               Session::create(model, plan.map.map, {.maxContext = plan.context, .mixed = plan.mixed, .batch = plan.batch}));
    session->setCancelFlag(cancel);
    TraceRecorder recorder(plan.mostSpans);
    std::vector<TraceSink *> sinks;
    if (TraceSink *outside = attachedNvtxSink())
        sinks.push_back(outside);
    sinks.push_back(&recorder);
    std::unique_ptr<KernelCollector> kernels;
    std::string whyNoKernels;
    if (model->backend->name() == "cuda") {
        if (auto started = KernelCollector::start(recorder))
            kernels = std::move(*started);
        else
            whyNoKernels = started.error().message;
        if (kernels)
            sinks.push_back(kernels.get());
    }
    FanOutSink all(sinks);
    if (plan.phase == Phase::Prefill) {
        const std::vector<int> tokens = randomTokens(plan.context, config.vocabulary, plan.seed);
        ZIGZAG_CHECK(prefill(*session, std::span(tokens).first(std::min<std::size_t>(tokens.size(), 64)))); // warms up
        session->setTraceSink(&all);
        ZIGZAG_CHECK(prefill(*session, tokens));
    } else {
        const std::vector<int> tokens = randomTokens((std::int64_t{steps} + 2) * plan.batch, config.vocabulary, plan.seed);
        ZIGZAG_CHECK(decode(*session, tokens, plan.context, steps, plan.seed, &all));
    }
    session->setTraceSink(nullptr);
    TraceInfo info;
    info.model = plan.model;
    info.map = plan.map.name;
    info.phase = plan.phase;
    info.context = plan.context;
    info.batch = plan.batch;
    info.mixed = plan.mixed;
    info.machine = machine;
    info.note = whyNoKernels.empty() ? std::string() : "kernels were not recorded: " + whyNoKernels;
    Trace trace = recorder.trace(std::move(info), config, plan.map.map);
    if (kernels)
        kernels->addTo(trace);
    return trace;
}

} // namespace zigzag
