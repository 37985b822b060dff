// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/exports/writing.h"

#include "engine/base/files.h"
#include "engine/model/model.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <fmt/format.h>
#include <system_error>

namespace zigzag {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view marker = "Written by zigzag export";

bool holdsAnotherModel(const fs::path &out)
{
    std::error_code ignored;
    if (!fs::exists(out / "config.json", ignored))
        return false;
    const auto note = readTextFile(out / "README.md", 1 << 20);
    return !note || note->find(marker) == std::string::npos;
}

} // namespace

HeadMap layersWithoutSinks(const HeadMap &map)
{
    HeadMap run = map;
    for (int layer = 0; layer < map.layers(); ++layer) {
        run.setLayerWindow(layer, 0, map.window(layer).recent);
        if (map.layerKind(layer) == LayerKind::Mixed)
            run.setLayer(layer, HeadKind::Retrieval);
    }
    return run;
}

bool isWindowed(const HeadMap &map, int layer)
{
    return map.hasStreaming(layer) || map.isLocal(layer);
}

std::string commandsOfHosts(const HeadMap &map, const ExportModel *model, std::string (*flags)(const ServingRanks &, int host),
                            const std::function<std::string(const std::string &flags)> &command)
{
    if (!model || model->ranks.isOne())
        return command({});
    const ServingRanks &ranks = model->ranks;
    std::string text;
    if (model->context > 0) {
        const ServedRanks served = servedRanks(model->config, layersWithoutSinks(map), ranks, model->context);
        text = fmt::format("# {} GPUs, {} to a layer, {} of layers. Keys and values of a sequence of {} tokens: {} bytes "
                           "on the fullest GPU, {:.3f} times the mean\n",
                           ranks.gpus, ranks.tensor,
                           ranks.pipeline == 1 ? std::string("one stage") : fmt::format("{} stages", ranks.pipeline),
                           model->context, served.largest, served.imbalance);
    }
    for (int host = 0; host < ranks.hosts; ++host) {
        if (ranks.hosts > 1)
            text += host == 0 ? fmt::format("# on the first of {} hosts, whose address the others know as HOST\n", ranks.hosts)
                              : fmt::format("# on host {}\n", host + 1);
        text += command(' ' + flags(ranks, host));
    }
    return text;
}

std::string refusedWindows(const HeadMap &map)
{
    int first = -1;
    for (int layer = 0; layer < map.layers(); ++layer) {
        if (!isWindowed(map, layer))
            continue;
        if (map.isLocal(layer) && map.model().fileWindows[static_cast<std::size_t>(layer)] == unknownWindow)
            return fmt::format("layer {} has a window of the model's own, and the map does not say how wide: name the model "
                               "(--model)",
                               layer);
        if (first < 0)
            first = layer;
        const StreamingWindow a = map.window(first), b = map.window(layer);
        const auto text = [&](StreamingWindow window) { // what differs
            return a.sink == b.sink ? fmt::format("recent {}", window.recent)
                                    : fmt::format("sink {}, recent {}", window.sink, window.recent);
        };
        const auto own = [&](int of) { return map.isLocal(of) ? " (the model's own)" : ""; };
        if (a != b)
            return fmt::format("it has one window for all layers, and this map has {} in layer {}{} and {} in layer {}{}: give "
                               "all layers of the map one window",
                               text(a), first, own(first), text(b), layer, own(layer));
    }
    return {};
}

std::string refusedLocalLayers(const HeadMap &map)
{
    if (map.model().localLayers() == 0)
        return {};
    return fmt::format(
        "its layers keep everything or stream, and {} of {} layers here have a window of the model's own: use vllm "
        "or head-map",
        map.model().localLayers(), map.layers());
}

std::string refusedFamily(const ExportModel *model)
{
    if (!model || model->config.is("llama") || model->config.is("mistral") || model->config.is("qwen2")
        || model->config.is("qwen3"))
        return {};
    const std::string_view family = nameOf(*model->config.family);
    if (model->config.is("granite"))
        return fmt::format("layers of a {} have no kinds of their own there: use granite-swa", family);
    if (model->config.is("qwen3_moe"))
        return fmt::format("layers of a {} have no kinds of their own there: use mellum", family);
    return fmt::format("layers of a {} have no kinds of their own there, so that every layer would keep everything or another "
                       "network be run: use head-map, and zigzag itself",
                       family);
}

int windowOf(const HeadMap &map)
{
    const HeadMap run = layersWithoutSinks(map);
    for (int layer = 0; layer < run.layers(); ++layer)
        if (isWindowed(run, layer)) // the others are alike: refusedWindows
            return run.window(layer).recent;
    return run.oneStreamingWindow().value().recent;
}

ExportVerdict layerVerdict(const HeadMap &map)
{
    const HeadMap run = layersWithoutSinks(map);
    ExportVerdict verdict;
    verdict.sinksKept = true;
    for (int layer = 0; layer < map.layers(); ++layer)
        if (map.hasStreaming(layer) && map.window(layer).sink > 0)
            verdict.sinksKept = false;
    verdict.perHeadKept = map.isExclusive();
    verdict.headsLost = map.streamingHeads() - run.streamingHeads();
    verdict.localLayers = map.model().localLayers();
    verdict.refusal = refusedWindows(run);
    return verdict;
}

