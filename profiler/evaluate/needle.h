// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "engine/run/session.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/evaluate/told_run.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace zigzag {

/// One passkey question, as tokens.
struct NeedlePrompt {
    std::vector<int> tokens; ///< beginning-of-text, filler with the needle, question
    std::vector<int> answer; ///< the key's tokens, to be generated greedily
    std::int64_t needleBegin = 0; ///< position in `tokens` of the key inside the needle
};

/// The grammar of resources/tasks/passkey.json: the bundled model was trained on it, and asks only keys held out there.
class NeedleTask
{
public:
    static Result<NeedleTask> load(const std::filesystem::path &grammar);
    /// As many tokens as `context` says, the answer among them (fillerFor: filler.h); `depth` in [0, 1] from the beginning to the
    /// end of the filler. In a chat's frame the user asks, and the answer is begun.
    Result<NeedlePrompt> prompt(const Tokenizer &tokenizer, std::int64_t context, double depth, std::mt19937_64 &random,
                                const TaskFrame &frame = {}) const;

private:
    struct Grammar;
    std::shared_ptr<const Grammar> m_grammar;
};

struct NeedleCell {
    std::int64_t context = 0;
    double depth = 0;
    int trials = 0;
    int found = 0;
    double accuracy() const { return trials ? static_cast<double>(found) / trials : 0.0; }
};

struct NeedlePlan {
    std::vector<std::int64_t> contexts;
    std::vector<double> depths; ///< in [0, 1]
    int trials = 5;
    std::uint64_t seed = 1;
    AskAs as = AskAs::Text;
    /// Cells of an earlier run of the same map with the same seed, which was stopped: what was asked is not asked again, in a
    /// cell that was not asked to its end either.
    std::vector<NeedleCell> known = {};
};

struct NeedleResult {
    std::vector<NeedleCell> grid;
    double accuracy = 0; ///< found / trials over the grid, as far as it was asked
    int planned = 0; ///< cells of the plan; more than `grid` has where it was stopped, or is being asked
    int trials = 0; ///< of each cell in the plan, fewer in the last one so far; 0 where that is not known, as in older files

    bool isComplete() const
    {
        return static_cast<int>(grid.size()) >= planned && (trials == 0 || grid.empty() || grid.back().trials >= trials);
    }
};

/// Called with the cells so far.
using NeedlePartial = std::function<void(const NeedleResult &soFar)>;

/// Greedy answers, right when every token of the key is. The same seed asks every map the same questions. `partial` hears of each
/// cell that was asked to its end, `asked` of each question, the last cell being under way.
Result<NeedleResult> evaluateNeedle(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model, const HeadMap &map,
                                    const NeedlePlan &plan, const std::atomic<bool> *cancel = nullptr,
                                    const PromptProgress &progress = {}, const NeedlePartial &partial = {},
                                    const NeedlePartial &asked = {});

} // namespace zigzag
