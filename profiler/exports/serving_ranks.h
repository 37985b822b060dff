// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// How serving engines spread a model over GPUs, as their documentation has it: each layer over those of a host (tensor
/// parallel), and the layers over hosts (pipeline parallel).
struct ServingRanks {
    int gpus = 1, hosts = 1;
    int tensor = 1, pipeline = 1; ///< their product is `gpus`

    bool isOne() const { return gpus == 1; }
};
/// As many GPUs of a host share a layer as divide its query heads, with its KV heads or a multiple of them; the layers are cut
/// into as many stages as that leaves. Refused: hosts that are not all filled, and more stages than layers.
Result<ServingRanks> servingRanks(const ModelConfig &config, int gpus, int gpusPerHost);

/// How many layers each stage has: vLLM's rule (distributed/utils.py, get_pp_indices), which gives layers that do not divide to
/// all stages but the last, or but the first and the last. [pipeline]
std::vector<int> stageLayers(int layers, int pipeline);

/// What each GPU holds of the keys and values of one sequence.
struct ServedRanks {
    std::vector<std::int64_t> kvBytes; ///< [pipeline, tensor]
    std::int64_t largest = 0;
    double imbalance = 1; ///< the fullest GPU against the mean
};
/// `map` as the engine runs it. A head that several GPUs hold counts on each.
ServedRanks servedRanks(const ModelConfig &config, const HeadMap &map, const ServingRanks &ranks, std::int64_t context);

/// What is added to the command that serves on a host, the first being 0: "--tensor-parallel-size 8 …". Empty for one GPU. The
/// first host's address is HOST, to be filled in.
std::string vllmRankFlags(const ServingRanks &ranks, int host);
std::string sglangRankFlags(const ServingRanks &ranks, int host);

} // namespace zigzag
