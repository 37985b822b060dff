// SPDX-License-Identifier: GPL-3.0-or-later
// The architecture `granite_swa` is Llama with a window in some layers, a sink logit for each query head, biases and four
// multipliers. Windows count as ours do: i - j < sliding_window.
#include "profiler/carry/granite_swa_folder.h"

#include "engine/base/files.h"
#include "engine/model/checkpoint.h"
#include "profiler/exports/writing.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::string_view newShard = "model-sinks.safetensors";

std::string_view storedName(DType type)
{
    return type == DType::F32 ? "F32" : type == DType::F16 ? "F16" : "BF16";
}

Json configOf(const ExportModel &model, const Model &carried)
{
    const ModelConfig &config = carried.config;
    Json json = bareConfig(model);
    json["model_type"] = "granite_swa";
    json["architectures"] = {"GraniteSWAForCausalLM"};
    json["attention_bias"] = true;
    json["mlp_bias"] = config.mlpBias;
    json["attention_multiplier"] = config.scoreScale;
    json["embedding_multiplier"] = config.embeddingScale;
    json["residual_multiplier"] = config.residualScale;
    json["logits_scaling"] = 1 / config.logitScale;
    json["rope_parameters"] = ropeParameters(config.rope);
    json["rope_theta"] = config.rope.theta;
    json["layer_rope_theta"] = std::vector<double>(static_cast<std::size_t>(config.layers), config.rope.theta);
    std::int64_t window = 0;
    for (const std::int64_t each : config.fileWindows) {
        json["layer_types"].push_back(each > 0 ? "sliding_attention" : "full_attention");
        window = std::max(window, each);
    }
    json["sliding_window"] = window;
    return json;
}

/// A safetensors file, and the names in it.
struct Shard {
    std::string content;
    std::vector<std::string> names;
    std::int64_t bytes = 0;
};

/// The carried model's tensors that the model's own files lack.
Shard newTensors(const Model &carried, const Checkpoint &own)
{
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    Shard shard;
    std::string data;
    for (int layer = 0; layer < carried.config.layers; ++layer) {
        const LayerWeights &weights = carried.weights.layers[static_cast<std::size_t>(layer)];
        const LayerPlan plan = layerPlan(carried.config, layer);
        for (const WeightId id :
             {WeightId::QueryBias, WeightId::KeyBias, WeightId::ValueBias, WeightId::OutputBias, WeightId::SinkLogits}) {
            const TensorView &view = weights[id];
            std::string name = fmt::format("model.layers.{}.{}", layer, plan.find(id)->name);
            if (own.find(name)) // a tensor in two files is read from either
                continue;
            shard.names.push_back(std::move(name));
            header[shard.names.back()] = {{"dtype", storedName(*view.type.plain())},
                                          {"shape", {view.rows}},
                                          {"data_offsets", {data.size(), data.size() + static_cast<std::size_t>(view.bytes())}}};
            data.append(reinterpret_cast<const char *>(view.data), static_cast<std::size_t>(view.bytes()));
        }
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' '); // so that the data is aligned
    static_assert(std::endian::native == std::endian::little);
    const std::uint64_t length = text.size();
    shard.content.assign(reinterpret_cast<const char *>(&length), sizeof length);
    shard.content += text + data;
    shard.bytes = std::ssize(data);
    return shard;
}

/// The model's own weight files by their names in the new folder. One file alone is renamed: under its own name a reader would
/// not look at the index.
std::map<std::string, std::string> fileNames(const Checkpoint &checkpoint)
{
    std::map<std::string, std::string> names;
    for (const std::string &tensor : checkpoint.names())
        names.emplace(checkpoint.fileOf(tensor), "");
    for (auto &[path, name] : names)
        name = names.size() == 1 ? "model-weights.safetensors" : fs::path(path).filename().string();
    return names;
}

Json indexOf(const Checkpoint &checkpoint, const std::map<std::string, std::string> &files, const Shard &shard)
{
    Json map = Json::object();
    std::int64_t bytes = shard.bytes;
    for (const std::string &tensor : checkpoint.names()) {
        map[tensor] = files.at(checkpoint.fileOf(tensor));
        bytes += static_cast<std::int64_t>(checkpoint.find(tensor)->bytes);
    }
    for (const std::string &tensor : shard.names)
        map[tensor] = newShard;
    return {{"metadata", {{"total_size", bytes}}}, {"weight_map", map}};
}

