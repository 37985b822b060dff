// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/carried_target.h"
#include "profiler/carry/engine_serving.h"
#include "profiler/evaluate/map_meter.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jobs {

/// The engine that needs no export.
inline constexpr std::string_view ourEngine = "ours";

/// One of the ways in which an engine serves a map: as an export in its words or, where it can take one, as the model with
/// stand-ins for its sinks.
struct ServingWay {
    std::string name = std::string(ourEngine); ///< of --format and, for what is no GGUF file, of --as-engine
    HeadMap (*asRun)(const HeadMap &map) = nullptr; ///< null: as it is
    const CarriedTarget *carried = nullptr; ///< what the stand-ins are written by; null: nothing stands in
    std::string_view counted = {}; ///< as profiler/cost/engine_memory.h calls the engine; empty: ours

    bool isOurs() const { return counted.empty(); }
    bool standsIn() const { return carried != nullptr; }
    HeadMap served(const HeadMap &map) const { return asRun ? asRun(map) : map; }
    /// Whether layers that stream have sinks there, or what stands in for them.
    bool hasSinks(const ModelShape &model) const;
    /// As searches and meters want it, without the stand-ins themselves.
    ServedBy servedBy() const;
};

/// The names that servingWays takes.
std::vector<std::string_view> recommendedEngines();

/// Those of an engine, the ones with stand-ins first. Refused, in one line: what is no engine, and one that can run no map of
/// this model with such a window.
Result<std::vector<ServingWay>> servingWays(std::string_view engine, const ExportModel &model, StreamingWindow window);

/// Keys and values of one sequence where it is served.
struct ServedMemory {
    std::int64_t bytes = 0; ///< that must be free for it to be taken in
    std::int64_t decoding = 0; ///< that it holds while it decodes
    double sequencesPerGiB = 0;
    std::string engine; ///< with the version that was read: "vLLM 0.32.0"; ours: "zigzag"
    std::string note;
};
Result<ServedMemory> servedMemory(const ServingWay &way, const ModelConfig &config, const HeadMap &map, std::int64_t context);

} // namespace zigzag::jobs
