// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "profiler/carry/carried_target.h"
#include "profiler/evaluate/needle.h"
#include "profiler/jobs/check_job.h"
#include "profiler/jobs/predict_job.h"
#include "profiler/jobs/recommend_plan.h"
#include "profiler/measure/bench.h"
#include "profiler/search/attention_score.h"
#include "profiler/search/search.h"
#include "profiler/trace/trace_run.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jobs {

// What was asked for in the window as the command that asks for the same: a line for a POSIX shell, quoted where that is needed.
// A map is what `--map` takes: a file, "full" or "streaming".

/// MODEL, and what it keeps keys and values in; none: the weights' own.
struct LineModel {
    std::string name;
    std::optional<DType> kvType = {};
};

/// One word for a shell, which reads it back as it is.
std::string shellWord(std::string_view word);

std::string benchLine(const LineModel &model, std::span<const std::string> maps, const BenchPlan &plan);
/// `engine`: `--as-engine`; empty: ours. The command asks full attention beside the map by itself.
std::string needleLine(const LineModel &model, const std::string &map, const NeedlePlan &plan, const std::string &engine);
std::string scoreLine(const LineModel &model, const AttentionScorePlan &plan, const std::string &out);
std::string searchLine(const LineModel &model, const SearchPlan &plan, const std::string &out);
/// Over the windows around one (windowsAround).
std::string sweepLine(const LineModel &model, const std::string &scores, const std::string &criterion, StreamingWindow around,
                      const TaskPlan &tasks);
/// `out`: the file that it writes.
std::string traceLine(const LineModel &model, const std::string &map, const TracePlan &plan, const std::string &out);
/// The server's key stands in it as "$SERVER_KEY", never in letters: a shell keeps what was typed.
std::string checkLine(const LineModel &model, const std::string &map, const CheckPlan &plan, const std::string &engine,
                      const std::string &standIns = {});
/// `prompts`: files of questions; the request's own are not looked at. `out`: its folder.
std::string recommendLine(const LineModel &model, const RecommendRequest &request, std::span<const std::string> prompts,
                          const std::string &out);
std::string calibrateLine(const LineModel &model, std::int64_t longest, const std::string &out);
/// `profile`: empty: this machine is calibrated first.
std::string predictLine(const LineModel &model, std::span<const std::string> maps, const PredictPlan &plan,
                        const std::filesystem::path &profile, const Link &link);
/// `model`: empty where the map stands alone. `options`: of formats that are calibrated first.
std::string exportLine(const std::string &map, std::string_view format, const std::string &model, const std::string &out,
                       const CarriedOptions &options = {});

} // namespace zigzag::jobs
