// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace_run.h"

#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/timing/processor_wait.h"
#include "profiler/trace/device_time.h"
#include "profiler/trace/kernel_collector.h"
#include "profiler/trace/nvtx_sink.h"
#include "profiler/trace/rank_recording.h"
#include "profiler/trace/trace_recorder.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <vector>

namespace zigzag {
namespace {

/// Tells the share of a run's layers that are done: around the others, so that it lies in no span but that of the pass, and
/// seldom, so that it adds little to that.
class LayerProgress : public TraceSink
{
public:
    /// `done`: passes of an earlier run.
    LayerProgress(std::int64_t layers, std::int64_t passes, std::int64_t done, const std::function<void(double)> &progress)
        : m_layers(layers)
        , m_all(layers * passes)
        , m_passes(done)
        , m_done(layers * done)
        , m_progress(progress)
    { }
    void begin(const SpanInfo &span) override { m_open.push_back(span.op); }
    void end() override
    {
        const Op op = m_open.back();
        m_open.pop_back();
        if (op != Op::Attention && op != Op::Pass)
            return;
        const std::int64_t atEnd = m_layers * (m_passes + 1);
        m_done = op == Op::Pass ? atEnd : m_done + 1;
        m_passes += op == Op::Pass ? 1 : 0;
        constexpr std::chrono::milliseconds seldom(200);
        // Of a pass's last layer the pass tells: what hears that it is done may stop behind it.
        const auto now = std::chrono::steady_clock::now();
        if (op == Op::Pass || (m_done < atEnd && now - m_told >= seldom)) {
            m_told = now;
            m_progress(std::min(1.0, static_cast<double>(m_done) / static_cast<double>(m_all)));
        }
    }

private:
    const std::int64_t m_layers, m_all;
    std::int64_t m_passes, m_done;
    const std::function<void(double)> &m_progress;
    std::chrono::steady_clock::time_point m_told = std::chrono::steady_clock::now();
    std::vector<Op> m_open;
};

/// One run: its session, and who watches it.
class TraceRun
{
public:
    TraceRun(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
             const TracePlan &plan, const std::atomic<bool> *cancel, const std::function<void(double)> &progress,
             TraceSoFar &soFar)
        : m_model(model)
        , m_config(config)
        , m_machine(machine)
        , m_plan(plan)
        , m_cancel(cancel)
        , m_steps(static_cast<int>(std::min<std::int64_t>(plan.steps, plan.context)))
        , m_can(model->backend->capabilities())
        , m_soFar(soFar)
        , m_recorder(model->isDealt() ? 1 : plan.mostSpans)
    {
        const std::int64_t chunk = std::max<std::int64_t>(1, model->backend->device().prefillChunk);
        const std::int64_t passes = plan.phase == Phase::Decode ? m_steps : (plan.context + chunk - 1) / chunk * plan.batch;
        if (progress)
            m_progress.emplace(config.layers, passes, soFar.passes, progress);
    }

    Result<Trace> run()
    {
        const auto ran = m_plan.phase == Phase::Prefill ? prefill() : decode();
        const bool isPart = m_soFar.passes > 0;
        if (!ran || isPart)
            keep(ran.has_value());
        if (!ran)
            return tl::unexpected(ran.error());
        TraceInfo info;
        info.model = m_plan.model;
        info.map = m_plan.map.name;
        info.phase = m_plan.phase;
        info.context = m_plan.context;
        info.batch = m_plan.batch;
        info.mixed = m_plan.mixed;
        info.kvType = m_config.kvType;
        info.machine = m_machine;
        info.isReplayed = m_isReplayed;
        info.disturbed = m_isDisturbed || m_soFar.isDisturbed;
        info.stepMs = m_stepMs;
        info.watchedStepMs = m_watchedStepMs;
        if (m_ranks)
            return ofRanks(std::move(info));
        return isPart ? inParts(std::move(info)) : m_kernels ? inTimeOfKernels(std::move(info)) : inTimeOfHost(std::move(info));
    }

private:
    Result<void> open()
    {
        m_session.reset(); // two would need twice the memory
        ZIGZAG_TRY(session,
                   Session::create(m_model, m_plan.map.map,
                                   {.maxContext = m_plan.context, .mixed = m_plan.mixed, .batch = m_plan.batch}));
        m_session = std::move(session);
        m_session->setCancelFlag(m_cancel);
        return {};
    }

    /// From here on spans are recorded, and kernels where there are some.
    TraceSink *watch()
    {
        std::vector<TraceSink *> sinks;
        if (TraceSink *outside = attachedNvtxSink())
            sinks.push_back(outside);
        if (m_progress)
            sinks.push_back(&*m_progress);
        m_waiting = ProcessorWait();
        if (m_model->isDealt()) {
            m_sinks.emplace(std::move(sinks));
            return &m_ranks.emplace(*m_model, m_plan.mostSpans, &*m_sinks);
        }
        sinks.push_back(&m_recorder);
        if (m_can.showsKernels) {
            if (auto started = KernelCollector::start(m_recorder, m_plan.kernelLimits))
                m_kernels = std::move(*started);
            else
                m_whyNoKernels = started.error().message;
            if (m_kernels)
                sinks.push_back(m_kernels.get());
        }
        m_sinks.emplace(std::move(sinks));
        return &*m_sinks;
    }

