// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/quantization_config.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;
using Form = Quantization::Form;

constexpr std::string_view key = "quantization_config";

tl::unexpected<Error> refused(const std::string &where, const std::string &what)
{
    return badInput(fmt::format("{}: {}: {}; use a folder in FP8, of AWQ or GPTQ with 4 bits, or in float32, float16 or bfloat16",
                                where, key, what));
}

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

Result<void> readKept(Quantization &to, const Value &from, std::string_view name, const std::string &where)
{
    constexpr std::size_t most = 1 << 16;
    if (!json::find(from, name))
        return {};
    ZIGZAG_TRY(list, json::arrayIn(from, name, where));
    if (list->size() > most)
        return badInput(
            fmt::format("{}: {} names {} modules, and at most {} are read; correct the config", where, name, list->size(), most));
    for (const Value &each : *list) {
        ZIGZAG_TRY(module, json::asString(each, fmt::format("a module in {}", name), where));
        to.kept.push_back(std::move(module));
    }
    return {};
}

/// [rows, columns] of the numbers that share a scale.
Result<void> readBlock(Quantization &to, const Value &from, std::string_view name, const std::string &where)
{
    constexpr std::int64_t largest = 1 << 20;
    if (!json::find(from, name))
        return {};
    ZIGZAG_TRY(sizes, json::arrayIn(from, name, where));
    if (sizes->size() != 2)
        return badInput(fmt::format("{}: {} must be two numbers; correct the config", where, name));
    ZIGZAG_TRY(rows, json::asInteger((*sizes)[0], "a size of a block", 1, largest, where));
    ZIGZAG_TRY(columns, json::asInteger((*sizes)[1], "a size of a block", 1, largest, where));
    to.blockRows = rows;
    to.blockColumns = columns;
    return {};
}

Result<Quantization> readFp8(const Value &config, const std::string &where)
{
    Quantization read{.form = Form::F8};
    ZIGZAG_TRY(format, json::stringOr(config, "fmt", "e4m3", where));
    if (lower(format) != "e4m3" && lower(format) != "float8_e4m3fn")
        return refused(where, fmt::format("numbers of the kind \"{}\" are not read, but E4M3", json::printable(format)));
    ZIGZAG_TRY(experts, json::stringOr(config, "expert_dtype", "fp8", where));
    if (experts != "fp8")
        return refused(where, fmt::format("experts in \"{}\" are not read", json::printable(experts)));
    ZIGZAG_CHECK(readBlock(read, config, "weight_block_size", where));
    for (const char *name : {"modules_to_not_convert", "ignored_layers"})
        ZIGZAG_CHECK(readKept(read, config, name, where));
    return read;
}

/// The one group of modules of compressed-tensors that is read: weights in FP8.
Result<void> readGroup(Quantization &to, const Value &group, const std::string &where)
{
    ZIGZAG_TRY(weights, json::objectIn(group, "weights", where));
    ZIGZAG_TRY(bits, json::integerIn(*weights, "num_bits", 1, 64, where));
    ZIGZAG_TRY(type, json::stringOr(*weights, "type", "int", where));
    ZIGZAG_TRY(strategy, json::stringOr(*weights, "strategy", "tensor", where));
    ZIGZAG_TRY(symmetric, json::booleanOr(*weights, "symmetric", true, where));
    if (bits != 8 || type != "float" || !symmetric || (strategy != "tensor" && strategy != "channel" && strategy != "block"))
        return refused(where,
                       fmt::format("compressed-tensors with {}{} weights of {} bits by {} are not read, but floats of 8 "
                                   "bits by tensor, channel or block",
                                   symmetric ? "" : "asymmetric ", json::printable(type), bits, json::printable(strategy)));
    if (strategy == "block")
        ZIGZAG_CHECK(readBlock(to, *weights, "block_structure", where));
    return {};
}

Result<Quantization> readCompressed(const Value &config, const std::string &where)
{
    Quantization read{.form = Form::F8};
    ZIGZAG_TRY(format, json::stringOr(config, "format", "float-quantized", where));
    if (format != "float-quantized" && format != "naive-quantized")
        return refused(
            where,
            fmt::format("compressed-tensors in the format \"{}\" are not read, but float-quantized", json::printable(format)));
    for (const char *name : {"sparsity_config", "transform_config"})
        if (const Value *other = json::find(config, name); other && !other->empty()) {
            const Value *kind = json::find(*other, "format");
            if (!kind || *kind != "dense")
                return refused(where, fmt::format("{} is not read", name));
        }
    ZIGZAG_TRY(groups, json::objectIn(config, "config_groups", where));
    if (groups->size() != 1)
        return refused(where, fmt::format("{} groups of modules are not read, but one", groups->size()));
    ZIGZAG_CHECK(readGroup(read, groups->front(), where));
    ZIGZAG_CHECK(readKept(read, config, "ignore", where));
    return read;
}

