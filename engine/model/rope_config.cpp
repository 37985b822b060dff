// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/rope_config.h"

#include "engine/model/config_keys.h"
#include "engine/model/family.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

constexpr std::array typeNames = {std::string_view("default"), std::string_view("linear"),   std::string_view("llama3"),
                                  std::string_view("yarn"),    std::string_view("longrope"), std::string_view("dynamic")};

/// What Python takes for false: a section that says this is not there.
bool isNothing(const Value &value)
{
    return value.is_null() || value == false || (value.is_number() && value.get<double>() == 0)
        || (value.is_string() && value.get_ref<const std::string &>().empty()) || (value.is_structured() && value.empty());
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
    return isOld ? &*scaling : isNew ? &*parameters : &none;
}

Result<void> refuseLayerTypes(const Value &section, const std::string &where)
{
    for (const auto &[key, value] : section.items())
        if (value.is_object())
            return badInput(fmt::format(
                "{}: a rotary embedding per layer type (\"{}\") is not supported; use a model with one for all layers", where,
                json::printable(key)));
    return {};
}

/// A key whose null is a value of its own and not the same as no key: transformers computes with it, and fails.
Result<void> refuseNull(const Value &owner, std::string_view key, const std::string &where)
{
    if (const auto found = owner.find(key); found != owner.end() && found->is_null())
        return badInput(
            fmt::format("{}: {} is null, which is no number to compute with; remove the key for its default", where, key));
    return {};
}

Result<RopeType> readType(const Family &family, const Value &scaling, const std::string &where)
{
    const std::string_view key = scaling.contains("rope_type") ? "rope_type" : "type";
    if (scaling.contains(key) && scaling[std::string(key)].is_null())
        return badInput(
            fmt::format("{}: {} is null, which names no rotary embedding; remove the key for the default", where, key));
    ZIGZAG_TRY(name, json::stringOr(scaling, key, "default", where));
    if (family.longRopeByOtherNames && (name == "su" || name == "yarn"))
        return RopeType::LongRope;
    for (std::size_t i = 0; i < typeNames.size(); ++i)
        if (name == typeNames[i])
            return static_cast<RopeType>(i);
    return badInput(fmt::format("{}: rope type \"{}\" is not supported; use a model with default, linear, llama3, yarn, "
                                "longrope or dynamic",
                                where, json::printable(name)));
}