Result<void> bringAll(const fs::path &folder, const std::map<std::string, std::string> &weights, const fs::path &out,
                      WeightFiles files)
{
    for (const auto &[path, name] : weights)
        ZIGZAG_CHECK(bringFile(path, out / name, files));
    return bringTokenizer(folder, out);
}

bool sameBytes(const TensorView &a, const TensorView &b)
{
    return a.type == b.type && a.bytes() == b.bytes() && std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
}

std::string windowWord(std::int64_t window)
{
    return window > 0 ? fmt::format("a window of {}", window) : "full attention";
}

} // namespace

Result<void> writeGraniteSwaFolder(const ExportModel &model, const Model &carried, const fs::path &out, WeightFiles files,
                                   const std::string &quality)
{
    ZIGZAG_TRY(folder, modelFolder(model.name));
    ZIGZAG_TRY(checkpoint, Checkpoint::open(folder));
    const auto names = fileNames(checkpoint);
    const Shard shard = newTensors(carried, checkpoint);
    std::string note
        = fmt::format("- Weights: those of `{}`, {}, and `{}` with what stands in for the sink tokens: a logit for each query "
                      "head, and biases.\n"
                      "- To be run by: transformers 5.15 and later, vLLM, SGLang; by llama.cpp after its own conversion.\n",
                      model.name, files == WeightFiles::Link ? "linked (they must stay where they are)" : "copied", newShard);
    if (!quality.empty())
        note += fmt::format("- {}.\n", quality);
    const bool existed = fs::exists(out);
    ZIGZAG_CHECK(writeModelFolder(out, configOf(model, carried), model, note,
                                  {{"model.safetensors.index.json", indexOf(checkpoint, names, shard).dump(1) + "\n"},
                                   {std::string(newShard), shard.content}}));
    Result<void> brought = bringAll(folder, names, out, files);
    if (std::error_code ignored; !brought && !existed)
        fs::remove_all(out, ignored);
    return brought;
}

Result<std::shared_ptr<const Model>> openCarried(const std::string &folder, const Model &model, const HeadMap &map)
{
    ZIGZAG_TRY(carried, loadModel(folder));
    const ModelConfig &theirs = carried->config, &ours = model.config;
    if (!theirs.is("granite_swa"))
        return badInput(
            fmt::format("{}: is a {}; give a folder that export --format granite-swa wrote", folder, nameOf(*theirs.family)));
    bool same = theirs.layers == ours.layers && theirs.hiddenSize == ours.hiddenSize && theirs.queryHeads == ours.queryHeads
        && theirs.kvHeads == ours.kvHeads && theirs.headDim == ours.headDim && theirs.vocabulary == ours.vocabulary
        && sameBytes(carried->weights.finalNorm, model.weights.finalNorm);
    for (std::size_t layer = 0; same && layer < model.weights.layers.size(); ++layer)
        same = sameBytes(carried->weights.layers[layer][WeightId::InputNorm], model.weights.layers[layer][WeightId::InputNorm]);
    if (!same)
        return badInput(fmt::format("{}: was exported from another model than {}; export this one", folder, ours.name));
    for (int layer = 0; layer < ours.layers; ++layer) {
        const bool streams = map.layerKind(layer) == LayerKind::Streaming;
        const std::int64_t asked = streams ? map.pattern(layer, 0).recent() : 0,
                           there = theirs.fileWindows[static_cast<std::size_t>(layer)];
        if (asked != there)
            return badInput(
                fmt::format("{}: was exported with another map: layer {} has {} there and {} in this one; export this "
                            "map",
                            folder, layer, windowWord(there), windowWord(asked)));
    }
    return std::move(carried);
}

ExportVerdict graniteSwaVerdict(const HeadMap &map, const ExportModel *model)
{
    ExportVerdict verdict = layerVerdict(map);
    verdict.minimumVersion = "transformers 5.15";
    verdict.note = "sinks are stood in for by a logit for each query head and a bias, which a calibration gives: near the map "
                   "beyond its window, and a little off inside it; both are measured, and a fit brings it nearer";
    if (!model)
        verdict.refusal = "its folder is the model's own, with new tensors: name the model (--model)";
    else if (model->config.quantization.form != Quantization::Form::None)
        verdict.refusal
            = "the folder's weights are quantised, and biases beside such matrices are none that engines were seen to "
              "read: export from the model in float32, float16 or bfloat16";
    else if (const std::string why = whyNotCarried(model->config, map); !why.empty())
        verdict.refusal = why;
    return verdict;
}

} // namespace zigzag
