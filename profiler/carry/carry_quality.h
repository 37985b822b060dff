// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/run/device_model.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

/// How near a way to run a model is to full attention: means over positions of the next token's distribution.
struct NearFull {
    double kl = 0; ///< nats
    double sameTop = 0; ///< share of positions whose likeliest token is full attention's
    std::int64_t positions = 0; ///< 0: nothing was measured
};

/// What stand-ins do to texts that they were not made from. Within the window the real sinks are still seen, and the stand-ins
/// come on top of them; a map with its sinks, and a window alone, are full attention there.
struct CarryQuality {
    NearFull inside, beyond; ///< with stand-ins
    NearFull windowAlone, sinksKept; ///< beyond the window
};

/// How far a measurement is, a whole text at a time: sums, of which it goes on to the same means.
struct CarrySums {
    std::vector<NearFull> inside, beyond; // [carried]; empty: not begun
    NearFull windowAlone, sinksKept;
    std::size_t texts = 0; ///< in them
};

/// Full attention, the map with its sinks, its window alone and each of `carried` (uploaded from carriedModel) over each text. Of
/// each text at most 512 positions within the window and 512 beyond it, evenly. Inside: from the eighth token on, the
/// distribution of the first few being no text's. progress: 0 to 1. `soFar`: of the same maps and texts; it holds what there is
/// when the call is cancelled.
Result<std::vector<CarryQuality>> measureCarried(const std::shared_ptr<DeviceModel> &model, const HeadMap &map,
                                                 std::span<const std::shared_ptr<DeviceModel>> carried,
                                                 std::span<const std::vector<int>> texts,
                                                 const std::atomic<bool> *cancel = nullptr,
                                                 const std::function<void(double)> &progress = {}, CarrySums *soFar = nullptr);

/// "inside the window: KL 0.041, same top token 89.0 %; beyond: …".
std::string qualityText(const CarryQuality &quality);

} // namespace zigzag
