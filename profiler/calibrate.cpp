// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost_model.h"
#include "profiler/trace/trace_recorder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double pointSeconds = 0.12; ///< spent on one point (map, phase, context), a few runs of it at least
constexpr int mostRuns = 9;
constexpr std::int64_t decodeSteps = 8;
constexpr std::int64_t leastContext = 128;

std::vector<std::int64_t> contextsUpTo(std::int64_t longest)
{
    std::vector<std::int64_t> contexts
        = {std::max<std::int64_t>(1, longest / 8), std::max<std::int64_t>(1, longest / 2), longest};
    contexts.erase(std::unique(contexts.begin(), contexts.end()), contexts.end());
    return contexts;
}

/// The longest context whose prefill can be measured in a fraction of a second.
std::int64_t longestPrefill(const ModelConfig &config, const MachineProfile &machine, std::int64_t maxContext)
{
    const HeadMap full(config.shape(), HeadKind::Retrieval, 0, 1);
    std::int64_t context = maxContext;
    while (context > leastContext && floorMs(config, full, machine, Phase::Prefill, context) > 1e3 * pointSeconds)
        context = std::max(leastContext, context / 2);
    return context;
}

/// Records spans and times whole runs of one map at one context after the other.
class Calibration
{
public:
    Calibration(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const std::atomic<bool> *cancel)
        : m_model(model)
        , m_config(config)
        , m_cancel(cancel)
    { }

    Result<void> measure(const HeadMap &map, Phase phase, std::int64_t context)
    {
        SessionOptions options;
        options.maxContext = context;
        ZIGZAG_TRY(session, Session::create(m_model, map, options));
        session->setCancelFlag(m_cancel);
        const std::int64_t steps = phase == Phase::Prefill ? 1 : std::min(decodeSteps, context);
        const std::int64_t tokens = phase == Phase::Prefill ? context : 1;
        m_tokens.resize(static_cast<std::size_t>(tokens * steps));
        for (int &token : m_tokens)
            token = static_cast<int>(m_random() % static_cast<std::uint64_t>(m_config.vocabulary));

        TraceRecorder recorder;
        std::array<std::vector<double>, opNames.size()> spans;
        std::vector<double> whole;
        const auto begin = Clock::now();
        for (int run = -1; run < mostRuns; ++run) { // the first warms up
            const bool enough = std::chrono::duration<double>(Clock::now() - begin).count() > pointSeconds;
            if (run > 0 && enough)
                break;
            recorder.clear();
            ZIGZAG_CHECK(runOnce(*session, phase, context, steps, &recorder));
            ZIGZAG_TRY(ms, runOnce(*session, phase, context, steps, nullptr));
            if (run < 0 && !enough)
                continue;
            for (std::size_t i = 0; i < opNames.size(); ++i)
                spans[i].push_back(recorder.selfUs(static_cast<Op>(i)) / static_cast<double>(steps));
            whole.push_back(ms / static_cast<double>(steps));
            if (run < 0) // so slow that the first run has to do
                break;
        }
        m_runs.push_back({phase, map, context, quantile(whole, 0.5)});
        for (std::size_t i = 0; i < opNames.size(); ++i) {
            const Op op = static_cast<Op>(i);
            const OpCost cost = opCost(m_config, map, op, isInLayer(op) ? 0 : -1, phase, context);
            const double us = quantile(spans[i], 0.5) / (isInLayer(op) ? m_config.layers : 1);
            m_ops.push_back({phase, op, map.at(0, 0), {cost.tokens, phase == Phase::Decode ? cost.bytes : cost.flops, us}});
        }
        return {};
    }

    const std::vector<OpSample> &ops() const { return m_ops; }
    const std::vector<RunSample> &runs() const { return m_runs; }

private:
    /// Milliseconds of one prefill, or of `steps` decode steps that end at `context`.
    Result<double> runOnce(Session &session, Phase phase, std::int64_t context, std::int64_t steps, TraceSink *sink)
    {
        const std::span<const int> tokens(m_tokens);
        if (phase == Phase::Prefill) {
            session.reset();
        } else if (context > steps) { // a step before the clock starts: filling the cache chilled others
            session.pretend(context - steps - 1, 1);
            ZIGZAG_CHECK(session.run(tokens.first(1)));
        } else {
            session.pretend(context - steps, 1);
        }
        session.setTraceSink(sink);
        const std::size_t each = tokens.size() / static_cast<std::size_t>(steps);
        const auto begin = Clock::now();
        for (std::size_t at = 0; at < tokens.size(); at += each)
            ZIGZAG_CHECK(session.run(tokens.subspan(at, each)));
        const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
        session.setTraceSink(nullptr);
        return ms;
    }

    const std::shared_ptr<DeviceModel> &m_model;
    const ModelConfig &m_config;
    const std::atomic<bool> *m_cancel;
    std::mt19937_64 m_random{1};
    std::vector<int> m_tokens;
    std::vector<OpSample> m_ops;
    std::vector<RunSample> m_runs;
};

} // namespace

Result<CostModel> calibrate(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                            std::int64_t maxContext, const std::atomic<bool> *cancel, const std::function<void(double)> &progress)
{
    if (maxContext < 1)
        return badInput("a cost model needs a context of at least 1 token");
    // The cache of a long context may not fit although the model does: measure where it does.
    const HeadMap full(config.shape(), HeadKind::Retrieval, 0, 1);
    std::int64_t longest = maxContext;
    for (;; longest /= 2) {
        SessionOptions options;
        options.maxContext = longest;
        const auto session = Session::create(model, full, options);
        if (session)
            break;
        if (longest <= leastContext)
            return tl::unexpected(session.error());
    }

    Calibration calibration(model, config, cancel);
    const std::array<std::vector<std::int64_t>, 2> contexts
        = {contextsUpTo(longestPrefill(config, machine, longest)), contextsUpTo(longest)};
    const std::size_t all = 3 * (contexts[0].size() + contexts[1].size());
    std::size_t done = 0;
    for (const Phase phase : {Phase::Prefill, Phase::Decode})
        for (const std::int64_t context : contexts[static_cast<std::size_t>(phase)]) {
            // Two windows, so that the fit can tell what grows with the window from what grows with the tokens.
            const int narrow = static_cast<int>(std::clamp<std::int64_t>(context / 16, 1, 1024)), wide = 4 * narrow;
            for (const HeadMap &map : {full, HeadMap(config.shape(), HeadKind::Streaming, narrow / 4, narrow),
                                       HeadMap(config.shape(), HeadKind::Streaming, wide / 4, wide)}) {
                ZIGZAG_CHECK(calibration.measure(map, phase, context));
                if (progress)
                    progress(static_cast<double>(++done) / static_cast<double>(all));
            }
        }
    return fitCostModel(config, machine, calibration.ops(), calibration.runs());
}

} // namespace zigzag