Result<void> readGrouped(Quantization &to, const Value &config, const std::string &where)
{
    ZIGZAG_TRY(bits, json::integerOr(config, "bits", 4, 1, 64, where));
    if (bits != 4)
        return refused(where, fmt::format("weights of {} bits are not read", bits));
    ZIGZAG_TRY(size, json::integerOr(config, "group_size", 128, -1, 1 << 20, where));
    constexpr std::int64_t block = WeightType(BlockType::Int4).blockLength();
    to.groupSize = std::max<std::int64_t>(size, 0);
    if (to.groupSize % block != 0)
        return refused(where, fmt::format("groups of {} numbers are not read, but of {} or whole rows", size, block));
    return readKept(to, config, "modules_to_not_convert", where);
}

Result<Quantization> readAwq(const Value &config, const std::string &where)
{
    Quantization read{.form = Form::Awq};
    ZIGZAG_TRY(format, json::stringOr(config, json::find(config, "version") ? "version" : "format", "gemm", where));
    if (lower(format) != "gemm")
        return refused(where, fmt::format("the layout \"{}\" of AWQ is not read, but \"gemm\"", json::printable(format)));
    ZIGZAG_CHECK(readGrouped(read, config, where));
    return read;
}

Result<Quantization> readGptq(const Value &config, const std::string &where)
{
    Quantization read{.form = Form::Gptq};
    ZIGZAG_TRY(format,
               json::stringOr(config, json::find(config, "checkpoint_format") ? "checkpoint_format" : "format", "gptq", where));
    if (format != "gptq" && format != "gptq_v2")
        return refused(
            where, fmt::format("the layout \"{}\" of GPTQ is not read, but \"gptq\" and \"gptq_v2\"", json::printable(format)));
    read.zerosLessOne = format == "gptq";
    ZIGZAG_CHECK(readGrouped(read, config, where));
    return read;
}

/// Whether a name of the list stands for this module. Lists of compressed-tensors mark regular expressions, of which those with
/// nothing but any text (".*") and full stops are understood.
bool isKept(const std::vector<std::string> &kept, std::string_view module)
{
    return std::any_of(kept.begin(), kept.end(), [&](std::string_view name) {
        const bool marked = name.starts_with("re:");
        name.remove_prefix(marked ? 3 : 0);
        if (marked && name.starts_with(".*"))
            name.remove_prefix(2);
        std::string plain(name);
        for (std::size_t at = 0; (at = plain.find('\\', at)) != std::string::npos;)
            plain.erase(at, 1);
        if (plain.empty())
            return false;
        const bool begins
            = module.starts_with(plain) && (module.size() == plain.size() || module[plain.size()] == '.' || plain.back() == '.');
        return begins || module.ends_with(plain);
    });
}

} // namespace

Result<Quantization> parseQuantization(const Value &config, const std::string &where)
{
    if (!config.is_object())
        return badInput(fmt::format("{}: {} must be an object, not {}; correct the config", where, key, config.type_name()));
    ZIGZAG_TRY(method, json::stringOr(config, "quant_method", "", where));
    if (method == "fp8" || method == "fbgemm_fp8")
        return readFp8(config, where);
    if (method == "compressed-tensors")
        return readCompressed(config, where);
    if (method == "awq")
        return readAwq(config, where);
    if (method == "gptq")
        return readGptq(config, where);
    return refused(where,
                   method.empty() ? "it has no quant_method"
                                  : fmt::format("quant_method \"{}\" is not read", json::printable(method)));
}

Result<void> giveQuantizedTypes(ModelConfig &config, const std::string &where)
{
    const Quantization &quantization = config.quantization;
    if (quantization.form == Form::None)
        return {};
    const WeightType type = quantization.form == Form::F8 ? WeightType(DType::F8) : WeightType(BlockType::Int4);
    StoredTypes types;
    for (int layer = 0; layer < config.layers; ++layer) {
        StoredTypes::Layer &own = types.layers.emplace_back();
        const LayerPlan plan = layerPlan(config, layer);
        for (const WeightSpec &weight : plan.weights()) {
            if (weight.role != TensorRole::Matrix || weight.id == WeightId::Router)
                continue;
            std::string module = fmt::format("model.layers.{}.{}", layer, fmt::format(fmt::runtime(weight.name), 0));
            module.resize(module.rfind('.')); // of ".weight"
            if (isKept(quantization.kept, module))
                continue;
            if (weight.columns % std::max(type.blockLength(), quantization.groupSize) != 0)
                return badInput(fmt::format("{}: {}: the {} numbers of a row of {} are no whole number of groups of {}; use "
                                            "another form of the model",
                                            where, key, weight.columns, module,
                                            std::max(type.blockLength(), quantization.groupSize)));
            own[static_cast<std::size_t>(weight.id)] = type;
        }
    }
    config.storedTypes = std::move(types);
    return {};
}

} // namespace zigzag
