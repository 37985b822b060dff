// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to the formats: what several of them write alike.

#include "profiler/exports/export_format.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zigzag {

/// Why a target that has one window for all layers cannot take the map, and what to do; empty where it can.
std::string refusedWindows(const HeadMap &map);

/// Why a target that knows layers with everything and layers that stream cannot take a map with local ones (HeadMap::isLocal);
/// empty where there are none.
std::string refusedLocalLayers(const HeadMap &map);
/// Whether a target runs the layer with a window: the map's, or that of the model's own file.
bool isWindowed(const HeadMap &map, int layer);

/// Targets that know layers alone and no sinks: a mixed layer retrieves, which costs memory but loses nothing.
HeadMap layersWithoutSinks(const HeadMap &map);
/// The verdict of such a target, with the heads that its mixed layers lose; it has one window for all layers.
ExportVerdict layerVerdict(const HeadMap &map);
/// That window, of a map that the verdict does not refuse.
int windowOf(const HeadMap &map);
/// ["full_attention", "sliding_attention", …], a mixed layer as full attention, a local one as what it is.
nlohmann::ordered_json layerTypes(const HeadMap &map);

/// Why a target whose layers get kinds of their own in Llama, Mistral, Qwen2 and Qwen3 alone cannot take the model; empty where
/// it can, and where there is no model. Others' code never reads layer_types, and would run every layer as before, or is another
/// network than the folder would claim.
std::string refusedFamily(const ExportModel *model);

struct ExportFile {
    std::string name;
    std::string content;
};
/// Makes the folder where it is missing; an export that fails leaves no half of itself behind.
Result<void> writeFolder(const std::filesystem::path &out, const std::vector<ExportFile> &files);

/// A folder with config.json, README.md (`note`: a list on weights, programs and windows) and more. Refuses a folder that holds
/// another model.
Result<void> writeModelFolder(const std::filesystem::path &out, const nlohmann::ordered_json &config, const ExportModel &model,
                              const std::string &note, std::vector<ExportFile> more);
/// The same for weights that go with it as they are.
Result<void> writeModelFolder(const std::filesystem::path &out, const nlohmann::ordered_json &config, const ExportModel &model,
                              const HeadMap &map, const std::string &runBy);
/// The model's own config without its rotary embedding and with the head size spelled out.
nlohmann::ordered_json bareConfig(const ExportModel &model);
/// rope_theta and rope_scaling: what every version of transformers reads.
void setRope(nlohmann::ordered_json &config, const RopeConfig &rope);
/// The same as one object, rope_parameters, as transformers 5 has it.
nlohmann::ordered_json ropeParameters(const RopeConfig &rope);

/// A command for each host, which `command` makes of what is added for its GPUs ("" for one, else " --… "), with comments that
/// say where it runs and what each GPU holds of the map as it is run there.
std::string commandsOfHosts(const HeadMap &map, const ExportModel *model, std::string (*flags)(const ServingRanks &, int host),
                            const std::function<std::string(const std::string &flags)> &command);

/// One word of a POSIX shell.
std::string shellQuoted(const std::string &text);
/// The model as a serving engine is told it, quoted: as the user wants it called, or its place here as an absolute path, since a
/// server is started elsewhere (`bundled:NAME` is known here alone, and its folder everywhere). MODEL, to be filled in, where
/// there is none with weights.
std::string servedModel(const ExportModel *model);

} // namespace zigzag
