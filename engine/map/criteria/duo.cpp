// SPDX-License-Identifier: GPL-3.0-or-later
// DuoAttention's rule (arXiv 2410.10819, section 2.3): the heads with the lowest gates stream, wherever they are. The paper
// cuts at a quantile of the gates; we cut at a count, so that equal gates cannot change the sparsity.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

Assignment assignDuo(const HeadScores &scores, std::size_t streamingHeads, int sink, int recent)
{
    const Lowest heads = lowest(scores.scores, streamingHeads);
    Assignment result{HeadMap(scores.model, HeadKind::Retrieval, sink, recent), heads.ties};
    const auto kvHeads = static_cast<std::size_t>(scores.model.kvHeads);
    for (const std::size_t head : heads.chosen)
        result.map.set(static_cast<int>(head / kvHeads), static_cast<int>(head % kvHeads), HeadKind::Streaming);
    return result;
}

Criterion duoCriterion()
{
    return {"duo", "the heads with the lowest gates stream; layers may be mixed",
            [](const HeadScores &scores, double sparsity, int sink, int recent) {
                return assignDuo(scores, countAt(sparsity, scores.scores.size()), sink, recent);
            }};
}

} // namespace zigzag
