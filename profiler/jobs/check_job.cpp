// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/check_job.h"

#include "engine/base/printable.h"
#include "engine/map/run_alike.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/predict_job.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <utility>

namespace zigzag::jobs {

namespace {

constexpr std::size_t mostNamed = 8; ///< models of a server in an error

/// A cancel flag that is also set once the time is up.
class EndingFlag
{
public:
    EndingFlag(const std::atomic<bool> *cancel, const JobTime &time)
        : m_flag(time.hasEnd() ? &m_ended : cancel)
    {
        if (time.hasEnd())
            m_thread = std::thread([this, cancel, time] { watch(cancel, time); });
    }
    ~EndingFlag()
    {
        if (!m_thread.joinable())
            return;
        {
            const std::lock_guard lock(m_mutex);
            m_over = true;
        }
        m_wake.notify_all();
        m_thread.join();
    }
    EndingFlag(const EndingFlag &) = delete;
    EndingFlag &operator=(const EndingFlag &) = delete;

    const std::atomic<bool> *flag() const { return m_flag; }

private:
    void watch(const std::atomic<bool> *cancel, const JobTime &time)
    {
        constexpr auto betweenLooks = std::chrono::milliseconds(20);
        std::unique_lock lock(m_mutex);
        while (!m_wake.wait_for(lock, betweenLooks, [this] { return m_over; }))
            if (time.isUsedUp() || (cancel && cancel->load())) {
                m_ended = true;
                return;
            }
    }

    std::atomic<bool> m_ended{false};
    const std::atomic<bool> *m_flag;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_over = false;
    std::thread m_thread; ///< last: it uses all of the above
};

/// What was cancelled because its time was up, and not by a person, says so.
Error endedBy(Error error, const CheckPlan &plan, const std::atomic<bool> *cancel)
{
    if (!isCancelled(error) || (cancel && cancel->load()))
        return error;
    return {ErrorKind::Failed,
            fmt::format("{}: the check was not done in the time that it was given (--timeout)", plan.server.text())};
}

check::ClientOptions clientOptions(const CheckPlan &plan, const std::atomic<bool> *cancel)
{
    return {plan.key, plan.silenceSeconds, cancel};
}

/// The most that a head sees where it streams; 0: none does.
std::int64_t longestWindow(const HeadMap &map)
{
    std::int64_t longest = 0;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head)
            if (const HeadPattern pattern = map.pattern(layer, head); !pattern.keepsEverything())
                longest = std::max(longest, pattern.sink() + pattern.recent());
    return longest;
}

std::vector<check::Hypothesis> waysOf(const JobContext &context, const CheckPlan &plan)
{
    const HeadMap &map = plan.map.map;
    std::vector<check::Hypothesis> ways;
    if (plan.meant)
        ways.push_back(*plan.meant);
    const auto add = [&](const char *name, const HeadMap &run) {
        const bool isThere = std::any_of(ways.begin(), ways.end(), [&](const check::Hypothesis &way) {
            return way.device == context.device && runAlike(way.map, run);
        });
        if (!isThere)
            ways.push_back({name, context.device, run});
    };
    add("the map, sinks kept", map);
    add("its windows alone", withoutSinks(map));
    add("full attention", fullLike(map));
    return ways;
}

Result<std::string> soleName(const check::CompletionClient &client, const CheckPlan &plan)
{
    if (!plan.servedName.empty())
        return plan.servedName;
    ZIGZAG_TRY(names, client.models());
    if (names.size() == 1)
        return std::move(names.front());
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), mostNamed); ++i)
        list += (i > 0 ? ", " : "") + printable(names[i]);
    return badInput(
        fmt::format("{}: serves {} models ({}): name one of them (--served-name)", plan.server.text(), names.size(), list));
}

std::vector<CheckedTimes> besidePredictions(std::vector<check::ServedTimes> served, const CheckPlan &plan, const HeadMap &meant)
{
    std::vector<CheckedTimes> times;
    times.reserve(served.size());
    for (check::ServedTimes &each : served)
        times.push_back({std::move(each), {}, {}});
    if (!plan.cost || !plan.cost->isFitted())
        return times;
    PredictPlan points;
    points.maps = {{plan.map.name, plan.costMap.value_or(meant)}};
    points.phases = {Phase::Prefill, Phase::Decode};
    for (CheckedTimes &each : times) {
        points.contexts = {each.served.context};
        for (const Prediction &point : predict(*plan.cost, points))
            (point.predicted.phase == Phase::Prefill ? each.first : each.step)
                = Foreseen{point.predicted.medianMs, point.predicted.floorMs};
    }
    return times;
}

