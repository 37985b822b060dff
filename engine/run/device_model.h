// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model.h"
#include "engine/run/backend.h"
#include "engine/run/device_model.h"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace zigzag {

/// One layer's weights as the backend holds them: matrices in their own type, vectors in float32.
struct DeviceLayer {
    std::unique_ptr<Matrix> query, key, value, output, gate, up, down;
    std::unique_ptr<Buffer> inputNorm, postNorm, queryNorm, keyNorm;
    std::unique_ptr<Buffer> queryBias, keyBias, valueBias, outputBias, gateBias, upBias, downBias;
};

/// A model's weights as a backend holds them; shared by the sessions that run the same model.
class DeviceModel
{
public:
    std::shared_ptr<const Model> model;
    std::shared_ptr<Backend> backend;
    std::unique_ptr<Matrix> embedding;
    std::unique_ptr<Matrix> separateHead; ///< null where the head is the embedding
    std::unique_ptr<Buffer> finalNorm;
    std::vector<DeviceLayer> layers;

    const Matrix &head() const { return separateHead ? *separateHead : *embedding; }
    const ModelConfig &config() const { return model->config; }
};

/// Refuses a model whose heads are larger or more than the backend's kernels take (DeviceInfo).
Result<void> checkRuns(const Backend &backend, const ModelConfig &config);

/// Called while weights are copied to a device with memory of its own.
using UploadProgress = std::function<void(std::int64_t done, std::int64_t all)>;
/// Fails before anything is allocated where the weights do not fit. `cancel` is looked at before each tensor.
Result<std::shared_ptr<DeviceModel>> uploadModel(std::shared_ptr<const Model> model, std::shared_ptr<Backend> backend,
                                                 const UploadProgress &progress = {}, const std::atomic<bool> *cancel = nullptr);

} // namespace zigzag
