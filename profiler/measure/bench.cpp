// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/bench.h"

#include "engine/map/kv_layout.h"
#include "engine/map/run_alike.h"
#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/cost/op_cost.h"
#include "profiler/machine/machine_profile.h"
#include "profiler/machine/read_meter.h"
#include "profiler/timing/first_layers.h"
#include "profiler/timing/sampler.h"
#include "profiler/timing/timed_runs.h"
#include "profiler/trace/nvtx_sink.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <span>
#include <utility>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

/// One of the things compared: a map, and the way its mixed layers run.
struct Contestant {
    const NamedMap *map = nullptr;
    MixedMode mixed = MixedMode::Fused;
    std::unique_ptr<Session> session; ///< null while memory holds one contestant at a time
    std::string failure; ///< why it cannot run at this context
};

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void setRatio(BenchRecord &record)
{
    record.floorRatio = record.medianMs > 0 ? record.floorMs / record.medianMs : 0.0;
}

void setFloor(BenchRecord &record, const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, int gpus)
{
    MachineProfile here = machine;
    if (!record.readRates.empty())
        here.readBytesPerSecond = quantile(record.readRates, 0.5);
    const Floor floor = computeFloor(config, map, here, record.phase, record.context, record.batch);
    record.ceilingPerSecond = floor.rate;
    record.floorMs = floor.ms / gpus;
    record.ceiling = floor.ceiling;
    setRatio(record);
}

/// Runs one plan; keeps what has been measured so far, so that a cancelled run still has it.
class Bench
{
public:
    Bench(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
          const BenchPlan &plan, const std::atomic<bool> *cancel, const BenchProgress &progress)
        : m_model(model)
        , m_config(config)
        , m_machine(machine)
        , m_plan(plan)
        , m_cancel(cancel)
        , m_progress(progress)
        , m_sampler(firstLayers(model, machine), plan.patienceSeconds, cancel, plan.fullPaceMs, plan.time)
    {
        for (const NamedMap &map : plan.maps) {
            if (map.map.isExclusive())
                m_contestants.push_back({&map, MixedMode::Fused, nullptr, {}});
            else
                for (const MixedMode mixed : plan.mixed)
                    m_contestants.push_back({&map, mixed, nullptr, {}});
        }
        m_all = static_cast<int>(m_contestants.size() * plan.contexts.size() * plan.batches.size() * plan.phases.size())
            * (plan.warmup + plan.repeats);
    }

    std::vector<BenchRecord> run()
    {
        for (const std::int64_t context : m_plan.contexts)
            for (const int batch : m_plan.batches) {
                bool isOpen = false;
                for (const Phase phase : m_plan.phases) {
                    if (takeKnown(phase, context, batch))
                        continue;
                    if (!std::exchange(isOpen, true))
                        openSessions(context, batch);
                    if (!measurePoint(phase, context, batch))
                        return measured();
                }
                for (Contestant &contestant : m_contestants)
                    contestant.session.reset();
            }
        return measured();
    }

private:
    bool isCancelRequested() const { return m_cancel && *m_cancel; }

    Result<std::unique_ptr<Session>> open(const Contestant &contestant, std::int64_t context, int batch) const
    {
        SessionOptions options;
        options.maxContext = context;
        options.mixed = contestant.mixed;
        options.batch = batch;
        ZIGZAG_TRY(session, Session::create(m_model, contestant.map->map, options));
        session->setCancelFlag(m_cancel);
        session->setTraceSink(attachedNvtxSink());
        return std::move(session);
    }

    /// The earlier run's records of a point, where it has one for every contestant.
    bool takeKnown(Phase phase, std::int64_t context, int batch)
    {
        const std::size_t first = m_records.size();
        for (const Contestant &contestant : m_contestants) {
            const BenchRecord wanted = emptyRecord(contestant, phase, context, batch);
            const auto found = std::find_if(m_plan.known.begin(), m_plan.known.end(), [&](const BenchRecord &known) {
                return known.map == wanted.map && known.mapFingerprint == wanted.mapFingerprint && known.phase == phase
                    && known.context == context && known.batch == batch && known.mixed == wanted.mixed
                    && (!known.failure.empty() || std::ssize(known.samplesMs) >= m_plan.repeats);
            });
            if (found == m_plan.known.end()) {
                m_records.resize(first);
                return false;
            }
            m_records.push_back(*found);
        }
        m_all -= static_cast<int>(m_contestants.size()) * (m_plan.warmup + m_plan.repeats);
        return true;
    }

    /// All sessions of a point at once; where that is too much memory, none, and every sample opens its own.
    void openSessions(std::int64_t context, int batch)
    {
        bool together = true;
        for (Contestant &contestant : m_contestants) {
            contestant.failure.clear();
            auto session = open(contestant, context, batch);
            together = together && session.has_value();
            if (session)
                contestant.session = std::move(*session);
        }
        if (together)
            return;
        for (Contestant &contestant : m_contestants)
            contestant.session.reset();
        for (Contestant &contestant : m_contestants)
            if (auto alone = open(contestant, context, batch); !alone)
                contestant.failure = alone.error().message;
    }

