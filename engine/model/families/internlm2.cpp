// SPDX-License-Identifier: GPL-3.0-or-later
// InternLM2 and 2.5 (arXiv 2403.17297): Llama's layers under names of their own. Queries, keys and values are one tensor, in
// which each group has the rows of its queries, of its key and of its value behind each other; their converter for llama.cpp
// takes it apart. Transformers has no class of them: their own code (modeling_internlm2.py) is what this follows.
#include "engine/model/families/family_list.h"

#include <algorithm>

namespace zigzag {

namespace {

constexpr std::string_view keys[] = {"bias"};

/// One key for all biases of attention, which the feed-forward has none of.
Result<void> read(ModelConfig &model, const json::Value &config, const std::string &where)
{
    ZIGZAG_TRY(bias, json::booleanOr(config, "bias", true, where));
    model.qkvBias = model.outputBias = bias;
    return {};
}

struct Name {
    WeightId id;
    std::string_view name;
};
constexpr Name names[] = {
    {WeightId::InputNorm, "attention_norm.weight"}, {WeightId::Query, "attention.wqkv.weight"},
    {WeightId::Key, "attention.wqkv.weight"},       {WeightId::Value, "attention.wqkv.weight"},
    {WeightId::QueryBias, "attention.wqkv.bias"},   {WeightId::KeyBias, "attention.wqkv.bias"},
    {WeightId::ValueBias, "attention.wqkv.bias"},   {WeightId::Output, "attention.wo.weight"},
    {WeightId::OutputBias, "attention.wo.bias"},    {WeightId::PostNorm, "ffn_norm.weight"},
    {WeightId::Gate, "feed_forward.w1.weight"},     {WeightId::Up, "feed_forward.w3.weight"},
    {WeightId::Down, "feed_forward.w2.weight"},
};

LayerPlan layer(const ModelConfig &config, int)
{
    const std::int64_t head = config.headDim, queries = config.group() * head, group = queries + 2 * head;
    LayerPlan plan = decoderLayer(config, LayerStyle{});
    for (WeightSpec &weight : plan.weights()) {
        using enum WeightId;
        weight.name
            = std::find_if(std::begin(names), std::end(names), [&](const Name &each) { return each.id == weight.id; })->name;
        const bool isQuery = weight.id == Query || weight.id == QueryBias, isKey = weight.id == Key || weight.id == KeyBias;
        if (!isQuery && !isKey && weight.id != Value && weight.id != ValueBias)
            continue;
        weight.storedFrom = isQuery ? 0 : isKey ? queries : queries + head;
        weight.storedRows = config.kvHeads * group;
        weight.storedPiece = isQuery ? queries : head;
        weight.storedPeriod = group;
    }
    return plan;
}

} // namespace

const Family &internlm2Family()
{
    static const Family family{
        .modelType = "internlm2",
        .embeddingName = "model.tok_embeddings.weight",
        .headName = "output.weight",
        .ggufArchitecture = "internlm2",
        .ggufInterleaves = true,
        .mayLackKvHeads = true,
        .keys = keys,
        .read = read,
        .layer = layer,
    };
    return family;
}

} // namespace zigzag