void putRecords(ServerCheck &result, const CheckPlan &plan, const check::Hypothesis &meant)
{
    result.machine.device = fmt::format("server at {} ({})", result.server, printable(result.served));
    result.machine.backend = "server";
    for (const CheckedTimes &each : result.times)
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            BenchRecord record;
            record.map = plan.map.name;
            record.mapFingerprint = fingerprintOf(meant.map);
            record.phase = phase;
            record.context = each.served.context;
            record.kvType = meant.device->config().kvType;
            record.samplesMs = phase == Phase::Prefill ? each.served.firstMs : each.served.stepMs;
            record.medianMs = quantile(record.samplesMs, 0.5);
            record.spreadMs = quantile(record.samplesMs, 0.75) - quantile(record.samplesMs, 0.25);
            result.records.push_back(std::move(record));
        }
}

Result<ServerCheck> check(const JobContext &context, const CheckPlan &plan)
{
    check::CompletionClient client(plan.server, clientOptions(plan, context.cancel));
    check::AnswerPlan answers = plan.answers;
    answers.window = longestWindow(plan.map.map);
    if (answers.window == 0)
        return badInput(
            fmt::format("{}: lets no head stream, so there is nothing that a server could leave undone", plan.map.name));
    const std::int64_t most = context.config().maxContext - answers.tokens;
    if (answers.context == 0)
        answers.context = std::min(most, std::max<std::int64_t>(2 * answers.window, answers.window + 128));
    ServerCheck result;
    result.server = plan.server.text();
    ZIGZAG_TRY(served, soleName(client, plan));
    result.served = std::move(served);
    const std::vector<check::Hypothesis> ways = waysOf(context, plan);
    for (const check::Hypothesis &way : ways)
        result.ways.push_back(way.name);
    const auto told = [&](std::string_view subject) {
        context.tell({.part = JobPart::Check, .subject = subject});
        return [&context, subject](double fraction) {
            context.tell({.part = JobPart::Check, .fraction = fraction, .subject = subject});
        };
    };
    ZIGZAG_TRY(compared,
               check::compareAnswers(client, result.served, context.textModel(), ways, answers, context.cancel, told("answers")));
    result.answers = std::move(compared);
    if (!plan.times.contexts.empty()) {
        auto times = check::measureTimes(client, result.served, context.textModel(), plan.times, told("times"));
        if (!times && isCancelled(times.error()))
            return tl::unexpected(std::move(times.error()));
        if (times)
            result.times = besidePredictions(std::move(*times), plan, ways.front().map);
        else
            result.whyNoTimes = std::move(times.error().message);
    }
    putRecords(result, plan, ways.front());
    return result;
}

} // namespace

std::string ServerCheck::says() const
{
    const std::string &nearest = ways[answers.nearest];
    switch (answers.finding) {
    case check::Finding::Found:
        return answers.nearest == 0 ? fmt::format("the server runs {}", nearest)
                                    : fmt::format("the server does not run {}: it runs {}", ways.front(), nearest);
    case check::Finding::Undecided:
        return fmt::format("undecided: {} is nearest, but not by much; more prompts, or longer ones, may tell", nearest);
    case check::Finding::None:
        return "the server runs none of these: another map or window, or another model";
    }
    return {};
}

Result<std::string> nameAtServer(const CheckPlan &plan, const std::atomic<bool> *cancel)
{
    const EndingFlag ending(cancel, plan.time);
    const check::CompletionClient client(plan.server, clientOptions(plan, ending.flag()));
    auto name = soleName(client, plan);
    if (!name)
        return tl::unexpected(endedBy(std::move(name.error()), plan, cancel));
    return name;
}

Result<ServerCheck> checkServer(const JobContext &context, const CheckPlan &plan)
{
    const EndingFlag ending(context.cancel, plan.time);
    JobContext timed = context;
    timed.cancel = ending.flag();
    auto result = check(timed, plan);
    if (!result)
        return tl::unexpected(endedBy(std::move(result.error()), plan, context.cancel));
    return result;
}

} // namespace zigzag::jobs
