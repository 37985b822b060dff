// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/experts.h"

#include <algorithm>

namespace zigzag::gpu {

void ExpertList::add(int expert, const void *data, std::optional<HeldBlocks> form)
{
    all.at[expert] = data;
    held[static_cast<std::size_t>(expert)] = form;
    if (expert == 0)
        all = of(0);
}

ExpertMatrices ExpertList::of(int expert) const
{
    ExpertMatrices matrices = all;
    if (const auto form = held[static_cast<std::size_t>(expert)]) {
        const BlockLayout layout(*form, rows, columns);
        matrices.params = layout.codeBytes();
        matrices.groups = static_cast<int>(layout.groups);
    }
    return matrices;
}

bool ExpertList::isUniform(int experts) const
{
    return std::all_of(held.begin(), held.begin() + experts, [&](const auto &form) { return form == held[0]; });
}

bool ExpertWeights::areUniform(int experts) const
{
    return gates.isUniform(experts) && ups.isUniform(experts) && downs.isUniform(experts) && gates.held[0] == ups.held[0];
}

} // namespace zigzag::gpu
