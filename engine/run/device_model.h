// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model.h"
#include "engine/run/backend.h"

#include <memory>
#include <vector>

namespace zigzag {

/// One layer's weights as the backend holds them: matrices in their own type, vectors in float32.
struct DeviceLayer {
    std::unique_ptr<Matrix> query, key, value, output, gate, up, down;
    std::unique_ptr<Buffer> inputNorm, postNorm, queryNorm, keyNorm;
    std::unique_ptr<Buffer> queryBias, keyBias, valueBias, outputBias, gateBias, upBias, downBias;
};

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

} // namespace zigzag
