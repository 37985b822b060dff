// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/quality_axis.h"

#include "engine/map/run_alike.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/evaluate_job.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

constexpr std::array axisNames = {std::pair{QualityAxis::Loss, "loss"},       std::pair{QualityAxis::Kl, "kl"},
                                  std::pair{QualityAxis::Needles, "needles"}, std::pair{QualityAxis::Questions, "questions"},
                                  std::pair{QualityAxis::Ruler, "ruler"},     std::pair{QualityAxis::Perplexity, "perplexity"}};

constexpr const char *fullName = "full attention";

/// The place of a map's complete answers in a record, or none; answers that were stopped are taken out.
std::optional<std::size_t> placeOf(AnswersRecord &record, const std::string &name)
{
    const auto found = std::find_if(record.maps.begin(), record.maps.end(), [&](const auto &each) { return each.map == name; });
    if (found == record.maps.end())
        return {};
    if (found->answers.size() == record.questions.size())
        return static_cast<std::size_t>(found - record.maps.begin());
    record.maps.erase(found);
    return {};
}

HeadMap runOf(const HeadMap &map, HeadMap (*asRun)(const HeadMap &map))
{
    return asRun ? asRun(map) : map;
}

} // namespace

std::string_view nameOf(QualityAxis axis)
{
    return axisNames[static_cast<std::size_t>(axis)].second;
}

std::optional<QualityAxis> parseQualityAxis(std::string_view name)
{
    for (const auto &[axis, text] : axisNames)
        if (name == text)
            return axis;
    return {};
}

bool isOfTasks(QualityAxis axis)
{
    return axis == QualityAxis::Loss || axis == QualityAxis::Kl || axis == QualityAxis::Needles;
}

bool isShare(QualityAxis axis)
{
    return axis == QualityAxis::Needles || axis == QualityAxis::Questions || axis == QualityAxis::Ruler;
}

Interval qualityOf(const MapQuality &quality, QualityAxis axis)
{
    return axis == QualityAxis::Needles ? quality.right : axis == QualityAxis::Kl ? quality.kl : quality.loss;
}

double costOf(const Interval &quality, QualityAxis axis)
{
    return isShare(axis) ? 1 - quality.mean : quality.mean;
}

Interval scoreInterval(std::span<const double> scores)
{
    double sum = 0;
    bool areShares = true;
    for (const double score : scores) {
        sum += score;
        areShares = areShares && (score == 0 || score == 1);
    }
    if (areShares)
        return shareInterval(sum, static_cast<double>(scores.size()));
    Interval interval = meanInterval(scores);
    interval.low = std::max(0.0, interval.low);
    interval.high = std::min(1.0, interval.high);
    return interval;
}

std::string recordName(const HeadMap &map)
{
    if (map.streamingHeads() == 0)
        return fullName;
    const StreamingWindow window = streamingWindowOf(map);
    return fmt::format("{:.0f} % streaming, {} + {} ({})", 100 * map.sparsity(), window.sink, window.recent, fingerprintOf(map));
}

Result<AnswersRecord> recordFor(const JobContext &context, const std::string &model, const AxisQuestions &asked,
                                const std::filesystem::path &file)
{
    AnswersRecord record;
    record.model = model;
    record.fingerprint = context.model().weights.fingerprint;
    record.machine = context.machine();
    record.asked = asked.asked;
    record.questionsHash = hashOf(asked.questions);
    record.as = asked.plan.as;
    record.seed = asked.seed;
    record.questions = keptOf(asked.questions);
    std::error_code ignored;
    if (file.empty() || !std::filesystem::exists(file, ignored))
        return record;
    ZIGZAG_TRY(before, readAnswersFile(file));
    if (before.questionsHash != record.questionsHash || before.fingerprint != record.fingerprint || before.as != record.as)
        return badInput(fmt::format("{}: it has answers to other questions, or of another model: name another file for these",
                                    file.string()));
    record.maps = std::move(before.maps);
    return record;
}

Result<std::vector<Interval>> askedQuality(const JobContext &context, std::span<const HeadMap> maps, const AxisQuestions &asked,
                                           AnswersRecord &record, HeadMap (*asRun)(const HeadMap &map),
                                           const std::function<Result<void>(const AnswersRecord &)> &kept)
{
    // Each map that runs otherwise, once; what all are held against comes first in a record.
    std::vector<HeadMap> runs = {HeadMap(context.model().shape(), HeadKind::Retrieval, 0, 1)};
    std::transform(maps.begin(), maps.end(), std::back_inserter(runs), [&](const HeadMap &map) { return runOf(map, asRun); });
    for (const HeadMap &run : runs) {
        const std::string name = recordName(run);
        if (placeOf(record, name))
            continue;
        ZIGZAG_TRY(answers, ask(context, {name, run}, asked.questions, asked.plan));
        AnswersOfMap of = answersUnder({name, run}, {});
        of.answers = std::move(answers);
        const bool isWhole = of.answers.size() == asked.questions.size();
        record.maps.insert(name == fullName ? record.maps.begin() : record.maps.end(), std::move(of));
        if (kept)
            ZIGZAG_CHECK(kept(record));
        if (!isWhole)
            return cancelled(fmt::format("stopped at {}, before every question was answered", name));
    }
    std::vector<Interval> qualities;
    for (std::size_t map = 1; map < runs.size(); ++map) {
        std::vector<double> scores;
        for (const QuestionAnswer &answer : record.maps[placeOf(record, recordName(runs[map])).value()].answers)
            scores.push_back(answer.score);
        qualities.push_back(scoreInterval(scores));
    }
    return qualities;
}

Result<std::vector<Interval>> perplexityQuality(const JobContext &context, std::span<const HeadMap> maps,
                                                std::span<const int> tokens, std::int64_t window,
                                                HeadMap (*asRun)(const HeadMap &map),
                                                const std::function<void(std::size_t, const Interval &)> &kept)
{
    std::vector<Interval> qualities;
    std::vector<HeadMap> runs;
    for (const HeadMap &map : maps) {
        const HeadMap run = runOf(map, asRun);
        const auto alike = std::find_if(runs.begin(), runs.end(), [&](const HeadMap &earlier) { return runAlike(earlier, run); })
            - runs.begin();
        if (alike < std::ssize(runs)) {
            qualities.push_back(qualities[static_cast<std::size_t>(alike)]);
        } else {
            ZIGZAG_TRY(read, perplexities(context, {{recordName(run), run}}, tokens, window));
            const Perplexity &found = read.front();
            if (!found.isComplete)
                return cancelled(fmt::format("stopped after {} of {} maps", qualities.size(), maps.size()));
            qualities.push_back({.mean = found.value, .low = found.low, .high = found.high, .error = 0, .count = found.blocks});
        }
        runs.push_back(run);
        if (kept)
            kept(qualities.size() - 1, qualities.back());
    }
    return qualities;
}

} // namespace zigzag::jobs
