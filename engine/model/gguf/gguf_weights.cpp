// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_weights.h"

#include "engine/base/printable.h"
#include "engine/base/sha256.h"
#include "engine/base/thread_pool.h"
#include "engine/model/gguf/gguf_config.h"
#include "engine/model/mapped_file.h"
#include "engine/model/memory_limit.h"
#include "engine/model/weight_memory.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace zigzag {

namespace {

/// What the views point into: the mapped files, and what could not stay there.
struct GgufStorage {
    std::vector<std::shared_ptr<const void>> files;
    std::shared_ptr<void> copies;
};

/// One planned tensor and where it comes from.
struct Source {
    PlannedTensor planned;
    const GgufTensor *stored = nullptr;
    const std::byte *data = nullptr; ///< of an expert: its slice
    std::int64_t bytes = 0;
    bool isCopied = false; ///< decoded, where it is to have another type

    WeightType storedType() const { return *stored->type->stored; }
    /// In the type that it is to have.
    std::int64_t wantedBytes() const { return planned.rows * rowBytes(planned.type, planned.columns); }
};

std::vector<std::int64_t> plannedShape(const PlannedTensor &planned)
{
    std::vector<std::int64_t> shape;
    if (planned.count > 1)
        shape.push_back(planned.count);
    const bool isPart = planned.storedRows > 0 && planned.storedPiece == 0;
    shape.push_back(isPart ? planned.storedRows : planned.rows);
    if (planned.role == TensorRole::Matrix)
        shape.push_back(planned.columns);
    return shape;
}

Result<Source> sourceOf(const GgufFile &file, const PlannedTensor &planned)
{
    const std::string where = file.fileOf(planned.ggufName);
    Source source{.planned = planned, .stored = file.findTensor(planned.ggufName)};
    if (!source.stored)
        return badInput(fmt::format("{}: tensor \"{}\" is missing, but the metadata implies it; fetch the file anew", where,
                                    planned.ggufName));
    const GgufTensor &stored = *source.stored;
    if (!stored.type || !stored.type->isRead())
        return badInput(fmt::format("{}: tensor \"{}\" has type {}, which is not read; use a file of {}", where, planned.ggufName,
                                    stored.typeName(), readGgufTypes()));
    // One expert is a matrix like any other, or a stack of one.
    std::vector<std::int64_t> shape = plannedShape(planned), found = stored.shape;
    if (found.size() == shape.size() + 1 && found.front() == 1)
        found.erase(found.begin());
    if (found != shape)
        return badInput(fmt::format("{}: tensor \"{}\" has shape [{}], but the metadata implies [{}]; fetch the file anew", where,
                                    planned.ggufName, fmt::join(stored.shape, ", "), fmt::join(shape, ", ")));
    if (planned.role != TensorRole::Matrix && stored.type->stored->isBlocks())
        return badInput(fmt::format("{}: tensor \"{}\" is quantised to {}, though it is a vector; fetch the file anew", where,
                                    planned.ggufName, stored.typeName()));
    const std::int64_t row = rowBytes(source.storedType(), planned.columns);
    source.bytes = row * planned.rows; // experts and weights that are stored as one tensor lie behind each other
    source.data = stored.data + source.bytes * planned.index + (planned.storedPiece == 0 ? row * planned.storedFrom : 0);
    if (planned.role != TensorRole::Matrix)
        source.planned.type = source.storedType(); // vectors keep theirs
    const WeightType type = source.planned.type;
    const auto alignment = static_cast<std::uintptr_t>(type.isBlocks() ? 1 : type.blockBytes());
    source.isCopied = source.storedType() != type || reinterpret_cast<std::uintptr_t>(source.data) % alignment != 0;
    return source;
}

Result<std::vector<Source>> sourcesOf(const GgufFile &file, const ModelConfig &config)
{
    std::vector<Source> sources;
    for (const PlannedTensor &planned : planWeights(config)) {
        ZIGZAG_TRY(source, sourceOf(file, planned));
        sources.push_back(std::move(source));
    }
    return sources;
}

/// What a fingerprint sees of each end of a tensor's data.
std::int64_t sampleOf(const Source &source)
{
    return std::min<std::int64_t>(source.bytes, 4096);
}

/// Names, types, shapes and the ends of each tensor's data as stored: the same whatever becomes of it in memory.
void addToFingerprint(Sha256 &digest, const Source &source)
{
    digest.update(fmt::format("{} {} {} {} {}\n", source.planned.ggufName, source.planned.index, source.stored->type->name,
                              source.planned.rows, source.planned.columns));
    const auto count = static_cast<std::size_t>(sampleOf(source));
    digest.update(source.data, count);
    digest.update(source.data + source.bytes - static_cast<std::int64_t>(count), count);
}

/// In a plain type.
void store(const float *from, std::int64_t numbers, WeightType type, std::byte *to)
{
    if (type == DType::F32) {
        std::memcpy(to, from, static_cast<std::size_t>(numbers) * sizeof(float));
        return;
    }
    auto *const halves = reinterpret_cast<std::uint16_t *>(to);
    for (std::int64_t i = 0; i < numbers; ++i)
        halves[i] = type == DType::BF16 ? floatToBf16(from[i]) : floatToF16(from[i]);
}

/// Some rows of a tensor, copied by one thread.
struct Stretch {
    const Source *source;
    std::byte *to; ///< of the whole tensor
    std::int64_t begin, end;
};

void copyRows(const Stretch &stretch, std::vector<float> &row)
{
    const Source &source = *stretch.source;
    const WeightType wanted = source.planned.type;
    const std::int64_t columns = source.planned.columns, stored = rowBytes(source.storedType(), columns),
                       own = rowBytes(wanted, columns);
    row.resize(static_cast<std::size_t>(columns));
    for (std::int64_t i = stretch.begin; i < stretch.end; ++i) {
        const std::byte *from = source.data + i * stored;
        if (source.storedType() == wanted) {
            std::memcpy(stretch.to + i * own, from, static_cast<std::size_t>(own));
        } else {
            decodeNumbers(source.storedType(), from, columns, row.data());
            store(row.data(), columns, wanted, stretch.to + i * own);
        }
    }
}

std::vector<Stretch> stretchesOf(const Source &source, std::byte *to)
{
    constexpr std::int64_t length = 1 << 17; // numbers: some tenths of a millisecond
    const std::int64_t rows = std::max<std::int64_t>(1, length / source.planned.columns);
    std::vector<Stretch> stretches;
    for (std::int64_t begin = 0; begin < source.planned.rows; begin += rows)
        stretches.push_back({&source, to, begin, std::min(source.planned.rows, begin + rows)});
    return stretches;
}

void copyAll(const std::vector<Stretch> &stretches, const LoadWatch &watch)
{
    constexpr std::size_t seldom = 64;
    std::atomic<std::size_t> done = 0;
    std::vector<std::vector<float>> rows(static_cast<std::size_t>(ThreadPool::current().threads()));
    parallelParts(std::ssize(stretches), [&](std::int64_t i) {
        if (watch.isCancelled())
            return;
        const int thread = ThreadPool::threadIndex();
        copyRows(stretches[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(thread)]);
        const std::size_t now = ++done;
        if (watch.progress && thread == 0 && now % seldom < rows.size()) // the caller's thread alone speaks
            watch.progress(static_cast<double>(now) / static_cast<double>(stretches.size()));
    });
}

/// Tensors of the file that are not planned, by name; the rotation's factors were read with the config.
void noteUnused(std::vector<std::string> &notes, const GgufFile &file, const std::vector<Source> &sources)
{
    constexpr std::size_t mostNamed = 6;
    std::set<std::string_view> planned;
    for (const Source &source : sources)
        planned.insert(source.planned.ggufName);
    std::vector<std::string> named;
    std::size_t count = 0;
    for (const auto &[name, tensor] : file.tensors()) {
        if (planned.contains(name) || name == "rope_freqs.weight" || name.starts_with("rope_factors_"))
            continue;
        if (++count <= mostNamed)
            named.push_back(printable(name));
    }
    if (count > 0)
        notes.push_back(fmt::format("{}: {} {} not used, since the metadata implies none of them: {}{}", file.path().string(),
                                    count, count == 1 ? "tensor is" : "tensors are", fmt::join(named, ", "),
                                    count > named.size() ? ", ..." : ""));
}

} // namespace

