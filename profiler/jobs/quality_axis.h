// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Includes nlohmann/json (answers_file.h): for .cpp files.

#include "profiler/evaluate/answers_file.h"
#include "profiler/evaluate/map_quality.h"
#include "profiler/jobs/job.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jobs {

/// By what the maps of a sweep are judged.
enum class QualityAxis {
    Loss, ///< distillation loss on tasks with needles
    Kl, ///< on the same
    Needles, ///< share of their answers right
    Questions, ///< mean score of a person's questions
    Ruler, ///< mean score of RULER's tasks
    Perplexity ///< of a text
};
/// As the command line names it: "loss", "kl", "needles", "questions", "ruler" or "perplexity".
std::string_view nameOf(QualityAxis axis);
std::optional<QualityAxis> parseQualityAxis(std::string_view name);
/// Whether a sweep over tasks (SweepJob) measures it; the others ask each map by itself.
bool isOfTasks(QualityAxis axis);
/// Whether more is better: a share of 0 to 1. The others are never negative, and less is better.
bool isShare(QualityAxis axis);

/// What a sweep over tasks measured, on one of its axes.
Interval qualityOf(const MapQuality &quality, QualityAxis axis);
/// For paretoSet: less is better.
double costOf(const Interval &quality, QualityAxis axis);
/// Of scores from 0 to 1: Wilson's interval where all are 0 or 1, Student's within 0 to 1 where they are not.
Interval scoreInterval(std::span<const double> scores);

/// Questions that every map of a sweep is asked.
struct AxisQuestions {
    std::vector<Question> questions;
    std::string asked; ///< "ruler", or the files' names
    AskPlan plan;
    std::uint64_t seed = 0; ///< that made them
};

/// An empty record for these questions, or what `file` has of them: answers to other questions, or of another model, are refused.
Result<AnswersRecord> recordFor(const JobContext &context, const std::string &model, const AxisQuestions &asked,
                                const std::filesystem::path &file = {});
/// The name under which a record keeps a map's answers: equal for maps that run alike. "full attention", or how much streams in
/// which window, with the map's fingerprint.
std::string recordName(const HeadMap &map);

/// The mean score of each map. Who is in `record` is not asked again, and whoever is asked is added to it, full attention first;
/// `kept` hears of the record after each map. `asRun`: what an engine that will serve them makes of maps, or null. Cancelled, it
/// fails, and the record has those that were asked.
Result<std::vector<Interval>> askedQuality(const JobContext &context, std::span<const HeadMap> maps, const AxisQuestions &asked,
                                           AnswersRecord &record, HeadMap (*asRun)(const HeadMap &map) = nullptr,
                                           const std::function<Result<void>(const AnswersRecord &)> &kept = {});

/// The perplexity of a text under each map, in windows of `window` tokens. `kept` hears of each with its place.
Result<std::vector<Interval>> perplexityQuality(const JobContext &context, std::span<const HeadMap> maps,
                                                std::span<const int> tokens, std::int64_t window,
                                                HeadMap (*asRun)(const HeadMap &map) = nullptr,
                                                const std::function<void(std::size_t, const Interval &)> &kept = {});

} // namespace zigzag::jobs
