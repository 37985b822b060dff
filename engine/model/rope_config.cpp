// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/rope_config.h"

#include <array>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

constexpr std::array typeNames
    = {std::string_view("default"), std::string_view("linear"), std::string_view("llama3"), std::string_view("yarn")};

Result<RopeType> readType(const Value &scaling, const std::string &where)
{
    const std::string_view key = json::find(scaling, "rope_type") ? "rope_type" : "type";
    ZIGZAG_TRY(name, json::stringOr(scaling, key, "default", where));
    for (std::size_t i = 0; i < typeNames.size(); ++i)
        if (name == typeNames[i])
            return static_cast<RopeType>(i);
    return badInput(fmt::format("{}: rope type \"{}\" is not supported; use a model with default, linear, llama3 or yarn", where,
                                json::printable(name)));
}

/// arXiv 2309.00071, section 3.4, with DeepSeek's two scales.
double yarnScale(double factor, double scale)
{
    return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0;
}

constexpr double largest = 1e12;

Result<void> readYarn(RopeConfig &rope, const Value &scaling, const std::string &where)
{
    ZIGZAG_TRY(fast, json::numberOr(scaling, "beta_fast", 32, 0, largest, where));
    ZIGZAG_TRY(slow, json::numberOr(scaling, "beta_slow", 1, 0, largest, where));
    ZIGZAG_TRY(truncate, json::booleanOr(scaling, "truncate", true, where));
    ZIGZAG_TRY(attention, json::numberOr(scaling, "attention_factor", 0, 0, largest, where));
    ZIGZAG_TRY(scale, json::numberOr(scaling, "mscale", 0, 0, largest, where));
    ZIGZAG_TRY(scaleAll, json::numberOr(scaling, "mscale_all_dim", 0, 0, largest, where));
    // transformers reads a zero as "not given".
    rope.betaFast = fast > 0 ? fast : 32;
    rope.betaSlow = slow > 0 ? slow : 1;
    rope.truncate = truncate;
    rope.attentionFactor = attention;
    if (json::find(scaling, "attention_factor") && attention == 0)
        return badInput(fmt::format("{}: attention_factor is 0, which would erase every key; remove it for the default", where));
    if (attention == 0 && scale > 0 && scaleAll > 0)
        rope.attentionFactor = yarnScale(rope.factor, scale) / yarnScale(rope.factor, scaleAll);
    return {};
}

Result<void> readLlama3(RopeConfig &rope, const Value &scaling, const std::string &where)
{
    ZIGZAG_TRY(low, json::numberIn(scaling, "low_freq_factor", 1e-6, largest, where));
    ZIGZAG_TRY(high, json::numberIn(scaling, "high_freq_factor", 1e-6, largest, where));
    rope.lowFrequencyFactor = low;
    rope.highFrequencyFactor = high;
    if (!(low < high))
        return badInput(
            fmt::format("{}: low_freq_factor {} must be below high_freq_factor {}; correct the config", where, low, high));
    return {};
}

} // namespace

std::string_view nameOf(RopeType type)
{
    return typeNames[static_cast<std::size_t>(type)];
}

Result<RopeConfig> readRopeConfig(const Value &config, std::int64_t maxContext, const std::string &where)
{
    static const Value none = Value::object();
    const Value *given = json::find(config, "rope_scaling");
    if (!given)
        given = json::find(config, "rope_parameters");
    const Value &scaling = given ? *given : none;
    if (!scaling.is_object())
        return badInput(
            fmt::format("{}: rope_scaling must be an object or null, not {}; correct the config", where, scaling.type_name()));
    for (const auto &[key, value] : scaling.items())
        if (value.is_object())
            return badInput(fmt::format(
                "{}: a rotary embedding per layer type (\"{}\") is not supported; use a model with one for all layers", where,
                json::printable(key)));
    for (const Value *owner : {&config, &scaling}) {
        ZIGZAG_TRY(part, json::numberOr(*owner, "partial_rotary_factor", 1, 0, largest, where));
        if (part != 1)
            return badInput(
                fmt::format("{}: partial_rotary_factor {} is not supported; use a model that rotates whole heads", where, part));
    }

    RopeConfig rope;
    ZIGZAG_TRY(type, readType(scaling, where));
    rope.type = type;
    // Above 1: with a base of 1 all frequencies are equal and yarn would divide by its logarithm.
    constexpr double leastBase = 1.0001;
    ZIGZAG_TRY(
        theta,
        json::numberOr(json::find(scaling, "rope_theta") ? scaling : config, "rope_theta", 10000, leastBase, largest, where));
    rope.theta = theta;
    if (type == RopeType::Default)
        return rope;

    const auto context = static_cast<double>(maxContext);
    const Value &originalOwner = json::find(config, "original_max_position_embeddings") ? config : scaling;
    ZIGZAG_TRY(original, json::numberOr(originalOwner, "original_max_position_embeddings", context, 1, largest, where));
    rope.originalContext = type == RopeType::Linear ? 0 : original;
    // Only yarn may leave its factor to the two contexts.
    const bool implied = type == RopeType::Yarn && scaling.contains("factor") && scaling["factor"].is_null();
    ZIGZAG_TRY(factor, implied ? Result<double>(context / original) : json::numberIn(scaling, "factor", 1e-6, largest, where));
    rope.factor = factor;
    if (type == RopeType::Llama3)
        ZIGZAG_CHECK(readLlama3(rope, scaling, where));
    if (type == RopeType::Yarn)
        ZIGZAG_CHECK(readYarn(rope, scaling, where));
    return rope;
}

} // namespace zigzag
