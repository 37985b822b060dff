// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/calibrate.h"

#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/measure/calibration_points.h"
#include "profiler/timing/first_layers.h"
#include "profiler/timing/pace_meter.h"
#include "profiler/timing/sampler.h"
#include "profiler/timing/timed_runs.h"
#include "profiler/trace/op_recording.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t leastContext = 128;
constexpr int decodeSteps = 4; ///< in one visit, with recording and without
constexpr int mostVisits = 9; ///< of a point
constexpr int fewestPoints = 5; ///< of each phase and kind of heads
constexpr double quickMs = 60; ///< a pass so short that warming it up and repeating it costs little

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// What was measured of one point.
struct PointVisits {
    struct Ops {
        Sample state; ///< of the passes that were recorded
        OpTimes us;
    };
    PassPoint point;
    std::vector<Ops> recorded;
    std::vector<Sample> plain; ///< passes without recording
};

/// Visits one point after the other, round by round, so that what else the machine does touches all of them alike.
class ModelMeasurement
{
public:
    ModelMeasurement(std::shared_ptr<DeviceModel> model, const MachineProfile &machine, std::int64_t longest,
                     const CalibrationPlan &plan, const std::atomic<bool> *cancel)
        : m_model(std::move(model))
        , m_plan(plan)
        , m_cancel(cancel)
        , m_sampler(m_model, plan.seconds, cancel, 0, plan.time)
    {
        constexpr double mostShare = 0.015; // of the time, for one pass
        for (const PassPoint &point : calibrationPoints(m_model->config(), machine, longest, 1e3 * mostShare * plan.seconds))
            m_visits.push_back({point, {}, {}});
    }

    /// The first round to its end, and others while there is time.
    Result<ModelSamples> run(const std::function<void(double)> &progress)
    {
        const auto begin = Clock::now();
        double shown = 0;
        for (int round = 0; round < mostVisits; ++round)
            for (std::size_t i = 0; i < m_visits.size(); ++i) {
                const double spent = msSince(begin) / 1e3 / m_plan.seconds;
                if ((round > 0 && spent >= 1) || (round == 0 && i >= std::size_t{fewestPoints} * 4 && isHopeless()))
                    return samples();
                ZIGZAG_CHECK(visit(m_visits[i]));
                // Of the first round it is known how much is left, of the others how much time.
                const double done = static_cast<double>(i + 1) / static_cast<double>(m_visits.size());
                const double share = round == 0 ? std::min(done, std::max(spent, 0.5 * done)) : std::min(1.0, spent);
                if (progress && share > shown)
                    progress(shown = share);
            }
        return samples();
    }

private:
    /// Whether the job's time has run out and most of what was measured until then is disturbed: more of it says no more.
    bool isHopeless() const
    {
        if (!m_plan.time.isUsedUp())
            return false;
        std::ptrdiff_t disturbed = 0, taken = 0;
        for (const PointVisits &visits : m_visits) {
            taken += std::ssize(visits.plain);
            disturbed += std::count_if(visits.plain.begin(), visits.plain.end(),
                                       [&](const Sample &sample) { return m_sampler.isDisturbed(sample); });
        }
        return 2 * disturbed > taken;
    }

    Result<std::unique_ptr<Session>> open(const PassPoint &point) const
    {
        const HeadMap map(m_model->config().shape(), point.kind, point.sink, point.recent);
        SessionOptions options;
        options.maxContext = point.pass.firstPosition + point.pass.tokens;
        options.batch = point.pass.batch;
        ZIGZAG_TRY(session, Session::create(m_model, map, options));
        session->setCancelFlag(m_cancel);
        return std::move(session);
    }

    Result<void> visit(PointVisits &visits)
    {
        auto session = open(visits.point);
        if (!session && session.error().kind == ErrorKind::Failed) // no memory for this point: the others say enough
            return {};
        if (!session)
            return tl::unexpected(std::move(session.error()));
        return visits.point.phase == Phase::Decode ? visitDecode(std::move(*session), visits) : visitPrefill(**session, visits);
    }

