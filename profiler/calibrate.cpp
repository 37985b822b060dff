// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/device_model.h"
#include "profiler/cost_model.h"
#include "profiler/interruptions.h"
#include "profiler/random_tokens.h"
#include "profiler/read_meter.h"
#include "profiler/trace/trace_recorder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t leastContext = 128;
constexpr std::int64_t usualChunk = 512;
constexpr int decodeSteps = 4; ///< in one visit, with recording and without
constexpr int mostRounds = 9;
constexpr int mostTries = 5; ///< of a pass that the system interrupts
constexpr double quickMs = 60; ///< a pass so short that warming it up costs nothing

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Waits for the device at the end of each span, so that a recorder behind it sees the op and not its launch.
class WaitingSink : public TraceSink
{
public:
    explicit WaitingSink(Backend &backend)
        : m_backend(backend)
    { }
    void begin(const SpanInfo &) override { }
    void end() override { static_cast<void>(m_backend.synchronize()); } // a failure comes back from the pass itself

private:
    Backend &m_backend;
};

/// Visits one point after the other, round by round, so that what else the machine does touches all of them alike.
class ModelMeasurement
{
public:
    ModelMeasurement(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                     std::int64_t longest, const CalibrationPlan &plan, const std::atomic<bool> *cancel)
        : m_model(model)
        , m_config(config)
        , m_machine(machine)
        , m_plan(plan)
        , m_cancel(cancel)
        , m_longest(longest)
    {
        m_samples.config = config;
        planPrefill();
        planDecode();
    }

    Result<ModelSamples> run(const std::function<void(double)> &progress)
    {
        const auto begin = Clock::now();
        int rounds = mostRounds;
        std::size_t done = 0;
        for (int round = 0; round < rounds; ++round) {
            for (const PassPoint &point : m_points) {
                ZIGZAG_CHECK(visit(point, round));
                ++done;
                // After the first round it is known how many there is time for.
                if (round == 0 && done == m_points.size()) {
                    const double seconds = std::max(1e-3, 1e-3 * msSince(begin));
                    rounds = static_cast<int>(std::clamp(m_plan.seconds / seconds, 1.0, static_cast<double>(mostRounds)));
                }
                if (progress)
                    progress(static_cast<double>(done) / static_cast<double>(m_points.size() * static_cast<std::size_t>(rounds)));
            }
        }
        return std::move(m_samples);
    }

private:
    struct Window {
        HeadKind kind = HeadKind::Retrieval;
        int sink = 0, recent = 1;
    };

    /// All heads retrieval, and two windows, so that a fit can tell what grows with the window from what grows with the rows.
    std::vector<Window> windows() const
    {
        const int narrow = static_cast<int>(std::clamp<std::int64_t>(m_longest / 16, 1, 1024)), wide = 4 * narrow;
        return {{}, {HeadKind::Streaming, narrow / 4, narrow}, {HeadKind::Streaming, wide / 4, wide}};
    }

    void add(Phase phase, const Window &window, const PassShape &pass)
    {
        const PassPoint point{phase, window.kind, window.sink, window.recent, pass};
        m_points.push_back(point);
    }