    void unwatch()
    {
        m_isDisturbed = m_can.onProcessor && m_waiting.isInterrupted();
        m_session->setTraceSink(nullptr);
    }

    /// Behind what there is. Of a recording that did not end, the pass that was running does not count.
    void keep(bool isWhole)
    {
        if (!m_can.onProcessor || m_kernels || m_ranks || m_plan.batch != 1)
            return;
        const std::vector<TraceSpan> &spans = m_recorder.spans();
        std::size_t end = spans.size();
        if (!isWhole) {
            // A chunk fails within its span, a step perhaps before it has one.
            std::int64_t all = std::count_if(spans.begin(), spans.end(), [](const TraceSpan &span) { return span.parent < 0; });
            all = m_plan.phase == Phase::Decode ? std::min(all, m_recordedSteps) : std::max<std::int64_t>(0, all - 1);
            const auto isBehind = [&](const TraceSpan &span) { return span.parent < 0 && all-- == 0; };
            end = static_cast<std::size_t>(std::find_if(spans.begin(), spans.end(), isBehind) - spans.begin());
        }
        const auto base = static_cast<std::int32_t>(m_soFar.spans.size());
        std::int64_t from = 0;
        for (const TraceSpan &span : m_soFar.spans)
            from = std::max(from, span.endNs());
        for (std::size_t i = 0; i < end; ++i) {
            TraceSpan span = spans[i];
            span.beginNs += from;
            if (span.parent >= 0) {
                span.parent += base;
            } else {
                m_soFar.tokens += span.tokens;
                ++m_soFar.passes;
            }
            m_soFar.spans.push_back(span);
            m_soFar.batches.push_back(m_recorder.batches()[i]);
        }
        m_soFar.dropped += m_recorder.dropped();
        m_soFar.isDisturbed = m_soFar.isDisturbed || m_isDisturbed;
    }

    Result<void> prefillOnce(std::span<const int> tokens)
    {
        m_session->reset();
        for (int sequence = 0; sequence < m_session->batch(); ++sequence)
            ZIGZAG_CHECK(m_session->run(tokens, Session::Logits::Last, sequence));
        return {};
    }

    Result<void> prefill()
    {
        ZIGZAG_CHECK(open());
        const std::vector<int> tokens = randomTokens(m_plan.context, m_config.vocabulary, m_plan.seed);
        // A GPU chooses its matrix products by time, once for each number of rows: all that the run has come first.
        const std::int64_t chunk = m_can.onProcessor ? 64 : m_model->backend->device().prefillChunk;
        for (const std::int64_t rows :
             {std::min(chunk, m_plan.context), !m_can.onProcessor && m_plan.context > chunk ? m_plan.context % chunk : 0})
            if (rows > 0)
                ZIGZAG_CHECK(prefillOnce(std::span(tokens).first(static_cast<std::size_t>(rows))));
        if (m_soFar.tokens > 0)
            m_session->pretend(m_soFar.tokens, m_plan.seed);
        else
            m_session->reset();
        m_session->setTraceSink(watch());
        for (int sequence = 0; sequence < m_session->batch(); ++sequence)
            ZIGZAG_CHECK(m_session->run(std::span(tokens).subspan(static_cast<std::size_t>(m_soFar.tokens)),
                                        Session::Logits::Last, sequence));
        unwatch();
        return {};
    }

