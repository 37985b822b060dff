// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a user may have set in an engine, with the engines' own defaults.
struct EngineSettings {
    std::int64_t blockTokens = 16; ///< vLLM's --block-size; its default on GPUs (on processors: 128)
    /// vLLM's --max-num-batched-tokens times the batches that it has in flight: two with asynchronous scheduling. Its server's
    /// default is 8192 on a card of 70 GiB or more and 2048 on a smaller one and on a processor.
    std::int64_t inFlightTokens = std::int64_t{2} * 8192;
    std::int64_t microBatchTokens = 512; ///< llama.cpp's --ubatch-size
    DType llamaCacheType = DType::F16; ///< llama.cpp's --cache-type-k and -v
    std::int64_t promptStepTokens = 2048; ///< mlx-lm's --prefill-step-size
    double sglangRatio = 0.8; ///< SGLang's --swa-full-tokens-ratio
};

/// The layers of a map as engines have them: whole layers that are full or slide, one window for all that slide. No sinks; a
/// mixed layer is a full one.
struct EngineLayers {
    int full = 0, sliding = 0;
    std::int64_t window = 0; ///< tokens, its own included; 0 where no layer slides

    int all() const { return full + sliding; }
};
/// Fails where the map's layers have windows that differ: none of the engines has that.
Result<EngineLayers> engineLayers(const HeadMap &map);

/// How vLLM groups layers: in groups of equal size, so that every block of memory serves any group. The size is that of the
/// rarer kind, or of the more frequent one where that is less than 1.5 times the rarer; kinds are filled up with layers that do
/// not exist (v1/core/kv_cache_utils.py, _get_kv_cache_groups_uniform_page_size).
struct VllmGroups {
    int layers = 0; ///< of a group
    int full = 0, sliding = 0; ///< groups

    int padding(const EngineLayers &of) const { return layers * (full + sliding) - of.all(); }
};
VllmGroups vllmGroups(const EngineLayers &layers);
/// The numbers of sliding layers nearest to that of the map, below or equal and above, of which vLLM fills up none; -1 where
/// there is none.
struct UnpaddedCounts {
    int below = -1, above = -1;
};
UnpaddedCounts vllmUnpadded(const EngineLayers &layers);
/// The one to take of both: the nearest, and of two as near the one with more sliding layers; where a budget must hold
/// (`noFewer`), the one that slides as many or more. Not fewer than `least`, and none at all only where none slides now; -1 where
/// there is none.
int vllmSnapped(const EngineLayers &layers, bool noFewer, int least = 1);

/// Keys and values of one sequence in an engine.
struct EngineMemory {
    std::string_view engine, version; ///< the version whose source was read
    /// What one sequence must find free to be taken in and, at a given context, what it really holds while it decodes; bytes.
    std::int64_t admitted = 0, decoding = 0;
    double sequencesPerGiB = 0; ///< of KV memory, as the engine itself would count at start
    std::string note = {};
};
/// vLLM, SGLang, llama.cpp, transformers and mlx-lm, from their sources; computed, not measured. Keys and values of the model's
/// type, but for llama.cpp, which has its own.
std::vector<EngineMemory> engineMemory(const ModelConfig &config, const EngineLayers &layers, std::int64_t context,
                                       const EngineSettings &settings = {});

} // namespace zigzag
