// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/context_limit.h"

#include "engine/model/family.h"

#include <fmt/format.h>

namespace zigzag {

std::string noteBeyondMaximum(const ModelConfig &model, std::int64_t context)
{
    if (context <= model.maxContext)
        return {};
    // A Mistral's own window is accepted where it is as long as its longest context; beyond that it would act.
    const bool mayHaveWindow = model.family->window == FileWindow::Everywhere;
    return fmt::format(
        "{} tokens are beyond the {} that {} was made for (max_position_embeddings): times and memory hold, what it "
        "says there does not{}",
        context, model.maxContext, model.name, mayHaveWindow ? ", and a sliding_window in its config is not applied" : "");
}

Result<void> checkWithinMaximum(const ModelConfig &model, std::int64_t context, std::int64_t least)
{
    if (context >= least && context <= model.maxContext)
        return {};
    return badInput(fmt::format("a context of {} tokens is outside the {} to {} of {}: choose one inside", context, least,
                                model.maxContext, model.name));
}

} // namespace zigzag
