// SPDX-License-Identifier: GPL-3.0-or-later
// Names and meanings as in llama.cpp b11434, src/models/granite-swa.cpp: a layer sees i - j < attention.sliding_window where
// attention.sliding_window_pattern is true; a sink logit for each query head in every layer; rotation in neighbouring pairs, as
// in a llama's file, so that its queries and keys are copied as they lie.
#include "profiler/carry/granite_swa_gguf.h"

#include "engine/model/gguf/gguf_file.h"
#include "engine/model/tensor_values.h"
#include "profiler/carry/gguf_writer.h"
#include "profiler/carry/granite_swa_folder.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace {

constexpr std::string_view architecture = "granite_swa";

Result<std::string> architectureOf(const GgufFile &file)
{
    const GgufValue *value = file.find("general.architecture");
    const auto *name = value ? std::get_if<std::string_view>(value) : nullptr;
    if (!name || (*name != "llama" && *name != "granite"))
        return badInput(
            fmt::format("{}: only files of a llama or a granite are rewritten, whose queries and keys lie as {} has them; "
                        "export the Hugging Face folder with --format granite-swa, and let llama.cpp convert it",
                        file.path().string(), architecture));
    return std::string(*name);
}

/// The metadata under its new name, without what was of the file's parts, and with what the architecture asks for.
void addMetadata(GgufWriter &writer, const GgufFile &file, const std::string &old, const ModelConfig &config)
{
    const std::string prefix = old + ".";
    const auto named = [](std::string_view key) { return fmt::format("{}.{}", architecture, key); };
    writer.text("general.architecture", architecture);
    for (const auto &[key, value] : file.metadata()) {
        const bool isOwn = key.starts_with(prefix);
        const std::string_view rest = isOwn ? key.substr(prefix.size()) : key;
        if (key == "general.architecture" || key == "general.alignment" || key.starts_with("split.")
            || (isOwn && rest == "attention.sliding_window"))
            continue;
        writer.stored(isOwn ? named(rest) : std::string(key), file.stored(key));
    }
    std::vector<bool> windowed;
    for (const std::int64_t window : config.fileWindows)
        windowed.push_back(window > 0);
    writer.integer(named("attention.sliding_window"),
                   static_cast<std::uint32_t>(*std::max_element(config.fileWindows.begin(), config.fileWindows.end())));
    writer.flags(named("attention.sliding_window_pattern"), windowed);
    for (const auto &[key, value] : {std::pair("attention.scale", config.scoreScale),
                                     {"embedding_scale", config.embeddingScale},
                                     {"residual_scale", config.residualScale},
                                     {"logit_scale", 1 / config.logitScale}})
        if (!file.find(prefix + key))
            writer.number(named(key), static_cast<float>(value));
}

/// Rows that rotate together are neighbours: of a bias of `dim` numbers a head too, which a folder's model has in halves.
std::vector<float> interleaved(const std::vector<float> &bias, int dim)
{
    std::vector<float> pairs(bias.size());
    const auto length = static_cast<std::size_t>(dim), half = length / 2;
    for (std::size_t i = 0; i < bias.size(); ++i) {
        const std::size_t within = i % length;
        pairs[i - within + 2 * (within % half) + within / half] = bias[i];
    }
    return pairs;
}

/// Tensors that the file lacks; their values go to `values`, where they stay.
void addNewTensors(GgufWriter &writer, const GgufFile &file, const Model &carried, std::deque<std::vector<float>> &values)
{
    using enum WeightId;
    constexpr std::uint32_t float32 = 0;
    for (int layer = 0; layer < carried.config.layers; ++layer) {
        const LayerPlan plan = layerPlan(carried.config, layer);
        for (const WeightId id : {QueryBias, KeyBias, ValueBias, OutputBias, SinkLogits}) {
            const std::string name = fmt::format("blk.{}.{}", layer, plan.find(id)->ggufName);
            if (file.findTensor(name))
                continue;
            std::vector<float> numbers = floatsOf(carried.weights.layers[static_cast<std::size_t>(layer)][id]);
            if ((id == QueryBias || id == KeyBias) && !carried.config.interleavedRope)
                numbers = interleaved(numbers, carried.config.headDim);
            const std::vector<float> &kept = values.emplace_back(std::move(numbers));
            const std::int64_t shape[] = {std::ssize(kept)};
            writer.tensor(name, shape, float32, std::as_bytes(std::span(kept)));
        }
    }
}

} // namespace

Result<void> writeGraniteSwaGguf(const ExportModel &model, const Model &carried, const std::filesystem::path &out)
{
    if (std::error_code ignored; std::filesystem::equivalent(model.name, out, ignored))
        return badInput(fmt::format("{}: is the model itself; choose another file", out.string()));
    ZIGZAG_TRY(file, GgufFile::open(model.name));
    ZIGZAG_TRY(old, architectureOf(file));
    GgufWriter writer;
    addMetadata(writer, file, old, carried.config);
    for (const auto &[name, tensor] : file.tensors()) {
        if (!tensor.type || !tensor.type->isRead())
            return badInput(fmt::format("{}: tensor \"{}\" has type {}, whose size is not known here; use a file of {}",
                                        file.fileOf(name), name, tensor.typeName(), readGgufTypes()));
        writer.tensor(name, tensor.shape, tensor.typeNumber, {tensor.data, tensor.bytes});
    }
    std::deque<std::vector<float>> values;
    addNewTensors(writer, file, carried, values);
    return writer.write(out);
}

ExportVerdict graniteSwaGgufVerdict(const HeadMap &map, const ExportModel *model)
{
    ExportVerdict verdict = graniteSwaVerdict(map, model);
    verdict.minimumVersion = "llama.cpp b11434";
    if (!verdict.refusal.empty())
        return verdict;
    if (const auto file = GgufFile::open(model->name); !file)
        verdict.refusal = "it is made of a GGUF file: name one as the model (--model), or use --format granite-swa";
    else if (const auto old = architectureOf(*file); !old)
        verdict.refusal = old.error().message;
    return verdict;
}

} // namespace zigzag
