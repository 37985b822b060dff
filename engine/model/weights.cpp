// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weights.h"

#include "engine/base/json_input.h"
#include "engine/base/sha256.h"
#include "engine/model/checkpoint.h"
#include "engine/model/kv_scales.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

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
    std::vector<std::int64_t> shape = {planned.storedRows > 0 ? planned.storedRows : planned.rows};
    if (planned.role == TensorRole::Matrix)
        shape.push_back(planned.columns);
    if (stored->shape != shape)
        return badInput(
            fmt::format("{}: tensor \"{}\" has shape [{}], but config.json implies [{}]; the two are not of one model", where,
                        planned.name, fmt::join(stored->shape, ", "), fmt::join(shape, ", ")));
    return stored;
}

/// Names, types, shapes, and the ends of each tensor's data: enough to tell models apart without reading all of them.
void addToFingerprint(Sha256 &digest, const PlannedTensor &planned, const TensorView &view)
{
    constexpr std::size_t sample = 4096;
    digest.update(fmt::format("{} {} {} {}\n", planned.name, nameOf(view.type), view.rows, view.columns));
    const auto bytes = static_cast<std::size_t>(view.bytes());
    const std::size_t count = std::min(bytes, sample);
    digest.update(view.data, count);
    digest.update(view.data + bytes - count, count);
}

constexpr std::string_view headName = "lm_head.weight", embeddingName = "model.embed_tokens.weight";

/// Whether two tensors of one type and shape differ in any of some hundred places: a head that was trained apart from the
/// embedding differs everywhere, and reading both in full would take as long as loading them.
bool differ(const StoredTensor &a, const StoredTensor &b)
{
    constexpr std::size_t piece = 4096, places = 128;
    if (a.type != b.type || a.shape != b.shape || a.bytes != b.bytes)
        return true;
    const std::size_t length = std::min(piece, a.bytes);
    for (std::size_t i = 0; i < places; ++i) {
        const std::size_t begin = (a.bytes - length) / (places - 1) * i;
        if (std::memcmp(a.data + begin, b.data + begin, length) != 0)
            return true;
    }
    return std::memcmp(a.data + a.bytes - length, b.data + b.bytes - length, length) != 0;
}

bool hasOwnHead(const Checkpoint &checkpoint)
{
    const StoredTensor *head = checkpoint.find(headName), *embedding = checkpoint.find(embeddingName);
    return head && embedding && differ(*head, *embedding);
}

/// A layer's number in a tensor's name, or −1; `name` becomes the name with a star in its place.
int layerIn(std::string &name)
{
    constexpr std::string_view prefix = "model.layers.";
    int layer = -1;
    if (name.rfind(prefix, 0) != 0)
        return layer;
    const char *begin = name.data() + prefix.size();
    const auto [end, error] = std::from_chars(begin, name.data() + name.size(), layer);
    if (error != std::errc() || layer < 0)
        return -1;
    name.replace(prefix.size(), static_cast<std::size_t>(end - begin), "*");
    return layer;
}

/// One line about what is stored and not planned: whole layers by their numbers, other tensors by their names. Tables of
/// rotations, which old files have, and a head that repeats the embedding say nothing new.
void noteUnused(std::vector<std::string> &notes, const Checkpoint &checkpoint, const std::set<std::string> &planned,
                const ModelConfig &config, const std::string &where)
{
    constexpr std::size_t mostNamed = 6;
    std::map<std::string, int> kinds;
    int highestLayer = -1, count = 0;
    for (const std::string &stored : checkpoint.names()) {
        if (planned.contains(stored) || stored.ends_with("rotary_emb.inv_freq") || (config.tiedEmbeddings && stored == headName))
            continue;
        ++count;
        std::string kind = json::printable(stored);
        if (const int layer = layerIn(kind); layer >= config.layers)
            highestLayer = std::max(highestLayer, layer);
        else
            ++kinds[kind];
    }
    if (count == 0)
        return;
    std::vector<std::string> named;
    if (highestLayer >= 0)
        named.push_back(
            fmt::format("model.layers.{} to {}, beyond num_hidden_layers {}", config.layers, highestLayer, config.layers));
    for (const auto &[kind, times] : kinds)
        if (named.size() < mostNamed)
            named.push_back(times > 1 ? fmt::format("{} ({} times)", kind, times) : kind);
    const bool all = kinds.size() + (highestLayer >= 0 ? 1 : 0) <= named.size();
    notes.push_back(
        fmt::format("{}: {} {} not used, since config.json implies none of them: {}{}; if the network was trained with "
                    "them, the config is not its own",
                    where, count, count == 1 ? "tensor is" : "tensors are", fmt::join(named, ", "), all ? "" : ", ..."));
}

} // namespace

Result<Weights> loadWeights(const std::filesystem::path &folder, const ModelConfig &given, const LoadWatch &watch)
{
    ZIGZAG_TRY(checkpoint, Checkpoint::open(folder));
    Weights weights;
    ModelConfig config = given;
    if (config.tiedEmbeddings && hasOwnHead(checkpoint)) {
        config.tiedEmbeddings = false;
        weights.ownHead = true;
        weights.notes.push_back(fmt::format("{}: lm_head.weight is used, as it differs from the embeddings though "
                                            "tie_word_embeddings is true; correct the config",
                                            checkpoint.fileOf(headName)));
    }
    auto storage = std::make_shared<LoadedStorage>();
    storage->files = checkpoint.owners();
    Sha256 digest;
    std::set<std::string> names;
    for (const PlannedTensor &planned : planWeights(config)) {
        if (watch.isCancelled()) // a tensor that its file does not align is copied
            return cancelled();
        ZIGZAG_TRY(stored, findTensor(checkpoint, planned));
        const WeightType type = *stored->type, expected = weights.embedding ? weights.embedding.type : type;
        if (planned.role == TensorRole::Matrix && type != expected)
            return badInput(fmt::format("{}: tensor \"{}\" is {}, but the embedding is {}; convert all matrices to one type",
                                        checkpoint.fileOf(planned.name), planned.name, nameOf(type), nameOf(expected)));
        TensorView &view = planned.in(weights);
        view = {stored->data + planned.storedFrom * rowBytes(type, planned.columns), type, planned.rows, planned.columns};
        if (reinterpret_cast<std::uintptr_t>(view.data) % static_cast<std::uintptr_t>(type.blockBytes()) != 0) {
            const auto bytes = static_cast<std::size_t>(view.bytes());
            storage->copies.push_back(std::make_unique<std::byte[]>(bytes));
            std::memcpy(storage->copies.back().get(), view.data, bytes);
            view.data = storage->copies.back().get();
        }
        addToFingerprint(digest, planned, view);
        names.insert(planned.name);
    }
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    ZIGZAG_TRY(kvScales, readKvScales(checkpoint, config.layers, names));
    weights.kvScales = std::move(kvScales);
    noteUnused(weights.notes, checkpoint, names, config, folder.string());
    weights.storage = storage;
    weights.fingerprint = "sha256:" + digest.hex();
    return weights;
}

} // namespace zigzag
