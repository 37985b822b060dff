// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_rope.h"

#include "engine/model/gguf/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <numbers>
#include <utility>
#include <vector>

namespace zigzag {

using json::Value;

namespace {

/// Llama 3's rotary embedding, as rope_scaling names its numbers.
struct Llama3 {
    double factor = 1, high = 4, original = 0; ///< the low factor is 1: only its ratios to the other two count

    /// What a wavelength is divided by; engine/run/rope.cpp computes the frequency that follows.
    double divisor(double wavelength) const
    {
        if (wavelength > original)
            return factor;
        if (wavelength < original / high)
            return 1;
        const double smooth = (original / wavelength - 1) / (high - 1);
        return 1 / ((1 - smooth) / factor + smooth);
    }
};

/// A number that was written by a person, where one is as near as rounding allows.
double rounded(double number)
{
    const double whole = std::round(number);
    return std::abs(number - whole) <= 2e-3 * number ? whole : number;
}

/// The divisors are 1 for short wavelengths, the factor for long ones, and between them
/// 1 / ((1 − s) / factor + s) with s = a / wavelength − b: two of those tell a = original / (high − 1) and b = 1 / (high − 1).
Llama3 fitted(const std::vector<double> &divisors, const std::vector<double> &wavelengths)
{
    Llama3 found;
    found.factor = rounded(*std::max_element(divisors.begin(), divisors.end()));
    std::vector<std::pair<double, double>> between; // 1 / wavelength, s
    double longestKept = 0;
    for (std::size_t i = 0; i < divisors.size(); ++i) {
        if (divisors[i] > 1.0001 && divisors[i] < found.factor * 0.9999)
            between.emplace_back(1 / wavelengths[i], (1 / divisors[i] - 1 / found.factor) / (1 - 1 / found.factor));
        else if (divisors[i] <= 1.0001)
            longestKept = std::max(longestKept, wavelengths[i]);
    }
    if (between.size() >= 2) {
        const auto [x0, s0] = between.front();
        const auto [x1, s1] = between.back();
        const double a = (s1 - s0) / (x1 - x0), b = a * x0 - s0;
        found.high = rounded(1 + 1 / b);
        found.original = rounded(a * (found.high - 1));
    } else if (between.size() == 1) { // with the high factor of all published models
        found.original = rounded((between[0].second * (found.high - 1) + 1) / between[0].first);
    } else {
        found.original = std::ceil(longestKept * 1.0001 * found.high);
    }
    return found;
}

Result<Value> fromFactors(const GgufTensor &tensor, std::int64_t headDim, double theta, const std::string &where)
{
    const auto refuse = [&](std::string_view why) {
        return badInput(fmt::format("{}: rope_freqs.weight {}; use a model with the rotary embedding of Llama 3", where, why));
    };
    if (!tensor.type || tensor.type->stored != DType::F32 || tensor.shape != std::vector<std::int64_t>{headDim / 2})
        return refuse(fmt::format("should be {} numbers of type F32", headDim / 2));
    if (!tensor.data)
        return badInput(fmt::format("{}: the file ends before rope_freqs.weight, which says how positions are rotated; fetch "
                                    "the file anew",
                                    where));
    std::vector<double> divisors, wavelengths;
    for (std::int64_t i = 0; i < headDim / 2; ++i) {
        float divisor = 0;
        std::memcpy(&divisor, tensor.data + i * 4, sizeof divisor);
        if (!std::isfinite(divisor) || divisor < 0.999f || divisor > 1e6f)
            return refuse("has factors that are not Llama 3's");
        divisors.push_back(divisor);
        wavelengths.push_back(2 * std::numbers::pi
                              * std::pow(theta, 2.0 * static_cast<double>(i) / static_cast<double>(headDim)));
    }
    if (*std::max_element(divisors.begin(), divisors.end()) < 1.0001)
        return Value(); // nothing is scaled
    const Llama3 found = fitted(divisors, wavelengths);
    for (std::size_t i = 0; i < divisors.size(); ++i)
        if (!(std::abs(found.divisor(wavelengths[i]) - divisors[i]) <= 1e-3 * divisors[i]))
            return refuse("has factors that are not Llama 3's");
    return Value{{"rope_type", "llama3"},
                 {"factor", found.factor},
                 {"low_freq_factor", 1.0},
                 {"high_freq_factor", found.high},
                 {"original_max_position_embeddings", found.original}};
}

/// The two lists of LongRoPE, which stand in tensors.
Result<Value> fromLists(const GgufFile &file, const GgufTensor &shorter, const GgufTensor &longer, std::string_view prefix,
                        std::int64_t rotated, const std::string &where)
{
    Value scaling = {{"rope_type", "longrope"}};
    for (const auto &[key, tensor] : {std::pair("short_factor", &shorter), std::pair("long_factor", &longer)}) {
        if (!tensor->type || tensor->type->stored != DType::F32 || tensor->shape != std::vector<std::int64_t>{rotated / 2})
            return badInput(
                fmt::format("{}: the tensors of the rotary embedding's factors should be {} numbers of type F32; fetch the "
                            "file anew",
                            where, rotated / 2));
        if (!tensor->data)
            return badInput(
                fmt::format("{}: the file ends before the factors of its rotary embedding; fetch the file anew", where));
        Value factors = Value::array();
        for (std::int64_t i = 0; i < rotated / 2; ++i) {
            float factor = 0;
            std::memcpy(&factor, tensor->data + i * 4, sizeof factor);
            factors.push_back(static_cast<double>(factor)); // what is no divisor, the config's reader refuses
        }
        scaling[key] = std::move(factors);
    }
    ZIGZAG_TRY(attention, ggufNumber(file, fmt::format("{}attn_factor", prefix)));
    if (attention)
        scaling["attention_factor"] = *attention;
    ZIGZAG_TRY(original, ggufInteger(file, fmt::format("{}original_context_length", prefix)));
    if (original)
        scaling["original_max_position_embeddings"] = *original;
    return scaling;
}

Result<Value> fromYarn(const GgufFile &file, const std::string &prefix, double factor)
{
    ZIGZAG_TRY(original, ggufNumber(file, prefix + "original_context_length"));
    ZIGZAG_TRY(attention, ggufNumber(file, prefix + "attn_factor"));
    ZIGZAG_TRY(fast, ggufNumber(file, prefix + "yarn_beta_fast"));
    ZIGZAG_TRY(slow, ggufNumber(file, prefix + "yarn_beta_slow"));
    Value scaling = {{"rope_type", "yarn"}, {"factor", factor}};
    if (original && *original > 0)
        scaling["original_max_position_embeddings"] = *original;
    if (attention && *attention != 1) // a multiple of what yarn does by itself
        scaling["attention_factor"] = *attention * (factor > 1 ? 0.1 * std::log(factor) + 1 : 1);
    if (fast)
        scaling["beta_fast"] = *fast;
    if (slow)
        scaling["beta_slow"] = *slow;
    return scaling;
}

} // namespace

Result<Value> readGgufRope(const GgufFile &file, std::string_view architecture, std::int64_t rotated, double theta,
                           const std::string &where)
{
    const std::string prefix = fmt::format("{}.rope.scaling.", architecture);
    ZIGZAG_TRY(named, ggufText(file, prefix + "type"));
    ZIGZAG_TRY(given, ggufNumber(file, prefix + "factor"));
    ZIGZAG_TRY(old, ggufNumber(file, fmt::format("{}.rope.scale_linear", architecture))); // files of 2023
    ZIGZAG_TRY(logMultiplier, ggufNumber(file, prefix + "yarn_log_multiplier"));
    const double factor = given ? *given : old.value_or(1.0);
    const std::string_view type = named ? *named : factor != 1 && factor != 0 ? "linear" : "none";
    if (logMultiplier && *logMultiplier != 0)
        return badInput(fmt::format("{}: {}yarn_log_multiplier is {}, which is not supported; use a model without it", where,
                                    prefix, *logMultiplier));
    const GgufTensor *factors = file.findTensor("rope_freqs.weight"), *shorter = file.findTensor("rope_factors_short.weight"),
                     *longer = file.findTensor("rope_factors_long.weight");
    if (shorter && longer && !factors && (type == "none" || type == "longrope"))
        return fromLists(file, *shorter, *longer, prefix, rotated, where);
    if (shorter || longer)
        return badInput(
            fmt::format("{}: rope_factors_short.weight and rope_factors_long.weight go together, and with no other kind "
                        "of rotary embedding; fetch the file anew",
                        where));
    if (factors && (type == "none" || type == "llama3"))
        return fromFactors(*factors, rotated, theta, where);
    if (factors)
        return badInput(fmt::format("{}: {}type is {} and there is a rope_freqs.weight; only one of them can be run", where,
                                    prefix, json::printable(type)));
    if (type == "none")
        return Value();
    if (type == "linear")
        return Value{{"rope_type", "linear"}, {"factor", factor}};
    if (type == "yarn")
        return fromYarn(file, prefix, factor);
    return badInput(
        fmt::format("{}: {}type \"{}\" is not supported; use a model with none, linear, yarn, or the factors of Llama 3", where,
                    prefix, json::printable(type)));
}

} // namespace zigzag