    void planPrefill()
    {
        const HeadMap full(m_config.shape(), HeadKind::Retrieval, 0, 1);
        const std::int64_t chunk = std::min(m_machine.prefillChunk > 0 ? m_machine.prefillChunk : usualChunk, m_longest);
        std::vector<std::int64_t> rows;
        for (const std::int64_t count : {std::int64_t{2}, std::int64_t{8}, std::int64_t{9}, std::int64_t{32}, std::int64_t{64},
                                         std::int64_t{128}, chunk / 2, 3 * chunk / 4, chunk})
            if (count >= 2 && count <= chunk && floorMs(m_config, full, m_machine, Phase::Prefill, count) < 100 * m_plan.seconds)
                rows.push_back(count);
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
        if (rows.empty())
            rows.push_back(std::min<std::int64_t>(2, chunk));
        const std::vector<Window> all = windows();
        for (const std::int64_t count : rows)
            add(Phase::Prefill, all[0], {.tokens = count});
        const std::int64_t most = rows.back(), few = rows[rows.size() / 2];
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i > 0) {
                add(Phase::Prefill, all[i], {.tokens = most});
                add(Phase::Prefill, all[i], {.tokens = few});
            }
            for (const std::int64_t first : {(m_longest - most) / 2, m_longest - most})
                if (first > 0)
                    add(Phase::Prefill, all[i], {.tokens = most, .firstPosition = first});
            if (m_longest > 2 * few)
                add(Phase::Prefill, all[i], {.tokens = few, .firstPosition = m_longest - few});
        }
    }

    void planDecode()
    {
        const std::vector<Window> all = windows();
        const std::int64_t shortest = std::min<std::int64_t>(m_longest, 64);
        for (const int batch : {1, 2, 3, 4, 6, 8, 9, 12, 16, 32})
            add(Phase::Decode, all[0], {.firstPosition = shortest - 1, .batch = batch});
        for (const Window &window : all) {
            for (const std::int64_t context : {m_longest / 8, m_longest / 2, m_longest})
                if (context > shortest)
                    add(Phase::Decode, window, {.firstPosition = context - 1});
            for (const int batch : {2, 6})
                add(Phase::Decode, window, {.firstPosition = std::max(shortest, m_longest / 2) - 1, .batch = batch});
        }
    }

    /// One point: warmed up, then with recording and without.
    Result<void> visit(const PassPoint &point, int round)
    {
        const HeadMap map(m_config.shape(), point.kind, point.sink, point.recent);
        const bool decode = point.phase == Phase::Decode;
        SessionOptions options;
        options.maxContext = point.pass.firstPosition + point.pass.tokens + (decode ? 2 * decodeSteps + 1 : 0);
        options.batch = point.pass.batch;
        auto session = Session::create(m_model, map, options);
        if (!session && session.error().kind == ErrorKind::Failed) // no memory for this point: the others say enough
            return {};
        if (!session)
            return tl::unexpected(std::move(session.error()));
        (*session)->setCancelFlag(m_cancel);
        const double rate = readRate(point);
        return decode ? visitDecode(**session, point, rate) : visitPrefill(**session, point, round, rate);
    }

    Result<void> visitDecode(Session &session, const PassPoint &point, double rate)
    {
        const std::vector<int> tokens = randomTokens(point.pass.batch, m_config.vocabulary, ++m_seed);
        // Recorded and unrecorded steps take turns around the point's position.
        const std::int64_t first = std::max<std::int64_t>(0, point.pass.firstPosition - decodeSteps - 1);
        session.pretend(first, m_seed);
        ZIGZAG_CHECK(session.step(tokens)); // filling the cache chilled everything else
        TraceRecorder recorder(mostSpans());
        std::vector<TraceSpan> spans;
        std::vector<double> plain;
        const auto step = [&](TraceSink *sink) -> Result<double> {
            if (session.position() == session.maxContext()) { // tried so often that the context is used up: not far back
                session.pretend(first, m_seed);
                ZIGZAG_CHECK(session.step(tokens));
            }
            recorder.clear();
            session.setTraceSink(sink);
            const auto begin = Clock::now();
            ZIGZAG_CHECK(session.step(tokens));
            return msSince(begin);
        };
        for (int i = 0; i < decodeSteps; ++i) {
            ZIGZAG_CHECK(leastDisturbed([&] { return step(sinkFor(recorder)); }, mostTries));
            append(spans, recorder.spans());
            ZIGZAG_TRY(ms, leastDisturbed([&] { return step(nullptr); }, mostTries));
            plain.push_back(ms);
        }
        keep(point, spans, quantile(plain, 0.5), rate);
        return {};
    }

    Result<void> visitPrefill(Session &session, const PassPoint &point, int round, double rate)
    {
        const std::vector<int> tokens = randomTokens(point.pass.tokens, m_config.vocabulary, ++m_seed);
        TraceRecorder recorder(mostSpans());
        std::vector<TraceSpan> spans;
        const auto once = [&](TraceSink *sink) -> Result<double> {
            if (point.pass.firstPosition > 0)
                session.pretend(point.pass.firstPosition, m_seed);
            else
                session.reset();
            recorder.clear();
            session.setTraceSink(sink);
            const auto begin = Clock::now();
            ZIGZAG_CHECK(session.run(tokens));
            const double ms = msSince(begin);
            session.setTraceSink(nullptr);
            return ms;
        };
        auto &known = m_lastMs[point.pass.tokens];
        if (round == 0 || known < quickMs) {
            ZIGZAG_TRY(ms, once(nullptr));
            known = ms;
        }
        std::vector<double> plain;
        const int repeats = known < quickMs ? 2 : 1, tries = known < quickMs ? mostTries : 1;
        for (int i = 0; i < repeats; ++i) {
            ZIGZAG_CHECK(leastDisturbed([&] { return once(sinkFor(recorder)); }, tries));
            append(spans, recorder.spans());
            ZIGZAG_TRY(ms, leastDisturbed([&] { return once(nullptr); }, tries));
            plain.push_back(ms);
        }
        keep(point, spans, quantile(plain, 0.5), rate);
        return {};
    }

    /// Spans of one more pass, their parents where they now are.
    static void append(std::vector<TraceSpan> &all, const std::vector<TraceSpan> &more)
    {
        const auto offset = static_cast<std::int32_t>(all.size());
        for (TraceSpan span : more) {
            span.parent += span.parent < 0 ? 0 : offset;
            all.push_back(span);
        }
    }

    /// Of each op the median of its own time over layers and passes.
    void keep(const PassPoint &point, const std::vector<TraceSpan> &spans, double ms, double rate)
    {
        std::vector<double> self;
        for (const TraceSpan &span : spans)
            self.push_back(static_cast<double>(span.durationNs) / 1e3);
        for (const TraceSpan &span : spans)
            if (span.parent >= 0)
                self[static_cast<std::size_t>(span.parent)] -= static_cast<double>(span.durationNs) / 1e3;
        std::array<std::vector<double>, opNames.size()> byOp;
        for (std::size_t i = 0; i < self.size(); ++i)
            byOp[static_cast<std::size_t>(spans[i].op)].push_back(std::max(0.0, self[i]));
        for (std::size_t i = 0; i < byOp.size(); ++i)
            if (!byOp[i].empty())
                m_samples.ops.push_back({point, static_cast<Op>(i), quantile(std::move(byOp[i]), 0.5), rate});
        m_samples.passes.push_back({point, ms, rate});
    }

    TraceSink *sinkFor(TraceRecorder &recorder)
    {
        if (m_model->backend->name() == "cpu") // each op has finished when it returns
            return &recorder;
        m_waiting.emplace(*m_model->backend);
        m_both.emplace(std::vector<TraceSink *>{&recorder, &*m_waiting});
        return &*m_both;
    }

    std::size_t mostSpans() const { return static_cast<std::size_t>(m_config.layers + 1) * 16; }

    double readRate(const PassPoint &point)
    {
        if (point.phase != Phase::Decode || m_model->backend->name() != "cpu" || staysInCache(m_config, m_machine))
            return 0;
        if (!m_meter)
            m_meter.emplace(uncachedBytes(m_machine.lastLevelCacheBytes, m_model->backend->device().memoryBytes),
                            std::max(1, m_machine.threads));
        return m_meter->now(m_cancel);
    }

    const std::shared_ptr<DeviceModel> &m_model;
    const ModelConfig &m_config;
    const MachineProfile &m_machine;
    const CalibrationPlan &m_plan;
    const std::atomic<bool> *m_cancel;
    std::int64_t m_longest;
    std::vector<PassPoint> m_points;
    std::map<std::int64_t, double> m_lastMs; ///< by tokens of a pass
    std::optional<ReadMeter> m_meter;
    std::optional<WaitingSink> m_waiting;
    std::optional<FanOutSink> m_both;
    std::uint64_t m_seed = 0;
    ModelSamples m_samples;
};

} // namespace

Result<ModelSamples> measureModel(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                  const MachineProfile &machine, const CalibrationPlan &plan, const std::atomic<bool> *cancel,
                                  const std::function<void(double)> &progress)
{
    if (plan.maxContext < 1)
        return badInput("a cost model needs a context of at least 1 token");
    // The cache of a long context may not fit although the model does: measure where it does.
    const HeadMap full(config.shape(), HeadKind::Retrieval, 0, 1);
    std::int64_t longest = plan.maxContext;
    for (;; longest /= 2) {
        SessionOptions options;
        options.maxContext = longest;
        const auto session = Session::create(model, full, options);
        if (session)
            break;
        if (longest <= leastContext)
            return tl::unexpected(session.error());
    }
    return ModelMeasurement(model, config, machine, longest, plan, cancel).run(progress);
}

Result<CostModel> calibrate(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                            std::int64_t maxContext, const std::atomic<bool> *cancel, const std::function<void(double)> &progress)
{
    constexpr double someSeconds = 6;
    ZIGZAG_TRY(samples,
               measureModel(model, config, machine, {.maxContext = maxContext, .seconds = someSeconds}, cancel, progress));
    return CostModel({machine, {std::move(samples)}}, config);
}

} // namespace zigzag
