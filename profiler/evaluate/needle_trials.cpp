// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/needle_trials.h"

#include "engine/model/context_limit.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <limits>

namespace zigzag {

Result<NeedleTrials> NeedleTrials::plan(const Model &model, const std::vector<std::int64_t> &contexts,
                                        const std::vector<double> &depths, int trials, std::uint64_t seed, AskAs as)
{
    ZIGZAG_CHECK(tokenizerOf(model)); // a question is a text
    if (contexts.empty() || depths.empty() || trials < 1)
        return badInput("nothing to ask: give at least one context, one depth and one trial");
    const std::size_t count = contexts.size() * depths.size() * static_cast<std::size_t>(trials);
    if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return badInput(fmt::format("{} questions are too many: choose fewer trials", count));
    for (const std::int64_t context : contexts)
        ZIGZAG_CHECK(checkWithinMaximum(model.config, context));
    for (const double depth : depths)
        if (!(depth >= 0 && depth <= 1))
            return badInput(fmt::format("a depth of {} is outside 0 to 1: 0 is the beginning of the text, 1 its end", depth));
    ZIGZAG_TRY(task, NeedleTask::load(resourceFolder() / "tasks" / "passkey.json"));
    ZIGZAG_TRY(frame, taskFrame(model, as));
    NeedleTrials planned(model, std::move(task), std::move(frame), seed);
    planned.m_longestContext = *std::max_element(contexts.begin(), contexts.end());
    planned.m_count = static_cast<int>(count);
    for (const std::int64_t context : contexts) // one that is too short for the task is refused now, not half-way
        ZIGZAG_CHECK(planned.prompt(context, depths.front(), 0));
    return planned;
}

Result<NeedlePrompt> NeedleTrials::prompt(std::int64_t context, double depth, int trial) const
{
    const auto bits = std::bit_cast<std::uint64_t>(depth);
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    std::seed_seq sequence{low(m_seed), low(m_seed >> 32), low(static_cast<std::uint64_t>(context)),
                           low(bits),   low(bits >> 32),   static_cast<std::uint32_t>(trial)};
    std::mt19937_64 random(sequence);
    return m_task.prompt(*m_model->tokenizer, context, depth, random, m_frame);
}

} // namespace zigzag