Json layerTypes(const HeadMap &map)
{
    Json types = Json::array();
    for (int layer = 0; layer < map.layers(); ++layer)
        types.push_back(map.layerKind(layer) == LayerKind::Streaming || map.isLocal(layer) ? "sliding_attention"
                                                                                           : "full_attention");
    return types;
}

Result<void> writeFolder(const fs::path &out, const std::vector<ExportFile> &files)
{
    std::error_code error;
    const bool created = fs::create_directory(out, error); // an existing folder is no error
    if (error)
        return badInput(fmt::format("{}: the folder cannot be made ({}); choose a folder whose parent exists", out.string(),
                                    error.message()));
    Result<void> done;
    for (const ExportFile &file : files)
        if (done)
            done = writeFileAtomically(out / file.name, file.content);
    if (!done && created)
        fs::remove_all(out, error);
    return done;
}

Result<void> writeModelFolder(const fs::path &out, const Json &config, const ExportModel &model, const std::string &note,
                              std::vector<ExportFile> more)
{
    if (holdsAnotherModel(out))
        return badInput(fmt::format("{}: holds a config.json that is no export of ours; choose another folder", out.string()));
    more.insert(more.begin(),
                {{"README.md", fmt::format("# {}\n\n{}.\n\n{}", model.config.name, marker, note)},
                 {"config.json", config.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"}});
    return writeFolder(out, more);
}

Result<void> writeModelFolder(const fs::path &out, const Json &config, const ExportModel &model, const HeadMap &map,
                              const std::string &runBy)
{
    const std::string fingerprint
        = map.model().fingerprint.empty() ? "" : fmt::format(" (fingerprint {})", map.model().fingerprint);
    const std::string note
        = fmt::format("- Weights: those of `{}`{}, unchanged. Copy or link its `*.safetensors`, the index of its "
                      "shards and its tokenizer files into this folder; its own `config.json` stays where it is.\n"
                      "- To be run by: {}.\n- Window: {} tokens, the token itself counted. Sinks are not kept.\n",
                      model.name, fingerprint, runBy, windowOf(map));
    return writeModelFolder(out, config, model, note, {});
}

Json bareConfig(const ExportModel &model)
{
    Json config = Json::parse(model.configText); // it was parsed before: the model is loaded
    for (const char *key : {"rope_theta", "rope_scaling", "rope_parameters", "layer_types", "sliding_window",
                            "use_sliding_window", "max_window_layers", "pretraining_tp", "_name_or_path", "auto_map"})
        config.erase(key);
    config["head_dim"] = model.config.headDim;
    config["num_key_value_heads"] = model.config.kvHeads;
    // What a file leaves out, another model type may fill in otherwise.
    config["rms_norm_eps"] = model.config.normEpsilon;
    config["tie_word_embeddings"] = model.config.tiedEmbeddings;
    for (const char *key : {"bos_token_id", "eos_token_id", "pad_token_id"})
        if (!config.contains(key))
            config[key] = nullptr;
    return config;
}

Json ropeParameters(const RopeConfig &rope)
{
    Json json = {{"rope_type", nameOf(rope.type)}, {"rope_theta", rope.theta}};
    if (rope.type == RopeType::Default)
        return json;
    json["factor"] = rope.factor;
    if (rope.type == RopeType::Llama3) {
        json["low_freq_factor"] = rope.lowFrequencyFactor;
        json["high_freq_factor"] = rope.highFrequencyFactor;
    }
    if (rope.type == RopeType::Yarn) {
        json["beta_fast"] = rope.betaFast;
        json["beta_slow"] = rope.betaSlow;
        json["truncate"] = rope.truncate;
    }
    if (rope.type == RopeType::LongRope) {
        json["short_factor"] = rope.shortFactors;
        json["long_factor"] = rope.longFactors;
    }
    if (rope.attentionFactor > 0)
        json["attention_factor"] = rope.attentionFactor;
    if (rope.type != RopeType::Linear && rope.type != RopeType::Dynamic)
        json["original_max_position_embeddings"] = static_cast<std::int64_t>(rope.originalContext);
    return json;
}

void setRope(Json &config, const RopeConfig &rope)
{
    Json scaling = ropeParameters(rope);
    scaling.erase("rope_theta");
    config["rope_theta"] = rope.theta;
    config["rope_scaling"] = rope.type == RopeType::Default ? Json() : scaling;
    config.erase("original_max_position_embeddings"); // it stands with the scaling
}

std::string shellQuoted(const std::string &text)
{
    std::string quoted = "'";
    for (const char c : text)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string servedModel(const ExportModel *model)
{
    constexpr std::string_view preset = "preset:", bundled = "bundled:";
    if (model && !model->servedAs.empty())
        return shellQuoted(model->servedAs);
    if (!model || model->name.starts_with(preset))
        return "MODEL";
    const fs::path place = model->name.starts_with(bundled) ? resourceFolder() / "models" / model->name.substr(bundled.size())
                                                            : fs::path(model->name);
    std::error_code ignored;
    if (!fs::exists(place, ignored))
        return shellQuoted(place.string());
    const fs::path absolute = fs::absolute(place, ignored).lexically_normal();
    return shellQuoted((absolute.has_filename() ? absolute : absolute.parent_path()).string());
}

} // namespace zigzag
