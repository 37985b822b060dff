// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/rope_config.h"

#include "engine/model/config_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

constexpr std::array typeNames
    = {std::string_view("default"), std::string_view("linear"), std::string_view("llama3"), std::string_view("yarn")};

/// What Python takes for false: a section that says this is not there.
bool isNothing(const Value &value)
{
    return value.is_null() || value == false || value == "" || (value.is_number() && value.get<double>() == 0)
        || (value.is_structured() && value.empty());
}

/// rope_scaling where it says anything, else rope_parameters; both are never mixed.
Result<const Value *> sectionOf(const Value &config, const std::string &where)
{
    static const Value none = Value::object();
    const auto scaling = config.find("rope_scaling"), parameters = config.find("rope_parameters");
    const bool isOld = scaling != config.end() && !isNothing(*scaling),
               isNew = parameters != config.end() && !parameters->is_null();
    const auto checkObject = [&](std::string_view key, const Value &value) -> Result<void> {
        if (!value.is_object())
            return badInput(
                fmt::format("{}: {} must be an object or null, not {}; correct the config", where, key, value.type_name()));
        return {};
    };
    if (isOld)
        ZIGZAG_CHECK(checkObject("rope_scaling", *scaling));
    if (isNew) // even where it is not used
        ZIGZAG_CHECK(checkObject("rope_parameters", *parameters));
    const Value *section = isOld ? &*scaling : isNew ? &*parameters : &none;
    for (const auto &[key, value] : section->items())
        if (value.is_object())
            return badInput(fmt::format(
                "{}: a rotary embedding per layer type (\"{}\") is not supported; use a model with one for all layers", where,
                json::printable(key)));
    return section;
}

/// A key whose null is a value of its own and not the same as no key: transformers computes with it, and fails.
Result<void> refuseNull(const Value &owner, std::string_view key, const std::string &where)
{
    if (const auto found = owner.find(key); found != owner.end() && found->is_null())
        return badInput(
            fmt::format("{}: {} is null, which is no number to compute with; remove the key for its default", where, key));
    return {};
}

Result<RopeType> readType(const Value &scaling, const std::string &where)
{
    const std::string_view key = scaling.contains("rope_type") ? "rope_type" : "type";
    if (scaling.contains(key) && scaling[std::string(key)].is_null())
        return badInput(
            fmt::format("{}: {} is null, which names no rotary embedding; remove the key for the default", where, key));
    ZIGZAG_TRY(name, json::stringOr(scaling, key, "default", where));
    for (std::size_t i = 0; i < typeNames.size(); ++i)
        if (name == typeNames[i])
            return static_cast<RopeType>(i);
    return badInput(fmt::format("{}: rope type \"{}\" is not supported; use a model with default, linear, llama3 or yarn", where,
                                json::printable(name)));
}

/// Keys that transformers' rotary embeddings know; another one may stand for a rotation of its own.
Result<void> checkKeys(std::vector<std::string> &notes, const Value &section, const std::string &where)
{
    constexpr std::array known = {
        std::string_view("rope_type"),     std::string_view("type"),
        std::string_view("rope_theta"),    std::string_view("factor"),
        std::string_view("beta_fast"),     std::string_view("low_freq_factor"),
        std::string_view("beta_slow"),     std::string_view("high_freq_factor"),
        std::string_view("truncate"),      std::string_view("original_max_position_embeddings"),
        std::string_view("mscale"),        std::string_view("attention_factor"),
        std::string_view("finetuned"),     std::string_view("mscale_all_dim"),
        std::string_view("mrope_section"), std::string_view("partial_rotary_factor"),
    };
    std::vector<std::string> unknown;
    for (const auto &[key, value] : section.items()) {
        if (std::find(known.begin(), known.end(), key) != known.end() || value.is_null())
            continue;
        if (key == "llama_4_scaling_beta" && !isNothing(value))
            return badInput(fmt::format(
                "{}: {} scales queries by their position, which this program does not do; use a model without it", where, key));
        unknown.push_back(key);
    }
    noteUnknownKeys(notes, unknown, where + ", rotary embedding");
    return {};
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
    // Python takes a null for false where the key is there.
    const bool kept = scaling.contains("truncate") && scaling["truncate"].is_null();
    ZIGZAG_TRY(truncate, json::booleanOr(scaling, "truncate", !kept, where));
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

Result<RopeConfig> readRopeConfig(const Value &config, std::int64_t maxContext, std::vector<std::string> &notes,
                                  const std::string &where)
{
    ZIGZAG_TRY(section, sectionOf(config, where));
    const Value &scaling = *section;
    ZIGZAG_CHECK(checkKeys(notes, scaling, where));
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
    const Value &thetaOwner = scaling.contains("rope_theta") ? scaling : config;
    ZIGZAG_CHECK(refuseNull(thetaOwner, "rope_theta", where));
    ZIGZAG_TRY(theta, json::numberOr(thetaOwner, "rope_theta", 10000, leastBase, largest, where));
    rope.theta = theta;
    if (type == RopeType::Default)
        return rope;

    const auto context = static_cast<double>(maxContext);
    const Value &originalOwner = config.contains("original_max_position_embeddings") ? config : scaling;
    if (type != RopeType::Linear) // in the section itself a null is refused even where the other place would win
        for (const Value *place : {&scaling, &originalOwner})
            ZIGZAG_CHECK(refuseNull(*place, "original_max_position_embeddings", where));
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