Result<Weights> loadGgufWeights(const GgufFile &file, const ModelConfig &config, bool needed, const LoadWatch &watch)
{
    ZIGZAG_TRY(sources, sourcesOf(file, config));
    Weights weights;
    Sha256 digest;
    std::int64_t bytes = 0;
    for (const Source &source : sources)
        for (const std::int64_t from : {std::int64_t{0}, source.bytes - sampleOf(source)})
            fetchSoon(source.data + from, static_cast<std::size_t>(sampleOf(source)));
    for (const Source &source : sources) {
        addToFingerprint(digest, source);
        bytes += source.isCopied ? alignedBytes(source.wantedBytes()) : 0;
    }
    weights.fingerprint = "sha256:" + digest.hex();
    noteUnused(weights.notes, file, sources);
    if (!needed)
        return weights;

    auto storage = std::make_shared<GgufStorage>();
    storage->files = file.owners();
    if (bytes > 0) {
        ZIGZAG_CHECK(checkFitsMemory(config.name, bytes, availableMemory()));
        storage->copies = allocateWeights(static_cast<std::size_t>(bytes));
        if (!storage->copies)
            return failed(
                fmt::format("{}: {} bytes of memory for the weights could not be had; close other programs", config.name, bytes));
    }
    auto *place = static_cast<std::byte *>(storage->copies.get());
    std::vector<Stretch> stretches;
    for (const Source &source : sources) {
        TensorView &view = source.planned.in(weights);
        view = {source.isCopied ? place : source.data, source.planned.type, source.planned.rows, source.planned.columns};
        if (!source.isCopied)
            continue;
        const std::vector<Stretch> own = stretchesOf(source, place);
        stretches.insert(stretches.end(), own.begin(), own.end());
        place += alignedBytes(view.bytes());
    }
    copyAll(stretches, watch);
    if (watch.isCancelled())
        return cancelled();
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    weights.storage = storage;
    return weights;
}

