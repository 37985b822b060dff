// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_plan.h"

#include "engine/base/json_input.h"
#include "profiler/carry/sink_fit.h"
#include "profiler/evaluate/map_meter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>

namespace zigzag::jobs {

namespace {

constexpr std::int64_t longestPrompt = 16384, shortestPrompt = 256;
constexpr double planned = 0.85; ///< of the time; the rest is for what is not foreseen

/// How much of everything: the least that says something is 1.
struct Size {
    int times;
    bool greedy;
};
constexpr std::array sizes{Size{4, true}, Size{2, true}, Size{4, false}, Size{2, false}, Size{1, true}, Size{1, false}};
constexpr int leastPrompts = 4, leastCounts = 4, leastJudged = 20, mapsJudged = 3;
constexpr int mostLayersGreedy = 64; ///< its rounds grow with the square
/// Where sinks are dropped: of the planned time, what is left to the fit of their stand-ins before prompts become longer or more.
constexpr double fitShare = 0.25;
constexpr std::array fitSteps{60, 30}; ///< what there is of a fit: all of it, and the least that was seen to win something

/// One that is a power of two times something small, so that pages read well.
int roundedDown(std::int64_t tokens)
{
    std::int64_t step = 1;
    while (step * 16 <= tokens)
        step *= 2;
    return static_cast<int>(std::max<std::int64_t>(1, tokens / step * step));
}

double searchPasses(const RecommendPlan &plan, const ModelConfig &config)
{
    const ModelShape shape = config.shape();
    const std::int64_t runs = plan.greedy ? greedyLayerRuns(shape, {.window = plan.windows.back()})
                                          : ablationLayerRuns(shape, {.window = plan.windows.back()});
    return 1 + static_cast<double>(runs) / config.layers;
}

RecommendSeconds secondsOf(const RecommendPlan &plan, const ModelConfig &config, WayCounts ways, const Pace &pace)
{
    const double pass = pace.of(plan.promptTokens);
    const StreamingWindow widest = plan.windows.back();
    const std::int64_t kept = std::int64_t{widest.sink} + widest.recent;
    const double text = 2 * pace.of(std::min(config.maxContext, std::max<std::int64_t>(2048, 4 * kept))); // there and back
    const auto maps = static_cast<double>(plan.counts) * static_cast<double>(plan.windows.size());
    RecommendSeconds seconds;
    seconds.scores = ways.all * plan.scorePrompts * pass * searchPasses(plan, config);
    // Each window has stand-ins of its own, from four texts.
    seconds.standIns = ways.standingIn * 4 * text * static_cast<double>(plan.windows.size());
    seconds.sweep = ways.all * plan.sweepPrompts * pass * (static_cast<double>(plan.windows.size()) + maps);
    const bool standIn = ways.standingIn > 0;
    // Four texts calibrate, and two measure the model, three forms of the map and, of the first ones, the fit.
    seconds.judging = plan.judgePrompts * pass * (standIn ? 2 * plan.judgedMaps : 1 + plan.judgedMaps)
        + (standIn ? plan.judgedMaps * 8 * text : 0);
    // There and back through a piece, with what a backward pass takes beside; and each piece once by full attention.
    constexpr double passesOfAStep = 4;
    seconds.fitting = plan.fittedMaps * plan.fitSteps * passesOfAStep * pace.of(fitPieceTokens(widest));
    return seconds;
}

/// So many prompts that losing none of them shows the share that is asked for: the interval of a difference of 0 (paired_test.h)
/// reaches down to −z √2 / (n + 2), and full attention answers about so many.
int promptsThatShow(double kept)
{
    constexpr double z = 1.96, answered = 0.7;
    return static_cast<int>(std::ceil(z * std::sqrt(2.0) / (answered * (1 - kept)))) - 2;
}

RecommendPlan sized(const RecommendRequest &request, const ModelConfig &config, std::int64_t tokens, Size size)
{
    RecommendPlan plan;
    plan.promptTokens = tokens;
    plan.windows = windowsFor(request, config, tokens);
    plan.greedy = size.greedy && config.shape().mappableLayers() <= mostLayersGreedy;
    plan.scorePrompts = plan.sweepPrompts = leastPrompts * size.times;
    plan.counts = std::min(leastCounts * size.times, config.shape().mappableLayers());
    plan.judgePrompts = std::max(leastJudged * size.times, promptsThatShow(request.kept));
    plan.judgedMaps = mapsJudged;
    if (request.questions) {
        const auto all = static_cast<int>(request.questions->size());
        const int choosing = (all + 1) / 2, judging = all / 2;
        plan.scorePrompts = std::min(plan.scorePrompts, choosing);
        plan.sweepPrompts = std::min(plan.sweepPrompts, choosing);
        plan.judgePrompts = std::min(plan.judgePrompts, judging);
    }
    return plan;
}

/// Prompts of a person are as long as they are: about three bytes a token.
std::int64_t longestOf(const RecommendRequest &request, const ModelConfig &config)
{
    std::int64_t longest = std::min({request.context, config.maxContext, longestPrompt});
    if (!request.questions)
        return longest;
    std::int64_t asked = 0;
    for (const Question &question : *request.questions) {
        std::size_t bytes = question.prompt.size() + question.system.size();
        for (const ChatMessage &message : question.messages)
            bytes += message.content.size();
        asked = std::max(asked, static_cast<std::int64_t>(bytes / 3) + question.answerTokens);
    }
    return std::min(longest, std::max<std::int64_t>(16, asked));
}

/// With what is left of the time, the fits that there is time for: of all maps that are judged, or of the first alone.
bool addFits(RecommendPlan &plan, const ModelConfig &config, WayCounts ways, const Pace &pace, double seconds)
{
    for (const int steps : fitSteps)
        for (const int maps : {plan.judgedMaps, 1}) {
            RecommendPlan fitting = plan;
            fitting.fittedMaps = maps;
            fitting.fitSteps = steps;
            fitting.seconds = secondsOf(fitting, config, ways, pace);
            if (fitting.seconds.all() > seconds)
                continue;
            plan = std::move(fitting);
            return true;
        }
    return false;
}

void saySmaller(RecommendPlan &plan, const RecommendRequest &request, WayCounts ways, std::int64_t longest, int times)
{
    if (plan.promptTokens < longest)
        plan.shortened.push_back(
            fmt::format("prompts have {} tokens, of the {} that there is room for", plan.promptTokens, longest));
    if (times < sizes.front().times)
        plan.shortened.push_back(
            fmt::format("{} prompts choose and {} judge, where more would be surer", plan.scorePrompts, plan.judgePrompts));
    if (ways.fits() && plan.fittedMaps == 0)
        plan.shortened.push_back("what stands in for sinks is calibrated and not fitted");
    if (plan.seconds.all() > request.seconds)
        plan.shortened.push_back("even the least of it takes longer than the time that was given; it ends when that is over");
}

} // namespace

bool RecommendPlan::operator==(const RecommendPlan &other) const
{
    return toJson() == other.toJson();
}

std::string RecommendPlan::toJson() const
{
    json::Value list = json::Value::array();
    for (const StreamingWindow &window : windows)
        list.push_back({window.sink, window.recent});
    return json::Value{
        {"prompt_tokens", promptTokens},
        {"windows", std::move(list)},
        {"greedy", greedy},
        {"score_prompts", scorePrompts},
        {"sweep_prompts", sweepPrompts},
        {"judge_prompts", judgePrompts},
        {"counts", counts},
        {"judged_maps", judgedMaps},
        {"fitted_maps", fittedMaps},
        {"fit_steps", fitSteps},
        {"seconds", {seconds.scores, seconds.standIns, seconds.sweep, seconds.judging, seconds.writing, seconds.fitting}},
        {"shortened", shortened}}
        .dump();
}

Result<RecommendPlan> RecommendPlan::fromJson(std::string_view text)
{
    const std::string where = "the plan of the recommendation";
    constexpr int most = 1 << 20;
    ZIGZAG_TRY(root, json::parse(text, where));
    RecommendPlan plan;
    ZIGZAG_TRY(tokens, json::integerIn(root, "prompt_tokens", 1, std::int64_t{1} << 30, where));
    plan.promptTokens = tokens;
    ZIGZAG_TRY(windows, json::arrayIn(root, "windows", where));
    for (const json::Value &window : *windows) {
        if (!window.is_array() || window.size() != 2)
            return badInput(where + " has a window that is none: begin anew (--restart)");
        ZIGZAG_TRY(sink, json::asInteger(window[0], "sinks", 0, most, where));
        ZIGZAG_TRY(recent, json::asInteger(window[1], "a window", 1, most, where));
        plan.windows.push_back({static_cast<int>(sink), static_cast<int>(recent)});
    }
    if (plan.windows.empty() || plan.windows.size() > 64)
        return badInput(where + " has no windows, or too many: begin anew (--restart)");
    ZIGZAG_TRY(greedy, json::booleanOr(root, "greedy", false, where));
    plan.greedy = greedy;
    for (const auto &[key, value] : {std::pair{"score_prompts", &plan.scorePrompts},
                                     {"sweep_prompts", &plan.sweepPrompts},
                                     {"judge_prompts", &plan.judgePrompts},
                                     {"counts", &plan.counts},
                                     {"judged_maps", &plan.judgedMaps}}) {
        ZIGZAG_TRY(number, json::integerIn(root, key, 1, 1 << 16, where));
        *value = static_cast<int>(number);
    }
    for (const auto &[key, value] : {std::pair{"fitted_maps", &plan.fittedMaps}, {"fit_steps", &plan.fitSteps}}) {
        ZIGZAG_TRY(number, json::integerOr(root, key, 0, 0, 1 << 16, where)); // plans of before have none
        *value = static_cast<int>(number);
    }
    ZIGZAG_TRY(seconds, json::arrayIn(root, "seconds", where));
    double *const parts[] = {&plan.seconds.scores,  &plan.seconds.standIns, &plan.seconds.sweep,
                             &plan.seconds.judging, &plan.seconds.writing,  &plan.seconds.fitting};
    for (std::size_t i = 0; i < std::min(seconds->size(), std::size(parts)); ++i) {
        ZIGZAG_TRY(each, json::asNumber((*seconds)[i], "a time", 0, 1e9, where));
        *parts[i] = each;
    }
    ZIGZAG_TRY(shortened, json::arrayIn(root, "shortened", where));
    for (const json::Value &each : *shortened) {
        ZIGZAG_TRY(sentence, json::asString(each, "a sentence", where));
        plan.shortened.push_back(std::move(sentence));
    }
    return plan;
}

Result<void> checkRequest(const RecommendRequest &request, const ModelConfig &config)
{
    if (request.context < 64)
        return badInput(fmt::format("a context of {} tokens leaves nothing to leave out: give one of 64 or more (--context)",
                                    request.context));
    if (request.memory && request.tpotMs)
        return badInput("a budget is of memory or of time: give --memory or --tpot");
    if (request.kept < 0.5 || request.kept > 0.99)
        return badInput("the share that must be kept is 50 to 99 percent: no number of prompts shows that all of it is");
    if (config.shape().mappableLayers() < 2)
        return badInput(fmt::format("{} has {} layers that a map decides: there is nothing to choose", config.name,
                                    config.shape().mappableLayers()));
    const std::int64_t longest = std::min(request.context, config.maxContext);
    for (const int recent : request.recents)
        if (recent + std::int64_t{request.sink.value_or(0)} >= longest)
            return badInput(fmt::format(
                "a window of {} tokens leaves out nothing of prompts of {}: give a smaller one (--recent)", recent, longest));
    if (request.questions && request.questions->size() < 4)
        return badInput(
            fmt::format("{} questions are too few: half of them choose the map and half of them judge it; give 4 or more",
                        request.questions->size()));
    return {};
}

std::vector<StreamingWindow> windowsFor(const RecommendRequest &request, const ModelConfig &config, std::int64_t tokens)
{
    const int sink = request.sink.value_or(std::clamp(roundedDown(tokens / 32), 4, 64));
    std::vector<StreamingWindow> windows;
    for (const int recent : request.recents)
        windows.push_back({sink, recent});
    if (windows.empty() && request.engine != ourEngine) // one window for all layers, and the file's layers have theirs
        for (const std::int64_t own : config.fileWindows)
            if (own > 0 && windows.empty() && own < tokens)
                windows.push_back({sink, static_cast<int>(own)});
    if (windows.empty())
        windows = {{sink, roundedDown(tokens / 8)}, {sink, roundedDown(tokens / 4)}};
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
}

Result<Pace> measurePace(const JobContext &context, double seconds)
{
    const ModelConfig &config = context.config();
    context.tell(JobPart::TimePass, 0);
    const auto timed = [&](std::int64_t tokens) -> Result<double> {
        TaskPrompt prompt;
        prompt.context = tokens;
        prompt.tokens.assign(static_cast<std::size_t>(tokens), std::min(7, static_cast<int>(config.vocabulary) - 1));
        prompt.answers = {{tokens - 1, tokens}};
        ZIGZAG_TRY(meter, MapMeter::create(context.device, {std::move(prompt)}));
        return meter.estimateSeconds(config.layers, context.cancel);
    };
    const std::int64_t brief = std::min<std::int64_t>(128, config.maxContext);
    ZIGZAG_TRY(first, timed(brief));
    Pace pace{first / static_cast<double>(brief), 0};
    const std::int64_t more = std::min<std::int64_t>(1024, config.maxContext);
    // Each is run twice, the first time to build what is built once.
    if (more < 2 * brief || 2 * pace.of(more) > 0.02 * seconds)
        return pace;
    ZIGZAG_TRY(second, timed(more));
    const double perToken = second / static_cast<double>(more);
    pace.perPair = std::max(0.0, (perToken - pace.perToken) / static_cast<double>(more - brief));
    pace.perToken = perToken - pace.perPair * static_cast<double>(more); // the longer pass is the surer one
    return pace;
}

WayCounts countsOf(const std::vector<ServingWay> &ways)
{
    const auto standing = std::count_if(ways.begin(), ways.end(), [](const ServingWay &way) { return way.standsIn(); });
    return {static_cast<int>(ways.size()), static_cast<int>(standing)};
}

RecommendPlan planFor(const RecommendRequest &request, const ModelConfig &config, WayCounts ways, const Pace &pace)
{
    const std::int64_t longest = longestOf(request, config);
    // The windows that a person asks for must be left behind by a good part of every prompt.
    std::int64_t shortest = std::min(longest, shortestPrompt);
    for (const int recent : request.recents)
        shortest = std::min(longest, std::max<std::int64_t>(shortest, 2 * (recent + std::int64_t{request.sink.value_or(0)})));
    struct Found {
        RecommendPlan plan;
        int times;
    };
    const auto largestWithin = [&](double seconds, bool orTheLeast) -> std::optional<Found> {
        for (std::int64_t tokens = longest;; tokens = std::max(shortest, tokens / 2))
            for (const Size size : sizes) {
                Found found{sized(request, config, tokens, size), size.times};
                found.plan.seconds = secondsOf(found.plan, config, ways, pace);
                const bool isLeast = tokens == shortest && size.times == sizes.back().times && size.greedy == sizes.back().greedy;
                if (found.plan.seconds.all() <= seconds || (isLeast && orTheLeast))
                    return found;
                if (isLeast)
                    return std::nullopt;
            }
    };
    const double seconds = planned * request.seconds;
    std::optional<Found> found;
    if (ways.fits())
        found = largestWithin((1 - fitShare) * seconds, false);
    if (found && !addFits(found->plan, config, ways, pace, seconds))
        found.reset(); // nothing is left to a fit that has no room
    if (!found)
        found = largestWithin(seconds, true);
    saySmaller(found->plan, request, ways, longest, found->times);
    return std::move(found->plan);
}

std::vector<std::string> planText(const RecommendRequest &request, const RecommendPlan &plan, const std::vector<ServingWay> &ways)
{
    const auto minutes = [](double seconds) {
        return seconds < 90 ? fmt::format("{:.0f} s", std::max(1.0, seconds)) : fmt::format("{:.0f} min", seconds / 60);
    };
    std::string as;
    for (const ServingWay &way : ways)
        as += fmt::format("{}{}{}", as.empty() ? "" : ", and as ", way.name, way.standsIn() ? " (stand-ins for sinks)" : "");
    std::string windows;
    for (const StreamingWindow &window : plan.windows)
        windows += fmt::format("{}{}", windows.empty() ? "" : " and ", window.recent);
    const std::string_view prompts = request.questions ? "of your questions" : "needle tasks";
    const bool standsIn = std::any_of(ways.begin(), ways.end(), [](const ServingWay &way) { return way.standsIn(); });
    const std::string standing = !standsIn ? std::string()
        : plan.fittedMaps == 0             ? std::string(", with stand-ins calibrated for each")
                               : fmt::format(", with stand-ins calibrated for each and fitted in {} steps for {}", plan.fitSteps,
                                             plan.fittedMaps < plan.judgedMaps ? "the first" : "all of them");
    std::vector<std::string> lines{
        fmt::format("will take about {} of the {} given, for {} as {}:", minutes(plan.seconds.all()), minutes(request.seconds),
                    request.engine, as),
        fmt::format("1. order the layers, {}, by {} {} of up to {} tokens: {}",
                    plan.greedy ? "turned one after another" : "each alone", plan.scorePrompts, prompts, plan.promptTokens,
                    minutes(plan.seconds.scores + plan.seconds.standIns)),
        fmt::format("2. try up to {} counts of streaming layers in windows of {} on {} {}: {}", plan.counts, windows,
                    plan.sweepPrompts, request.questions ? "of them" : "more", minutes(plan.seconds.sweep)),
        fmt::format("3. judge up to {} maps on {} {} that were not seen before{}: {}", plan.judgedMaps, plan.judgePrompts,
                    prompts, standing, minutes(plan.seconds.judging + plan.seconds.fitting + plan.seconds.writing))};
    if (!plan.shortened.empty()) {
        std::string sentence = "the time is short: ";
        for (const std::string &each : plan.shortened)
            sentence += (&each == &plan.shortened.front() ? "" : "; ") + each;
        lines.push_back(std::move(sentence));
    }
    return lines;
}

TaskPlan needleTasks(int prompts, std::int64_t tokens, std::uint64_t seed)
{
    constexpr std::int64_t roomForSeveral = 384; // keys in one prompt, of any tokenizer
    TaskPlan plan{.kinds = {TaskKind::Passkey}, .contexts = {tokens}, .depths = {}, .trials = 1, .seed = seed};
    if (tokens >= roomForSeveral)
        plan.kinds.push_back(TaskKind::Passkeys);
    const int depths = std::max(1, prompts / static_cast<int>(plan.kinds.size()));
    for (int i = 0; i < depths; ++i)
        plan.depths.push_back((i + 0.5) / depths);
    return plan;
}

std::vector<Question> halfOf(const std::vector<Question> &questions, bool judging)
{
    std::map<std::pair<std::string, std::int64_t>, std::vector<const Question *>> groups;
    for (const Question &question : questions)
        groups[{question.task, question.context}].push_back(&question);
    std::vector<Question> half;
    std::size_t place = 0; // counted through all groups, so that the halves are equal however small these are
    for (const auto &[name, group] : groups)
        for (const Question *question : group)
            if ((place++ % 2 == 1) == judging)
                half.push_back(*question);
    return half;
}

} // namespace zigzag::jobs
