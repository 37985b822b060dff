// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"
#include "profiler/base/run_types.h"

#include <memory>

namespace zigzag {

/// The model with its first layers alone, which stand for all, since layers are alike: so many that their weights are no
/// more in the cache from step to step than those of the whole model. The model itself on a GPU, where it has few layers, or
/// where there is no memory for a copy of them.
std::shared_ptr<DeviceModel> firstLayers(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine);

} // namespace zigzag
