// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/base/run_types.h"

#include <algorithm>

namespace zigzag {

std::string_view nameOf(Phase phase)
{
    return phase == Phase::Prefill ? "prefill" : "decode";
}

std::optional<Phase> findPhase(std::string_view name)
{
    for (const Phase phase : {Phase::Prefill, Phase::Decode})
        if (name == nameOf(phase))
            return phase;
    return std::nullopt;
}

std::vector<std::int64_t> usualContexts(std::int64_t longest)
{
    std::vector<std::int64_t> contexts;
    for (const std::int64_t part : {4, 2, 1})
        contexts.push_back(std::max<std::int64_t>(1, longest / part));
    contexts.erase(std::unique(contexts.begin(), contexts.end()), contexts.end());
    return contexts;
}

Ceiling MachineProfile::matrixCeiling(DType type) const
{
    const bool has16 = type == DType::BF16 || (type == DType::F16 && !onProcessor);
    if (has16 && matrixFlopsBf16 >= matrixFlopsF32)
        return {matrixFlopsBf16, type == DType::BF16 ? "matrix rate bf16" : "matrix rate f16"};
    return {matrixFlopsF32, "matrix rate f32"};
}

Ceiling MachineProfile::readCeiling(double bytesOfStep) const
{
    return keeps(bytesOfStep) ? Ceiling{cachedReadBytesPerSecond, "cache read bandwidth"}
                              : Ceiling{readBytesPerSecond, memoryCeiling};
}

double quantile(std::vector<double> values, double fraction)
{
    if (values.empty())
        return 0.0;
    std::sort(values.begin(), values.end());
    const double place = fraction * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

} // namespace zigzag
