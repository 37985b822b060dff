// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model.h"
#include "engine/run/backend.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zigzag {

/// One layer's plan, and its weights as the backend holds them: matrices in their own type, vectors in float32.
class DeviceLayer
{
public:
    LayerPlan plan;
    KvScales f8Scales; ///< of keys and values in F8

    /// Null where the layer has no such weight.
    const Matrix *matrix(WeightId id) const { return matrices(id).empty() ? nullptr : matrices(id).front().get(); }
    const float *vector(WeightId id) const
    {
        const auto &buffer = m_vectors[static_cast<std::size_t>(id)];
        return buffer ? buffer->as<float>() : nullptr;
    }
    std::span<const std::unique_ptr<Matrix>> matrices(WeightId id) const { return m_matrices[static_cast<std::size_t>(id)]; }

    /// Other types need no scales.
    KvScales kvScales(DType cacheType) const { return cacheType == DType::F8 ? f8Scales : KvScales(); }

    void add(WeightId id, std::unique_ptr<Matrix> matrix)
    {
        m_matrices[static_cast<std::size_t>(id)].push_back(std::move(matrix));
    }
    void set(WeightId id, std::unique_ptr<Buffer> vector) { m_vectors[static_cast<std::size_t>(id)] = std::move(vector); }

private:
    std::array<std::vector<std::unique_ptr<Matrix>>, weightIds> m_matrices;
    std::array<std::unique_ptr<Buffer>, weightIds> m_vectors;
};

class Collective;
class Dealing;
class RankGroup;

/// What one rank of a group (rank_group.h) knows of the others. Of a model on one device: nothing.
struct RankMember {
    std::shared_ptr<RankGroup> group;
    int rank = 0;
    std::vector<std::int64_t> headWidths; ///< rows of the head that each rank has [ranks]
    /// Numbers of a token's queries and keys that each rank has, where norms are over those of all ranks together. [ranks]
    std::vector<std::int64_t> queryWidths = {}, keyWidths = {};

    explicit operator bool() const { return group != nullptr; }
    Collective *collective() const; ///< null where there is no group
    std::int64_t widthOfQueries() const { return std::accumulate(queryWidths.begin(), queryWidths.end(), std::int64_t{0}); }
    std::int64_t widestHead() const { return headWidths.empty() ? 0 : *std::max_element(headWidths.begin(), headWidths.end()); }
};

/// A model's weights as a backend holds them; shared by the sessions that run the same model.
class DeviceModel
{
public:
    std::shared_ptr<const Model> model;
    std::shared_ptr<Backend> backend;
    std::unique_ptr<Matrix> embedding;
    std::unique_ptr<Matrix> separateHead; ///< null where the head is the embedding; a rank has some of its rows
    std::unique_ptr<Buffer> finalNorm;
    std::vector<DeviceLayer> layers;
    std::vector<std::vector<std::byte>> decoded; ///< matrices of a type that the backend does not take, for one that copies none
    std::vector<std::string> notes; ///< how the device holds weights otherwise than the files do: lines for a person

    RankMember member; ///< of a rank's part of a model
    /// Of a model that was dealt to several devices: the parts, and by what rule. Beside them it has nothing but `model`, and in
    /// `backend` the first rank's, to be asked and not to be run on.
    std::vector<std::shared_ptr<DeviceModel>> parts; // [ranks]
    std::shared_ptr<const Dealing> dealing;
    std::shared_ptr<RankGroup> group;

    bool isDealt() const { return !parts.empty(); }
    const Matrix &head() const { return separateHead ? *separateHead : *embedding; }
    const ModelConfig &config() const { return model->config; }
};

/// Norms or gates of a model's layers that are none of Llama's, for a message, or null: all that some code is written for.
const char *otherNormsOrGates(const ModelConfig &config);
/// What a model asks of the small ops beyond what every backend has (Capabilities::layerExtras), for a message, or null.
const char *extrasOf(const ModelConfig &config);

/// Refuses a model whose heads are larger or more than the backend's kernels take (DeviceInfo).
Result<void> checkRuns(const Backend &backend, const ModelConfig &config);

/// Called while weights are copied to a device with memory of its own.
using UploadProgress = std::function<void(std::int64_t done, std::int64_t all)>;
/// The type in which a backend holds a matrix: as it is stored, or the config's dtype where its kernels do not take that.
WeightType heldType(const Capabilities &can, const ModelConfig &config, WeightType stored);

/// Matrices of a type that the backend does not take are decoded on the way. Fails before anything is allocated where the weights
/// do not fit. `cancel` is looked at before each tensor.
Result<std::shared_ptr<DeviceModel>> uploadModel(std::shared_ptr<const Model> model, std::shared_ptr<Backend> backend,
                                                 const UploadProgress &progress = {}, const std::atomic<bool> *cancel = nullptr);
/// The same of a model that the ranks of a group share: each gets its part at the same time as the others, straight from where
/// the files are mapped. Sessions of what is returned run on all of them.
Result<std::shared_ptr<DeviceModel>> uploadDealt(std::shared_ptr<const Model> model, std::shared_ptr<RankGroup> group,
                                                 Dealing dealing, const UploadProgress &progress = {},
                                                 const std::atomic<bool> *cancel = nullptr);

} // namespace zigzag
