// SPDX-License-Identifier: GPL-3.0-or-later
// DuoAttention's rule (arXiv 2410.10819, section 2.3): the heads with the lowest gates stream, wherever they are. The paper
// cuts at a quantile of the gates; we cut at a count, so that equal gates cannot change the sparsity.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

Criterion duoCriterion()
{
    return {"duo", "the heads with the lowest gates stream; layers may be mixed", Unit::Head, [](const HeadScores &scores) {
                std::vector<Penalty> gates;
                for (const float gate : scores.scores)
                    gates.push_back(penaltyOf(gate));
                return gates;
            }};
}

} // namespace zigzag
