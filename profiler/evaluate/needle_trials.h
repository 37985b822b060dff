// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/needle.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// The questions of an evaluation, each from the seed and its place alone: every map, and every subset of the grid, is asked
/// the same ones.
class NeedleTrials
{
public:
    /// Checks the plan against the model; what is wrong with it is said here, before anything runs.
    static Result<NeedleTrials> plan(const Model &model, const std::vector<std::int64_t> &contexts,
                                     const std::vector<double> &depths, int trials, std::uint64_t seed, AskAs as = AskAs::Text);
    Result<NeedlePrompt> prompt(std::int64_t context, double depth, int trial) const;
    std::int64_t longestContext() const { return m_longestContext; }
    int count() const { return m_count; }

private:
    NeedleTrials(const Model &model, NeedleTask task, TaskFrame frame, std::uint64_t seed)
        : m_model(&model)
        , m_task(std::move(task))
        , m_frame(std::move(frame))
        , m_seed(seed)
    { }

    const Model *m_model; // outlives the trials
    NeedleTask m_task;
    TaskFrame m_frame;
    std::uint64_t m_seed;
    std::int64_t m_longestContext = 0;
    int m_count = 0;
};

} // namespace zigzag