    Result<void> visitDecode(std::unique_ptr<Session> session, PointVisits &visits)
    {
        const std::vector<int> tokens = randomTokens(visits.point.pass.batch, m_model->config().vocabulary, ++m_seed);
        const std::int64_t context = visits.point.pass.firstPosition + 1;
        ZIGZAG_TRY(plain, m_sampler.take([&] { return timeDecode(*session, context, tokens, decodeSteps, m_seed); }));
        visits.plain.push_back(plain);
        // As many steps as are timed without recording, after one that warms up what filling the cache chilled.
        const std::int64_t steps = std::min<std::int64_t>(decodeSteps, context);
        const auto once = [&](OpRecording &recording) -> Result<double> {
            const bool replays = recording.seesKernels() && context >= steps + 2;
            session->pretend(std::max<std::int64_t>(0, context - steps - (replays ? 2 : 1)), m_seed);
            if (replays) { // the second step is recorded, which has to be seen, and replayed from then on
                ZIGZAG_CHECK(session->continueGreedily(tokens, 1));
                session->setTraceSink(recording.sink(), Session::Replays::Run);
                ZIGZAG_CHECK(session->continueGreedily(tokens, 1));
                recording.restart();
                ZIGZAG_CHECK(session->continueGreedily(tokens, static_cast<int>(steps)));
                return session->decodeMs();
            }
            if (context > steps)
                ZIGZAG_CHECK(session->step(tokens));
            session->setTraceSink(recording.sink());
            recording.restart();
            const auto begin = Clock::now();
            for (std::int64_t i = 0; i < steps; ++i)
                ZIGZAG_CHECK(session->step(tokens));
            return msSince(begin);
        };
        if (m_model->backend->capabilities().recordsSteps) { // a recorded step has not been seen
            session.reset(); // two would need twice the memory
            ZIGZAG_TRY(anew, open(visits.point));
            session = std::move(anew);
        }
        return record(*session, visits, once);
    }

    Result<void> visitPrefill(Session &session, PointVisits &visits)
    {
        const PassShape &pass = visits.point.pass;
        const std::vector<int> tokens = randomTokens(pass.tokens, m_model->config().vocabulary, ++m_seed);
        const auto once = [&](OpRecording *recording) -> Result<double> {
            if (pass.firstPosition > 0)
                session.pretend(pass.firstPosition, m_seed);
            else
                session.reset();
            session.setTraceSink(recording ? recording->sink() : nullptr);
            if (recording)
                recording->restart();
            const auto begin = Clock::now();
            ZIGZAG_CHECK(session.run(tokens));
            return msSince(begin);
        };
        double ms = visits.plain.empty() ? 0.0 : visits.plain.back().ms;
        if (ms < quickMs) { // the session's memory is touched for the first time, which a long pass hardly feels
            ZIGZAG_TRY(first, once(nullptr));
            ms = first;
        }
        const int repeats = ms < quickMs ? 2 : 1;
        for (int i = 0; i < repeats; ++i) {
            ZIGZAG_TRY(plain, m_sampler.take([&] { return once(nullptr); }));
            visits.plain.push_back(plain);
            ZIGZAG_CHECK(record(session, visits, [&](OpRecording &recording) { return once(&recording); }));
        }
        return {};
    }

    /// Takes a sample of `once` with recording, and keeps the times of its ops.
    Result<void> record(Session &session, PointVisits &visits, const std::function<Result<double>(OpRecording &)> &once)
    {
        constexpr int tries = 4;
        OpRecording recording(*m_model, tries * (decodeSteps + 1));
        auto state = m_sampler.take([&] { return once(recording); }, tries);
        session.setTraceSink(nullptr);
        if (!state)
            return tl::unexpected(std::move(state.error()));
        if (OpTimes us = recording.finish(); !us.empty())
            visits.recorded.push_back({*state, std::move(us)});
        return {};
    }