    Result<Sample> sample(Contestant &contestant, BenchRecord &record, std::span<const int> tokens, std::uint64_t seed,
                          bool counts)
    {
        std::unique_ptr<Session> own;
        if (!contestant.session) {
            ZIGZAG_TRY(opened, open(contestant, record.context, record.batch));
            own = std::move(opened);
        }
        Session &session = own ? *own : *contestant.session;
        record.kvBytesAllocated = session.kvBytesAllocated();
        std::vector<int> next(static_cast<std::size_t>(record.batch)); // a token of each sequence
        for (std::size_t i = 0; i < next.size(); ++i)
            next[i] = tokens[i % tokens.size()];
        const auto once = [&] {
            return record.phase == Phase::Prefill ? timePrefill(session, tokens)
                                                  : timeDecode(session, record.context, next, m_plan.decodeSteps, seed);
        };
        if (counts) {
            m_rateBefore = isBoundByMemory(record) ? readRate() : 0.0;
            return m_sampler.take(once);
        }
        ZIGZAG_TRY(ms, once());
        return Sample{.ms = ms};
    }

    BenchRecord emptyRecord(const Contestant &contestant, Phase phase, std::int64_t context, int batch) const
    {
        const HeadMap &map = contestant.map->map;
        BenchRecord record;
        record.map = contestant.map->name;
        record.mapFingerprint = fingerprintOf(map);
        record.batch = batch;
        record.phase = phase;
        record.context = context;
        record.mixed = contestant.mixed;
        record.kvType = m_config.kvType;
        record.kvBytes = batch * kvBytes(map, context, m_config.kvType);
        setFloor(record, m_config, map, m_machine, m_plan.gpus);
        record.failure = contestant.failure;
        return record;
    }

    /// Whether another round could still bring the spread below its bound.
    bool wantsAnotherRound(std::size_t first, int round) const
    {
        if (round > 0 && m_plan.time.isUsedUp() && isMostlyDisturbed(first))
            return false;
        if (round < m_plan.repeats)
            return true;
        if (m_plan.spreadBound <= 0 || round >= m_plan.mostRepeats
            || (m_plan.budgetSeconds > 0 && msSince(m_begin) > 1e3 * m_plan.budgetSeconds))
            return false;
        return std::any_of(m_records.begin() + static_cast<std::ptrdiff_t>(first), m_records.end(),
                           [&](const BenchRecord &record) {
                               return record.failure.empty() && record.spreadMs > m_plan.spreadBound * record.medianMs;
                           });
    }

    /// Of the point's samples so far; of none before there are some.
    bool isMostlyDisturbed(std::size_t first) const
    {
        std::ptrdiff_t disturbed = 0, samples = 0;
        for (std::size_t i = first; i < m_records.size(); ++i) {
            disturbed += m_records[i].disturbed;
            samples += std::ssize(m_records[i].samplesMs);
        }
        return samples > 0 && 2 * disturbed > samples;
    }

    /// One context, batch and phase for every contestant, a round after the other. False when cancelled.
    bool measurePoint(Phase phase, std::int64_t context, int batch)
    {
        const std::size_t first = m_records.size();
        for (const Contestant &contestant : m_contestants)
            m_records.push_back(emptyRecord(contestant, phase, context, batch));
        const auto canRun = [](const Contestant &contestant) { return contestant.failure.empty(); };
        const bool anyRuns = std::any_of(m_contestants.begin(), m_contestants.end(), canRun);
        const bool inHaste = m_plan.time.isUsedUp() && first > 0 && isMostlyDisturbed(first - m_contestants.size());
        const int firstRound = inHaste ? 0 : -m_plan.warmup;
        m_all -= (firstRound + m_plan.warmup) * static_cast<int>(m_contestants.size());
        int round = firstRound;
        for (; wantsAnotherRound(first, round); ++round) {
            if (round >= m_plan.repeats)
                m_all += static_cast<int>(m_contestants.size());
            // Fresh tokens and keys in each round, the same for every contestant.
            const std::uint64_t seed = m_plan.seed + static_cast<std::uint64_t>(round + m_plan.warmup);
            const std::vector<int> tokens = randomTokens(anyRuns ? context : 0, m_config.vocabulary, seed);
            for (std::size_t i = 0; i < m_contestants.size(); ++i) {
                BenchRecord &record = m_records[first + i];
                if (isCancelRequested())
                    return false;
                if (record.failure.empty()) {
                    const auto taken = sample(m_contestants[i], record, tokens, seed, round >= 0);
                    if (!taken && isCancelled(taken.error()))
                        return false;
                    if (!taken)
                        record.failure = taken.error().message;
                    else if (round >= 0)
                        addSample(first + i, *taken, m_contestants[i].map->map);
                }
                ++m_done;
                if (m_progress)
                    m_progress(m_done, m_all, measured());
            }
        }
        m_all -= std::max(0, m_plan.repeats - round) * static_cast<int>(m_contestants.size());
        return true;
    }

