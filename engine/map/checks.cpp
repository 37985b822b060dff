// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/checks.h"

#include "engine/base/json_input.h"

#include <cmath>
#include <fmt/format.h>

namespace zigzag {

ModelShape mergedShape(const ModelShape &model, const ModelShape &file)
{
    ModelShape merged = model;
    if (merged.fingerprint.empty())
        merged.fingerprint = file.fingerprint;
    if (merged.fileWindows.empty()) // of a model that has none, a file that says otherwise was refused (checkFits)
        merged.fileWindows = file.fileWindows;
    return merged;
}

std::string otherWeightsNote(const ModelShape &file, const ModelShape &model, const std::string &where)
{
    if (file.fingerprint.empty() || model.fingerprint.empty() || file.fingerprint == model.fingerprint)
        return {};
    return fmt::format(
        "{}: made from other weights than those of {} ({}, not {}): good for a copy of them in another type, and to "
        "be judged anew for a model that was trained further",
        where, model.name, json::printable(file.fingerprint), model.fingerprint);
}

Result<void> checkShape(const ModelShape &model, const std::string &where)
{
    if (model.layers < 1 || model.layers > maxLayers)
        return badInput(fmt::format("{}: {} layers; from 1 to {} are accepted", where, model.layers, maxLayers));
    if (model.kvHeads < 1 || model.kvHeads > maxHeads)
        return badInput(fmt::format("{}: {} KV heads; from 1 to {} are accepted", where, model.kvHeads, maxHeads));
    if (model.queryHeads < 0 || model.queryHeads > maxHeads || model.queryHeads % model.kvHeads != 0)
        return badInput(
            fmt::format("{}: {} query heads do not divide into groups over {} KV heads; give a multiple of it up to {}, or 0 "
                        "for not known",
                        where, model.queryHeads, model.kvHeads, maxHeads));
    if (model.headDim < 0 || model.headDim > maxHeadDim)
        return badInput(
            fmt::format("{}: head_dim is {}; from 1 to {} is accepted, or 0 for not known", where, model.headDim, maxHeadDim));
    return {};
}

Result<void> checkWindow(int sink, int recent, const std::string &where)
{
    if (sink < 0 || sink > maxWindow)
        return badInput(fmt::format("{}: sink is {}; give a token count from 0 to {}", where, sink, maxWindow));
    if (recent < 1 || recent > maxWindow)
        return badInput(fmt::format("{}: recent is {}; give a token count from 1 to {}", where, recent, maxWindow));
    return {};
}

Result<void> checkScores(const HeadScores &scores, const std::string &where)
{
    ZIGZAG_CHECK(checkShape(scores.model, where));
    const auto heads = static_cast<std::size_t>(scores.model.layers) * static_cast<std::size_t>(scores.model.kvHeads);
    if (scores.scores.size() != heads || (!scores.spread.empty() && scores.spread.size() != heads))
        return badInput(fmt::format("{}: {} scores and {} spreads for {} KV heads; give one for each", where,
                                    scores.scores.size(), scores.spread.size(), heads));
    for (const std::vector<float> *logits : {&scores.logits, &scores.logitsBeyond}) {
        if (!logits->empty() && logits->size() != heads)
            return badInput(
                fmt::format("{}: logits of {} heads for {} KV heads; give one for each", where, logits->size(), heads));
        for (const float each : *logits)
            if (!std::isfinite(each))
                return badInput(fmt::format("{}: a head's logits are no number; score again", where));
    }
    for (std::size_t i = 0; i < heads; ++i) {
        const auto layer = i / static_cast<std::size_t>(scores.model.kvHeads),
                   head = i % static_cast<std::size_t>(scores.model.kvHeads);
        if (!(scores.scores[i] >= 0.0f && scores.scores[i] <= 1.0f)) // written so that NaN is refused too
            return badInput(fmt::format("{}: the score of layer {}, head {} is {}; scores lie in [0, 1]", where, layer, head,
                                        scores.scores[i]));
        if (!scores.spread.empty() && !(scores.spread[i] >= 0.0f && scores.spread[i] <= 1.0f))
            return badInput(fmt::format("{}: the spread of layer {}, head {} is {}; spreads lie in [0, 1]", where, layer, head,
                                        scores.spread[i]));
    }
    return {};
}

} // namespace zigzag
