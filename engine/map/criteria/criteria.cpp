// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/version.h"
#include "engine/map/checks.h"
#include "engine/map/criteria/criterion_list.h"

#include <array>
#include <fmt/format.h>

namespace zigzag {

namespace {

Result<void> checkInput(const HeadScores &scores, double sparsity, int sink, int recent)
{
    if (!(sparsity >= 0.0 && sparsity <= 1.0)) // written so that NaN is refused too
        return badInput(fmt::format("sparsity is {}: give a fraction from 0 to 1", sparsity));
    ZIGZAG_CHECK(checkWindow(sink, recent, "streaming window"));
    return checkScores(scores, "scores");
}

} // namespace

std::span<const Criterion> criteria()
{
    static const std::array all = {duoCriterion(), zigzagCriterion(), zigzagMaxCriterion()};
    return all;
}

Result<Assignment> assignHeads(const HeadScores &scores, std::string_view criterion, double sparsity, int sink, int recent)
{
    ZIGZAG_CHECK(checkInput(scores, sparsity, sink, recent));
    std::string known;
    for (const Criterion &candidate : criteria()) {
        if (candidate.name == criterion) {
            Assignment result = candidate.assign(scores, sparsity, sink, recent);
            result.map.setProvenance({std::string(criterion), scores.method, sparsity, std::string(programVersion)});
            return result;
        }
        known += (known.empty() ? "" : ", ") + std::string(candidate.name);
    }
    return badInput(fmt::format("criterion '{}' is not known: choose one of {}", criterion, known));
}

} // namespace zigzag
