// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "profiler/cost_fit.h"
#include "profiler/op_cost.h"
#include "profiler/run_types.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace zigzag {

/// A prediction: never shown like a measurement.
struct Estimate {
    double ms = 0;
    std::vector<double> layerMs; ///< [layers]; the rest of `ms` lies outside the layers
    std::int64_t kvBytes = 0; ///< exact, from the layout
};

/// Per op a line, overhead + tokens + work, fitted to this machine's own measurements of this model. Pure and cheap: an edit
/// asks for hundreds of estimates within a frame.
class CostModel
{
public:
    CostModel() = default;
    Estimate estimate(const HeadMap &map, Phase phase, std::int64_t context) const;
    bool isFitted() const { return m_fitted; }
    const ModelConfig &config() const { return m_config; }
    const MachineProfile &machine() const { return m_machine; }
    /// How far the fit is from the measurements that it was made from, |predicted − measured| / measured, median.
    double medianFitError() const { return m_medianFitError; }
    int fitPoints() const { return m_fitPoints; }

private:
    friend class CostModelFit;
    ModelConfig m_config;
    MachineProfile m_machine;
    bool m_fitted = false;
    double m_medianFitError = 0;
    int m_fitPoints = 0;
    // A layer whose heads are all of one kind, by phase, kind and op; a mixed layer lies between its two kinds.
    using Lines = std::array<LinearCost, opNames.size()>;
    std::array<std::array<Lines, 2>, 2> m_lines{};
};

/// Measures the model shortly (full and streaming, a few contexts) and fits the cost model. Seconds, not minutes.
/// progress: 0 to 1, called on the calling thread.
Result<CostModel> calibrate(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                            std::int64_t maxContext, const std::atomic<bool> *cancel = nullptr,
                            const std::function<void(double)> &progress = {});

} // namespace zigzag