    /// What was taken while nothing disturbed the machine: a point less does less harm than one of another machine. Where
    /// too few points are left of a phase and kind of heads, all.
    ModelSamples samples() const
    {
        constexpr std::ptrdiff_t fewPoints = 5;
        const auto calm = [&](const Sample &sample) { return !m_sampler.isDisturbed(sample); };
        const auto calmOps = [&](const PointVisits::Ops &ops) { return calm(ops.state); };
        const auto seen = opsSeen();
        ModelSamples out;
        out.paceMs = fullPaceMs(m_model->config());
        const auto count = [&](const Sample &sample) {
            ++out.samples;
            out.disturbed += m_sampler.isDisturbed(sample);
        };
        for (const PointVisits &visits : m_visits) {
            const auto alike = [&](const PointVisits &other) {
                return other.point.phase == visits.point.phase && other.point.kind == visits.point.kind;
            };
            const bool anyPlain
                = std::count_if(m_visits.begin(), m_visits.end(),
                                [&](const PointVisits &other) {
                                    return alike(other) && std::any_of(other.plain.begin(), other.plain.end(), calm);
                                })
                < fewPoints;
            const bool anyOps
                = std::count_if(m_visits.begin(), m_visits.end(),
                                [&](const PointVisits &other) {
                                    return alike(other) && std::any_of(other.recorded.begin(), other.recorded.end(), calmOps);
                                })
                < fewPoints;
            for (const Sample &plain : visits.plain)
                if (anyPlain || calm(plain)) {
                    out.passes.push_back({visits.point, plain.ms});
                    count(plain);
                }
            for (const PointVisits::Ops &ops : visits.recorded)
                if (anyOps || calmOps(ops)) {
                    count(ops.state);
                    auto missing = seen[static_cast<std::size_t>(visits.point.phase)];
                    for (const auto &[op, us] : ops.us) {
                        out.ops.push_back({visits.point, op, us});
                        missing.erase(op);
                    }
                    for (const Op op : missing)
                        out.ops.push_back({visits.point, op, 0});
                }
        }
        return out;
    }

    /// By phase, the ops that any point had. What another lacks took no time there: a GPU runs it inside the next op's kernel,
    /// but not at every number of rows.
    std::array<std::set<Op>, 2> opsSeen() const
    {
        std::array<std::set<Op>, 2> seen;
        for (const PointVisits &visits : m_visits)
            for (const PointVisits::Ops &ops : visits.recorded)
                for (const auto &[op, us] : ops.us)
                    seen[static_cast<std::size_t>(visits.point.phase)].insert(op);
        return seen;
    }

    const std::shared_ptr<DeviceModel> m_model;
    const CalibrationPlan &m_plan;
    const std::atomic<bool> *m_cancel;
    Sampler m_sampler;
    std::vector<PointVisits> m_visits;
    std::uint64_t m_seed = 0;
};

} // namespace

CalibrationPlan shortCalibration(std::int64_t maxContext, const JobTime &time)
{
    constexpr double someSeconds = 6, mostSeconds = 30;
    return {.maxContext = maxContext, .seconds = someSeconds, .time = JobTime::first(time, JobTime(mostSeconds))};
}

CalibrationPlan longCalibration(std::int64_t maxContext, double seconds)
{
    constexpr double mostTimes = 4;
    return {.maxContext = maxContext, .seconds = seconds, .time = JobTime(mostTimes * seconds)};
}

Result<ModelSamples> measureModel(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine,
                                  const CalibrationPlan &plan, const std::atomic<bool> *cancel,
                                  const std::function<void(double)> &progress)
{
    if (plan.maxContext < 1)
        return badInput("a cost model needs a context of at least 1 token");
    const std::shared_ptr<DeviceModel> part = firstLayers(model, machine);
    // The cache of a long context may not fit although the model does: measure where it does.
    const HeadMap full(part->config().shape(), HeadKind::Retrieval, 0, 1);
    std::int64_t longest = plan.maxContext;
    for (;; longest /= 2) {
        SessionOptions options;
        options.maxContext = longest;
        const auto session = Session::create(part, full, options);
        if (session)
            break;
        if (longest <= leastContext)
            return tl::unexpected(session.error());
    }
    ZIGZAG_TRY(samples, ModelMeasurement(part, machine, longest, plan, cancel).run(progress));
    samples.config = model->config();
    samples.layers = part->config().layers;
    return samples;
}

Result<CostModel> calibrate(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine, std::int64_t maxContext,
                            const std::atomic<bool> *cancel, const std::function<void(double)> &progress, const JobTime &time)
{
    ZIGZAG_TRY(samples, measureModel(model, machine, shortCalibration(maxContext, time), cancel, progress));
    return CostModel({machine, {std::move(samples)}}, model->config());
}

} // namespace zigzag