Result<StoredTypes> readStoredTypes(const GgufFile &file, const ModelConfig &config)
{
    StoredTypes types;
    ZIGZAG_TRY(decoded, askedType(file));
    for (const PlannedTensor &planned : planWeights(config)) {
        const GgufTensor *tensor = file.findTensor(planned.ggufName);
        if (!tensor || !tensor->type || !tensor->type->isRead() || (planned.role == TensorRole::Matrix && decoded))
            continue;
        const std::optional<WeightType> type = tensor->type->stored;
        if (planned.outside) {
            (planned.outside == &Weights::embedding       ? types.embedding
                 : planned.outside == &Weights::finalNorm ? types.finalNorm
                                                          : types.head)
                = type;
            continue;
        }
        types.layers.resize(static_cast<std::size_t>(config.layers));
        types.layers[static_cast<std::size_t>(planned.layer)][static_cast<std::size_t>(planned.id)] = type;
    }
    return types;
}

std::string noteDecoded(const GgufFile &file, const ModelConfig &config)
{
    std::set<std::string_view> types;
    for (const PlannedTensor &planned : planWeights(config))
        if (const GgufTensor *tensor = file.findTensor(planned.ggufName); planned.role == TensorRole::Matrix && tensor
            && tensor->type && tensor->type->isRead() && tensor->type->stored != planned.type)
            types.insert(tensor->type->name);
    if (types.empty())
        return {};
    return fmt::format("{}: matrices of type {} are decoded to {} when the model is loaded: {} bytes in the file, {} in memory",
                       file.path().string(), fmt::join(types, ", "), nameOf(config.dtype), file.tensorBytes(),
                       config.weightBytes());
}

} // namespace zigzag
