// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/first_layers.h"

#include "engine/run/device_model.h"

#include <algorithm>

namespace zigzag {
namespace {

int layersThatDo(const ModelConfig &config, const MachineProfile &machine)
{
    ModelConfig one = config, two = config;
    one.layers = 1;
    two.layers = 2;
    const std::int64_t ofLayer = std::max<std::int64_t>(1, two.weightBytes() - one.weightBytes());
    constexpr std::int64_t cachesFull = 8, least = 3;
    const std::int64_t wanted = std::max(least, cachesFull * machine.lastLevelCacheBytes / ofLayer + 1);
    return 2 * wanted <= config.layers ? static_cast<int>(wanted) : config.layers;
}

} // namespace

std::shared_ptr<DeviceModel> firstLayers(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine)
{
    // A GPU is quick enough to run them all, and lowers its clock under a load that lasts.
    const int layers = machine.onProcessor ? layersThatDo(model->config(), machine) : model->config().layers;
    if (layers >= model->config().layers)
        return model;
    auto part = std::make_shared<Model>();
    part->config = model->config();
    part->config.layers = layers;
    part->weights = model->model->weights; // views of the same memory
    part->weights.layers.resize(static_cast<std::size_t>(layers));
    auto uploaded = uploadModel(std::move(part), model->backend);
    return uploaded ? *uploaded : model;
}

} // namespace zigzag
