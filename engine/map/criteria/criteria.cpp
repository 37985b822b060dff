// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/criteria/criterion_list.h"

#include <array>
#include <fmt/format.h>

namespace zigzag {

std::span<const Criterion> criteria()
{
    static const std::array all
        = {duoCriterion(), zigzagCriterion(), zigzagMaxCriterion(), zigzagStrongCriterion(), zigzagConvexCriterion()};
    return all;
}

Result<const Criterion *> findCriterion(std::string_view name)
{
    std::string known;
    for (const Criterion &candidate : criteria()) {
        if (candidate.name == name)
            return &candidate;
        known += (known.empty() ? "" : ", ") + std::string(candidate.name);
    }
    return badInput(fmt::format("criterion '{}' is not known: choose one of {}", name, known));
}

} // namespace zigzag
