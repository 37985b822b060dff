// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/run_types.h"

#include <algorithm>

namespace zigzag {

std::string_view nameOf(Phase phase)
{
    return phase == Phase::Prefill ? "prefill" : "decode";
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
