// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/run/device_model.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

// What stands in for sink tokens in engines that keep none. A sink token does two things to a head: it takes weight away from
// the window, and it adds a vector that hardly changes from query to query. A score for each query head that takes weight
// (AttentionArgs::sinkLogits) gives the first back, a bias of the output projection the second; the granite_swa
// architecture has both.

/// Of one layer that streams; empty for one that does not.
struct LayerCarrier {
    std::vector<float> sinkLogits; // [query_heads]
    std::vector<float> outputBias; // [hidden]
    std::vector<float> queryBias, keyBias, valueBias; // [query_width], [kv_width] twice, beside the model's; fitted ones alone
};

struct SinkCarrier {
    std::vector<LayerCarrier> layers; // [layers]
    std::int64_t queries = 0; ///< that they are means of, in each layer
};

/// How far a calibration is, a whole text at a time: it goes on from here to the same stand-ins, to the bit.
struct CalibrationState {
    std::vector<std::vector<double>> scores, outputs; // [layers], sums over queries; empty: not begun
    std::size_t scored = 0, summed = 0; ///< texts in them
};

/// One pass of calibration. A logit is the mean over queries of log Σ exp of the scores of the sinks that their window has left
/// behind, a bias the mean of what attention with the sinks still gives beyond that, through the output projection. Hidden states
/// are those of the map with its sinks. Mixed layers are taken as full, as in the formats that know layers alone. `texts`:
/// tokens, of which those beyond sink + recent count; refused where there are none. progress: 0 to 1. `soFar`: of the same model,
/// map and texts; it holds what there is when the call is cancelled.
Result<SinkCarrier> calibrateSinks(const std::shared_ptr<DeviceModel> &model, const HeadMap &map,
                                   std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel = nullptr,
                                   const std::function<void(double)> &progress = {}, CalibrationState *soFar = nullptr);

/// The same for every layer that a map with this window may let stream, each with the hidden states of full attention at its
/// input. So one pass serves any choice of layers, as a search wants it: stand-ins are a function of what their own layer reads.
/// Those of the lowest streaming layer are exactly those of calibrateSinks; above it hidden states are not quite full
/// attention's, and what is exported is calibrated again, for its own map.
Result<SinkCarrier> calibrateEveryLayer(const std::shared_ptr<DeviceModel> &model, StreamingWindow window,
                                        std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel = nullptr,
                                        const std::function<void(double)> &progress = {}, CalibrationState *soFar = nullptr);

/// The map as an engine with stand-ins runs it: whole layers, and no sinks.
HeadMap withoutSinks(const HeadMap &map);

/// Stand-ins without values, for what does not depend on them.
SinkCarrier blankCarrier(const ModelConfig &config, const HeadMap &map);

/// The map with whole layers alone: mixed ones are full.
HeadMap wholeLayers(HeadMap map);
/// The one window of its streaming layers (whyNotCarried refuses several).
StreamingWindow streamingWindowOf(const HeadMap &map);

/// Why a model cannot be run as granite_swa, in one sentence; empty where it can.
std::string whyNotCarried(const ModelConfig &config, const HeadMap &map);

/// The model as granite_swa: a window in the layers that stream, their sink logits and biases, and a sink logit that takes no
/// weight in the others. It shares the weights' memory; its own tensors are of the model's type. It has no tokenizer: texts are
/// the model's.
Result<std::shared_ptr<const Model>> carriedModel(const Model &model, const HeadMap &map, const SinkCarrier &carrier);

/// The score of a sink that takes no weight.
inline constexpr float noSink = -1e4f;

} // namespace zigzag
