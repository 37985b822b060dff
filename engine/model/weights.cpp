// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weights.h"

#include "engine/base/sha256.h"
#include "engine/model/checkpoint.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

/// What the views point into: the mapped files, and copies of tensors whose file does not align them.
struct LoadedStorage {
    std::vector<std::shared_ptr<const void>> files;
    std::vector<std::unique_ptr<std::byte[]>> copies;
};

Result<const StoredTensor *> findTensor(const Checkpoint &checkpoint, const PlannedTensor &planned)
{
    const std::string where = checkpoint.fileOf(planned.name);
    const StoredTensor *stored = checkpoint.find(planned.name);
    if (!stored)
        return badInput(fmt::format(
            "{}: tensor \"{}\" is missing, but config.json implies it; fetch the missing files, or correct the config", where,
            planned.name));
    if (!stored->type)
        return badInput(fmt::format("{}: tensor \"{}\" has type {}, which is not supported; convert it to F32, F16 or BF16",
                                    where, planned.name, stored->typeName.substr(0, 20)));
    std::vector<std::int64_t> shape = {planned.rows};
    if (planned.role == TensorRole::Matrix)
        shape.push_back(planned.columns);
    if (stored->shape != shape)
        return badInput(
            fmt::format("{}: tensor \"{}\" has shape [{}], but config.json implies [{}]; the two are not of one model", where,
                        planned.name, fmt::join(stored->shape, ", "), fmt::join(shape, ", ")));
    return stored;
}

/// Names, types, shapes, and the ends of each tensor's data: enough to tell models apart without reading all of them.
void addToFingerprint(Sha256 &digest, const PlannedTensor &planned)
{
    constexpr std::size_t sample = 4096;
    const TensorView &view = *planned.view;
    digest.update(fmt::format("{} {} {} {}\n", planned.name, nameOf(view.type), view.rows, view.columns));
    const auto bytes = static_cast<std::size_t>(view.bytes());
    const std::size_t count = std::min(bytes, sample);
    digest.update(view.data, count);
    digest.update(view.data + bytes - count, count);
}

} // namespace

Result<Weights> loadWeights(const std::filesystem::path &folder, const ModelConfig &config, const LoadWatch &watch)
{
    ZIGZAG_TRY(checkpoint, Checkpoint::open(folder));
    Weights weights;
    auto storage = std::make_shared<LoadedStorage>();
    storage->files = checkpoint.owners();
    Sha256 digest;
    for (const PlannedTensor &planned : planWeights(config, weights)) {
        if (watch.isCancelled()) // a tensor that its file does not align is copied
            return cancelled();
        ZIGZAG_TRY(stored, findTensor(checkpoint, planned));
        const DType type = *stored->type, expected = weights.embedding ? weights.embedding.type : type;
        if (planned.role == TensorRole::Matrix && type != expected)
            return badInput(fmt::format("{}: tensor \"{}\" is {}, but the embedding is {}; convert all matrices to one type",
                                        checkpoint.fileOf(planned.name), planned.name, nameOf(type), nameOf(expected)));
        *planned.view = {stored->data, type, planned.rows, planned.columns};
        if (reinterpret_cast<std::uintptr_t>(stored->data) % static_cast<std::uintptr_t>(bytesOf(type)) != 0) {
            storage->copies.push_back(std::make_unique<std::byte[]>(stored->bytes));
            std::memcpy(storage->copies.back().get(), stored->data, stored->bytes);
            planned.view->data = storage->copies.back().get();
        }
        addToFingerprint(digest, planned);
    }
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    weights.storage = storage;
    weights.fingerprint = "sha256:" + digest.hex();
    return weights;
}

} // namespace zigzag