    /// Decode steps that end with `context` tokens in the cache, after up to two that nobody counts.
    Result<void> decode()
    {
        const std::int64_t first = m_plan.context - m_steps, before = std::min<std::int64_t>(first, 2);
        const auto batch = static_cast<std::size_t>(m_plan.batch);
        const std::vector<int> tokens
            = randomTokens((std::int64_t{m_steps} + 2) * m_plan.batch, m_config.vocabulary, m_plan.seed);
        const auto next
            = [&](std::int64_t step) { return std::span(tokens).subspan(static_cast<std::size_t>(step) * batch, batch); };
        m_isReplayed = m_can.recordsSteps && m_can.showsKernels && m_plan.replays && before == 2 && !m_model->isDealt();
        if (m_isReplayed) { // the same steps, unwatched
            ZIGZAG_CHECK(open());
            m_session->pretend(first - before, m_plan.seed);
            ZIGZAG_CHECK(m_session->continueGreedily(next(0), 2));
            ZIGZAG_CHECK(m_session->continueGreedily(next(2), m_steps));
            m_stepMs = m_session->decodeMs() / m_steps;
        }
        ZIGZAG_CHECK(open());
        const std::int64_t done = m_soFar.passes;
        m_session->pretend(first - before + done, m_plan.seed);
        if (!m_isReplayed) {
            for (std::int64_t step = 0; step < before; ++step)
                ZIGZAG_CHECK(m_session->step(next(step)));
            m_session->setTraceSink(watch());
            for (std::int64_t step = before + done; step < before + m_steps; ++step, ++m_recordedSteps)
                ZIGZAG_CHECK(m_session->step(next(step)));
        } else {
            // The first step runs as it is, the second is recorded, which the recorder has to see, and replayed once.
            ZIGZAG_CHECK(m_session->continueGreedily(next(0), 1));
            m_session->setTraceSink(watch(), Session::Replays::Run);
            ZIGZAG_CHECK(m_session->continueGreedily(next(1), 1));
            m_firstSpan = m_recorder.spans().size();
            ZIGZAG_CHECK(m_session->continueGreedily(next(2), m_steps));
            m_watchedStepMs = m_session->decodeMs() / m_steps;
        }
        unwatch();
        return {};
    }

    Trace ofRanks(TraceInfo info) const
    {
        if (m_ranks->waits())
            info.note = "kernels of several GPUs are not recorded: each op was waited for, which adds a launch to each";
        return m_ranks->trace(std::move(info), m_plan.map.map);
    }

    /// All that was recorded, one part behind the other.
    Trace inParts(TraceInfo info)
    {
        info.note = "recorded in several parts: it was stopped, and went on behind random keys and values";
        Trace trace = makeTrace(std::move(info), m_soFar.spans, m_soFar.batches, m_config, m_plan.map.map);
        trace.rows = {"host"};
        trace.dropped = m_soFar.dropped;
        return trace;
    }

    Trace inTimeOfHost(TraceInfo info)
    {
        if (!m_whyNoKernels.empty())
            info.note = fmt::format("kernels were not recorded, and spans are the host's calls: {}", m_whyNoKernels);
        return m_recorder.trace(std::move(info), m_config, m_plan.map.map);
    }

    Trace inTimeOfKernels(TraceInfo info)
    {
        std::int64_t dropped = 0;
        const std::vector<KernelRecord> records = m_kernels->stop(dropped);
        DeviceSpans device = inDeviceTime(m_recorder.spans(), m_recorder.batches(), records, m_firstSpan);
        if (device.spans.empty()) {
            m_whyNoKernels = fmt::format("CUPTI gave {} records of them, and none belongs to a span", records.size());
            Trace trace = inTimeOfHost(std::move(info));
            trace.dropped += dropped;
            return trace;
        }
        info.inDeviceTime = true;
        if (device.unknown > 0)
            info.note = fmt::format("{} of {} kernels belong to no span", device.unknown, device.kernels.size());
        Trace trace = makeTrace(std::move(info), std::move(device.spans), device.batches, m_config, m_plan.map.map);
        trace.rows = std::move(device.rows);
        trace.kernelNames = std::move(device.kernelNames);
        trace.kernels = std::move(device.kernels);
        trace.dropped = m_recorder.dropped() + dropped;
        return trace;
    }

    const std::shared_ptr<DeviceModel> &m_model;
    const ModelConfig &m_config;
    const MachineProfile &m_machine;
    const TracePlan &m_plan;
    const std::atomic<bool> *m_cancel;
    const int m_steps;
    const Capabilities m_can;
    bool m_isReplayed = false, m_isDisturbed = false;
    ProcessorWait m_waiting; ///< since the recording began
    double m_stepMs = 0, m_watchedStepMs = 0;
    std::int64_t m_recordedSteps = 0; ///< that came to their end, op by op
    std::size_t m_firstSpan = 0; ///< of what counts
    TraceSoFar &m_soFar;
    std::optional<LayerProgress> m_progress;
    TraceRecorder m_recorder;
    std::unique_ptr<KernelCollector> m_kernels;
    std::string m_whyNoKernels;
    std::optional<FanOutSink> m_sinks;
    std::optional<RankRecording> m_ranks; ///< of a model that was dealt out, instead of the recorder
    std::unique_ptr<Session> m_session; ///< last: it has the sinks
};

} // namespace

Result<Trace> recordTrace(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                          const TracePlan &plan, const std::atomic<bool> *cancel, const std::function<void(double)> &progress,
                          TraceSoFar *soFar)
{
    if (plan.context < 1 || plan.steps < 1)
        return badInput(fmt::format("{} decode steps at a context of {} tokens cannot be recorded: ask for at least 1 of each",
                                    plan.steps, plan.context));
    TraceSoFar own;
    return TraceRun(model, config, machine, plan, cancel, progress, soFar ? *soFar : own).run();
}

} // namespace zigzag
