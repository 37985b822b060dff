// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"
#include "engine/model/weight_type.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace zigzag {

/// What the numbers of a matrix in F8 are multiplied with: each block of rowsPerScale × columnsPerScale numbers has a scale of
/// its own, and the last blocks end where the matrix does. One scale for all of them, one a row, and one for 128 × 128 numbers
/// are what files have. Without scales all of them are 1.
struct WeightScales {
    const float *data = nullptr; // [ceil(rows / rowsPerScale), ceil(columns / columnsPerScale)], row-major; finite
    std::int64_t rowsPerScale = 1, columnsPerScale = 1;

    explicit operator bool() const { return data != nullptr; }
    /// Scales of a row of so many numbers.
    std::int64_t perRow(std::int64_t columns) const { return (columns + columnsPerScale - 1) / columnsPerScale; }
    /// The scales of one row: numbers [i · columnsPerScale, …) have scale i.
    const float *ofRow(std::int64_t row, std::int64_t columns) const { return data + row / rowsPerScale * perRow(columns); }
    /// How many there are for a matrix of this size.
    std::int64_t count(std::int64_t rows, std::int64_t columns) const
    {
        return (rows + rowsPerScale - 1) / rowsPerScale * perRow(columns);
    }
};

/// A tensor in the type of its file; the memory belongs to Weights::storage (a memory map or an allocation).
struct TensorView {
    const std::byte *data = nullptr; // [rows, columns], row-major; of a plain type aligned to its element, blocks lie anyhow
    WeightType type = DType::F32;
    std::int64_t rows = 0;
    std::int64_t columns = 0; ///< 1 for a vector
    WeightScales scales = {}; ///< of a matrix in F8, which may have them

    /// Without scales, which are a number beside thousands.
    std::int64_t bytes() const { return rows * rowBytes(type, columns); }
    explicit operator bool() const { return data != nullptr; }
};

/// The tensors of one layer that its plan names (layer_plan.h): one for most weights, as many as experts for theirs.
class LayerWeights
{
public:
    /// The one tensor; empty where the layer has none.
    const TensorView &operator[](WeightId id) const
    {
        static const TensorView none;
        const auto all = (*this).all(id);
        return all.empty() ? none : all.front();
    }
    std::span<const TensorView> all(WeightId id) const { return m_views[static_cast<std::size_t>(id)]; }
    std::span<TensorView> make(WeightId id, int count)
    {
        std::vector<TensorView> &views = m_views[static_cast<std::size_t>(id)];
        views.resize(static_cast<std::size_t>(count));
        return views;
    }

private:
    std::array<std::vector<TensorView>, weightIds> m_views;
};

/// Follows a load that may take long, and stops it: it then fails as cancelled, and its memory is free again.
struct LoadWatch {
    const std::atomic<bool> *cancel = nullptr; ///< looked at several times a second
    std::function<void(double fraction)> progress; ///< on the calling thread

    bool isCancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
};

/// What keys and values are divided by before they are stored, and multiplied with when they are read: 1 but for F8, whose
/// numbers end at 448. One pair for the heads of a layer.
struct KvScales {
    float key = 1, value = 1;
};

struct Weights {
    TensorView embedding; // [vocabulary, hidden]
    std::vector<LayerWeights> layers;
    TensorView finalNorm; // [hidden]
    TensorView head; // [vocabulary, hidden]; the embedding's memory where tied
    std::shared_ptr<const void> storage; ///< keeps the memory behind the views alive
    /// The files have a head of their own and it is not the embedding, whatever the config says.
    bool ownHead = false;
    std::vector<KvScales> kvScales; ///< [layers] or empty: the files' own, for keys and values in F8
    StoredTypes storedTypes; ///< of a folder with quantised matrices: which of them are
    std::vector<std::string> notes; ///< what the files hold and nothing here uses
    std::string fingerprint; ///< "sha256:…" over names, types, shapes and samples of the data; empty for random weights
};

/// Reads model.safetensors, or the shards that model.safetensors.index.json lists, by memory map. Every tensor that the
/// config implies must be there with its shape; overlap, truncation and foreign types are refused, tensors that it does not imply
/// are named in the notes. Embeddings that the config ties to a head which is stored and differs are not tied, as in
/// transformers 5. Matrices in FP8 stay where they are, with their scales beside them; those of AWQ and GPTQ become blocks of
/// Int4, and rows that lie apart from each other are brought together, which takes memory and time: where the numbers are not
/// `needed`, their views stay empty.
Result<Weights> loadWeights(const std::filesystem::path &folder, const ModelConfig &config, const LoadWatch &watch = {},
                            bool needed = true);

} // namespace zigzag