    bool isBoundByMemory(const BenchRecord &record) const
    {
        return record.phase == Phase::Decode && record.ceiling == memoryCeiling && m_machine.onProcessor;
    }

    /// What memory gives just now.
    double readRate()
    {
        if (!m_meter)
            m_meter.emplace(uncachedBytes(m_machine.lastLevelCacheBytes, m_model->backend->device().memoryBytes),
                            std::max(1, m_machine.threads));
        return m_meter->now(m_cancel);
    }

    /// The bandwidth of a shared machine drifts: each sample is held against the better of what memory gave just before and just
    /// after it.
    void takeReadRate(BenchRecord &record, const HeadMap &map)
    {
        if (const double rate = std::max(m_rateBefore, readRate()); rate > 0)
            record.readRates.push_back(rate);
        setFloor(record, m_config, map, m_machine, m_plan.gpus);
    }

    void addSample(std::size_t index, const Sample &sample, const HeadMap &map)
    {
        BenchRecord &record = m_records[index];
        if (isBoundByMemory(record))
            takeReadRate(record, map);
        record.samplesMs.push_back(sample.ms);
        m_taken[index].push_back(sample);
        countDisturbed();
        record.medianMs = quantile(record.samplesMs, 0.5);
        record.spreadMs = quantile(record.samplesMs, 0.75) - quantile(record.samplesMs, 0.25);
        setRatio(record);
    }

    /// Of all records: only now it may be known that the machine was slow when the first of them were taken.
    void countDisturbed()
    {
        for (const auto &[index, samples] : m_taken)
            m_records[index].disturbed = static_cast<int>(std::count_if(
                samples.begin(), samples.end(), [&](const Sample &sample) { return m_sampler.isDisturbed(sample); }));
    }

    /// The records that say something: a measurement or why there is none.
    std::vector<BenchRecord> measured() const
    {
        std::vector<BenchRecord> records;
        std::copy_if(m_records.begin(), m_records.end(), std::back_inserter(records),
                     [](const BenchRecord &record) { return !record.samplesMs.empty() || !record.failure.empty(); });
        return records;
    }

    const std::shared_ptr<DeviceModel> &m_model;
    const ModelConfig &m_config;
    const MachineProfile &m_machine;
    const BenchPlan &m_plan;
    const std::atomic<bool> *m_cancel;
    const BenchProgress &m_progress;
    const Clock::time_point m_begin = Clock::now();
    Sampler m_sampler;
    std::optional<ReadMeter> m_meter;
    double m_rateBefore = 0; ///< bytes per second, before the sample that is being taken
    std::vector<Contestant> m_contestants;
    std::vector<BenchRecord> m_records;
    std::map<std::size_t, std::vector<Sample>> m_taken; ///< by record: those of this run
    int m_done = 0;
    int m_all = 0;
};

} // namespace

Result<std::vector<BenchRecord>> runBench(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config,
                                          const MachineProfile &machine, const BenchPlan &plan, const std::atomic<bool> *cancel,
                                          const BenchProgress &progress)
{
    if (plan.maps.empty() || plan.contexts.empty() || plan.phases.empty() || plan.mixed.empty())
        return badInput("nothing to measure: give at least one map, context, phase and way to run mixed layers");
    if (plan.batches.empty() || std::any_of(plan.batches.begin(), plan.batches.end(), [](int batch) { return batch < 1; }))
        return badInput("nothing to measure: give at least one batch, of one sequence or more");
    if (plan.repeats < 1 || plan.warmup < 0 || plan.decodeSteps < 1)
        return badInput(
            fmt::format("{} repeats of {} decode steps after {} warm-ups cannot be measured: ask for at least 1, 1 and 0",
                        plan.repeats, plan.decodeSteps, plan.warmup));
    for (const std::int64_t context : plan.contexts)
        if (context < 1 || context >= std::int64_t{1} << 31) // as sessions have it; below, no count of bytes or pairs overflows
            return badInput(
                fmt::format("a context of {} tokens cannot be measured: ask for at least 1, and less than 2^31", context));
    return Bench(model, config, machine, plan, cancel, progress).run();
}

void updateFloors(std::vector<BenchRecord> &records, const BenchPlan &plan, const ModelConfig &config,
                  const MachineProfile &machine)
{
    for (BenchRecord &record : records) {
        const auto map
            = std::find_if(plan.maps.begin(), plan.maps.end(), [&](const NamedMap &named) { return named.name == record.map; });
        assert(map != plan.maps.end());
        setFloor(record, config, map->map, machine, plan.gpus);
    }
}

void raiseCeilingsAfter(std::vector<BenchRecord> &records, const BenchPlan &plan, const ModelConfig &config,
                        MachineProfile &machine, Backend &backend, const std::atomic<bool> *cancel)
{
    const MachineProfile again = measureMachine(backend, config, cancel);
    if (cancel && *cancel)
        return;
    raiseCeilings(machine, again);
    updateFloors(records, plan, config, machine);
}

} // namespace zigzag