/// Keys that transformers' rotary embeddings know; another one may stand for a rotation of its own.
Result<void> checkKeys(ModelConfig &model, const Value &section, const std::string &where)
{
    constexpr std::array known = {
        std::string_view("rope_type"),
        std::string_view("type"),
        std::string_view("rope_theta"),
        std::string_view("factor"),
        std::string_view("beta_fast"),
        std::string_view("low_freq_factor"),
        std::string_view("beta_slow"),
        std::string_view("high_freq_factor"),
        std::string_view("truncate"),
        std::string_view("original_max_position_embeddings"),
        std::string_view("mscale"),
        std::string_view("attention_factor"),
        std::string_view("finetuned"),
        std::string_view("mscale_all_dim"),
        std::string_view("mrope_section"),
        std::string_view("partial_rotary_factor"),
        std::string_view("short_factor"),
        std::string_view("long_factor"),
        std::string_view("mrope_interleaved"), // a text has one position for all axes, however they are dealt out
    };
    std::vector<std::string> unknown;
    for (const auto &[key, value] : section.items()) {
        if (std::find(known.begin(), known.end(), key) != known.end() || value.is_null())
            continue;
        if (model.family->scalesQueries && (key == "llama_4_scaling_beta" || key == "max_position_embeddings"))
            continue;
        if (key == "llama_4_scaling_beta" && !isNothing(value))
            return badInput(fmt::format(
                "{}: {} scales queries by their position, which this program does not do; use a model without it", where, key));
        unknown.push_back(key);
    }
    noteUnknownKeys(model.notes, unknown, where + ", rotary embedding");
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

/// Dynamic NTK scaling: nothing up to the longest context, and a base that grows with what is beyond it.
Result<void> readDynamic(RopeConfig &rope, ModelConfig &model, const Value &scaling, const std::string &where)
{
    ZIGZAG_TRY(factor, json::numberIn(scaling, "factor", 1e-6, largest, where));
    if (model.rotated() < 4)
        return badInput(
            fmt::format("{}: rope type \"dynamic\" needs heads of at least 4 rotated numbers; correct the config", where));
    rope.factor = factor;
    rope.originalContext = static_cast<double>(model.maxContext);
    model.notes.push_back(
        fmt::format("{}: the rotary embedding is scaled (dynamic NTK) only where more than {} tokens are planned "
                    "for, and then by their number from the first one on",
                    where, model.maxContext));
    return {};
}

/// A divisor for each pair of numbers that is rotated.
Result<std::vector<double>> readFactors(const ModelConfig &model, const Value &scaling, std::string_view key,
                                        const std::string &where)
{
    ZIGZAG_TRY(list, json::arrayIn(scaling, key, where));
    std::vector<double> factors;
    for (const Value &each : *list) {
        const double factor = each.is_number() ? each.get<double>() : 0.0;
        if (!(factor >= 1e-6 && factor <= largest))
            return badInput(fmt::format("{}: {} must be a list of numbers above 0; correct the config", where, key));
        factors.push_back(factor);
    }
    if (factors.size() != static_cast<std::size_t>(model.rotated() / 2))
        return badInput(fmt::format("{}: {} has {} factors for {} pairs of rotated numbers; correct the config", where, key,
                                    factors.size(), model.rotated() / 2));
    return factors;
}

/// LongRoPE (arXiv 2402.13753): one set of factors up to the original context, another for longer ones.
Result<void> readLongRope(RopeConfig &rope, ModelConfig &model, const Value &scaling, const std::string &where)
{
    ZIGZAG_TRY(
        factor,
        json::numberOr(scaling, "factor", static_cast<double>(model.maxContext) / rope.originalContext, 1e-6, largest, where));
    ZIGZAG_TRY(attention, json::numberOr(scaling, "attention_factor", 0, 0, largest, where));
    if (factor > 1 && attention == 0 && rope.originalContext <= 1)
        return badInput(fmt::format("{}: original_max_position_embeddings must be above 1; correct the config", where));
    ZIGZAG_TRY(shorter, readFactors(model, scaling, "short_factor", where));
    ZIGZAG_TRY(longer, readFactors(model, scaling, "long_factor", where));
    rope.factor = factor;
    rope.attentionFactor = attention;
    rope.shortFactors = std::move(shorter);
    rope.longFactors = std::move(longer);
    if (rope.originalContext < static_cast<double>(model.maxContext))
        model.notes.push_back(fmt::format("{}: keys are rotated by short_factor where at most {} tokens are planned for, and by "
                                          "long_factor where it is more",
                                          where, rope.originalContext));
    return {};
}

/// What a section, and what stands outside of it, say; `theta` is the base where neither does.
Result<RopeConfig> readSection(ModelConfig &model, const Value &config, const Value &scaling, double defaultTheta,
                               const std::string &where)
{
    ZIGZAG_CHECK(refuseLayerTypes(scaling, where));
    ZIGZAG_CHECK(checkKeys(model, scaling, where));
    RopeConfig rope;
    ZIGZAG_TRY(type, readType(*model.family, scaling, where));
    rope.type = type;
    // Above 1: with a base of 1 all frequencies are equal and yarn would divide by its logarithm.
    constexpr double leastBase = 1.0001;
    const Value &thetaOwner = scaling.contains("rope_theta") ? scaling : config;
    ZIGZAG_CHECK(refuseNull(thetaOwner, "rope_theta", where));
    ZIGZAG_TRY(theta, json::numberOr(thetaOwner, "rope_theta", defaultTheta, leastBase, largest, where));
    rope.theta = theta;
    if (type == RopeType::Default)
        return rope;

    const auto context = static_cast<double>(model.maxContext);
    if (type == RopeType::Dynamic) {
        ZIGZAG_CHECK(readDynamic(rope, model, scaling, where));
        return rope;
    }
    const bool isOutside = config.contains("original_max_position_embeddings") || model.family->originalContext > 0;
    const Value &originalOwner = isOutside ? config : scaling;
    if (type != RopeType::Linear) // in the section itself a null is refused even where the other place would win
        for (const Value *place : {&scaling, &originalOwner})
            ZIGZAG_CHECK(refuseNull(*place, "original_max_position_embeddings", where));
    const double defaultOriginal = model.family->originalContext > 0 ? model.family->originalContext : context;
    ZIGZAG_TRY(original, json::numberOr(originalOwner, "original_max_position_embeddings", defaultOriginal, 1, largest, where));
    rope.originalContext = type == RopeType::Linear ? 0 : original;
    if (type == RopeType::LongRope) {
        ZIGZAG_CHECK(readLongRope(rope, model, scaling, where));
        return rope;
    }
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

/// Numbers of a head that are rotated: partial_rotary_factor of them, in the families that read it.
Result<void> readRotaryDim(ModelConfig &model, const Value &config, const Value &section, const std::string &where)
{
    const double standard = model.family->rotatedPart;
    const Value &owner = section.contains("partial_rotary_factor") ? section : config;
    for (const Value *place : {&config, &section}) {
        ZIGZAG_TRY(part, json::numberOr(*place, "partial_rotary_factor", 1, 0, largest, where));
        if (part != 1 && standard == 0)
            return badInput(
                fmt::format("{}: partial_rotary_factor {} is not supported; use a model that rotates whole heads", where, part));
    }
    if (standard == 0)
        return {};
    ZIGZAG_TRY(part, json::numberOr(owner, "partial_rotary_factor", standard, 0, 1, where));
    const int rotated = static_cast<int>(model.headDim * part);
    if (rotated < 2 || rotated % 2 != 0)
        return badInput(fmt::format("{}: partial_rotary_factor {} rotates {} numbers of a head of {}, and an even number is "
                                    "needed; correct the config",
                                    where, part, rotated, model.headDim));
    model.rotaryDim = rotated;
    return {};
}

/// Queries that are scaled by their position, in the family that reads it.
Result<void> readQueryScale(ModelConfig &model, const Value &section, const std::string &where)
{
    if (!model.family->scalesQueries)
        return {};
    if (section.empty())
        return badInput(
            fmt::format("{}: there is no rope_parameters, which a {} needs; fetch the file anew", where, nameOf(*model.family)));
    ZIGZAG_TRY(beta, json::numberIn(section, "llama_4_scaling_beta", 0, 1e3, where));
    ZIGZAG_TRY(original, json::numberIn(section, "original_max_position_embeddings", 1, largest, where));
    model.rope.queryScaleBeta = beta;
    model.rope.originalContext = original;
    return {};
}

} // namespace

std::string_view nameOf(RopeType type)
{
    return typeNames[static_cast<std::size_t>(type)];
}

Result<void> readRope(ModelConfig &model, const Value &config, const std::string &where)
{
    static const Value none = Value::object();
    const Family &family = *model.family;
    ZIGZAG_TRY(section, sectionOf(config, where));
    const Value *full = section, *local = &none;
    if (family.localRopeTheta > 0 && (section->contains("full_attention") || section->contains("sliding_attention"))) {
        const auto part = [&](std::string_view key) {
            const Value *found = json::find(*section, key);
            return found && found->is_object() ? found : &none;
        };
        full = part("full_attention");
        local = part("sliding_attention");
    }
    ZIGZAG_CHECK(readRotaryDim(model, config, *full, where));
    ZIGZAG_TRY(rope, readSection(model, config, *full, family.ropeTheta, where));
    model.rope = std::move(rope);
    if (family.localRopeTheta > 0) {
        // What stands outside is that of full layers.
        ZIGZAG_TRY(theta, json::numberOr(config, family.localRopeThetaKey, family.localRopeTheta, 1.0001, largest, where));
        ZIGZAG_TRY(own, readSection(model, none, *local, theta, where));
        model.localRope = std::move(own);
    }
    return readQueryScale(model, *full, where);
}

} // namespace zigzag
