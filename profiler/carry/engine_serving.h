// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "profiler/exports/export_format.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What an engine makes of maps whose layers stream with one window: what a search must know that chooses layers for it.
struct EngineServing {
    std::string engine; ///< as --as-engine names it
    HeadMap (*asRun)(const HeadMap &map) = nullptr; ///< the map that it runs in the place of one
    bool standsIn = false; ///< something stands in for the sinks that it does not keep (sink_carrier.h)
    std::string_view counted = {}; ///< as profiler/cost/engine_memory.h calls who holds its keys and values; empty: not known
};

/// A format of export, or granite-swa. Refused: names that are none, engines that cannot run this model with such a window, and
/// those that know layers alone where single heads are asked for.
Result<EngineServing> engineServing(std::string_view engine, const ExportModel &model, StreamingWindow window, bool ofHeads);

/// The same for one map; refused where the engine cannot run it.
Result<EngineServing> engineServing(std::string_view engine, const ExportModel &model, const HeadMap &map);

/// The names of those that somebody serves a map by, and what they are called.
struct ServingEngine {
    std::string_view name, title;
};
std::vector<ServingEngine> servingEngines();

} // namespace zigzag
