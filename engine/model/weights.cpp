// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weights.h"

#include "engine/base/json_input.h"
#include "engine/base/sha256.h"
#include "engine/base/thread_pool.h"
#include "engine/model/checkpoint.h"
#include "engine/model/family.h"
#include "engine/model/kv_scales.h"
#include "engine/model/memory_limit.h"
#include "engine/model/quantized_tensors.h"
#include "engine/model/weight_memory.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

namespace zigzag {

namespace {

/// What the views point into: the mapped files, copies of tensors whose file does not align them, scales of FP8, and what was
/// made of tensors: blocks of AWQ's and GPTQ's, and rows that their file has apart.
struct LoadedStorage {
    std::vector<std::shared_ptr<const void>> files;
    std::vector<std::unique_ptr<std::byte[]>> copies;
    std::vector<StoredScales> scales;
    std::shared_ptr<void> made;
};

/// A weight whose rows lie in pieces of a tensor.
struct Gathered {
    PlannedTensor planned;
    const StoredTensor *stored = nullptr;

    void copy(std::int64_t begin, std::int64_t end, std::byte *to) const
    {
        const auto bytes = static_cast<std::size_t>(rowBytes(*stored->type, planned.columns));
        for (std::int64_t row = begin; row < end; ++row)
            std::memcpy(to + static_cast<std::size_t>(row) * bytes,
                        stored->data + static_cast<std::size_t>(planned.storedRow(row)) * bytes, bytes);
    }
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

/// The ends of some data.
void addSamples(Sha256 &digest, const void *data, std::size_t bytes)
{
    constexpr std::size_t sample = 4096;
    const std::size_t count = std::min(bytes, sample);
    digest.update(data, count);
    digest.update(static_cast<const std::byte *>(data) + bytes - count, count);
}

/// Names, types, shapes, and the ends of each tensor's data: enough to tell models apart without reading all of them.
void addToFingerprint(Sha256 &digest, const PlannedTensor &planned, const TensorView &view, const StoredTensor &stored)
{
    digest.update(fmt::format("{} {} {} {}\n", planned.name, nameOf(view.type), view.rows, view.columns));
    if (planned.isInPieces())
        addSamples(digest, stored.data, stored.bytes);
    else
        addSamples(digest, view.data, static_cast<std::size_t>(view.bytes()));
    if (view.scales)
        addSamples(digest, view.scales.data,
                   static_cast<std::size_t>(view.scales.count(view.rows, view.columns)) * sizeof(float));
}

/// Of what is repacked, as it is stored.
void addToFingerprint(Sha256 &digest, const GroupedMatrix &matrix)
{
    const PlannedTensor &planned = matrix.planned;
    digest.update(
        fmt::format("{} {} {} {} {}\n", planned.name, nameOf(BlockType::Int4), planned.rows, planned.columns, matrix.zeroLess));
    for (const StoredTensor *part : {matrix.codes, matrix.zeros, matrix.scales})
        addSamples(digest, part->data, part->bytes);
}

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

bool hasOwnHead(const Checkpoint &checkpoint, const Family &family)
{
    const StoredTensor *head = checkpoint.find(family.headName), *embedding = checkpoint.find(family.embeddingName);
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
        if (planned.contains(stored) || stored.ends_with("rotary_emb.inv_freq")
            || (config.tiedEmbeddings && stored == config.family->headName))
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

/// The tensors of one folder on their way into views.
class FolderLoad
{
public:
    FolderLoad(const Checkpoint &checkpoint, const ModelConfig &config, Weights &weights, const LoadWatch &watch)
        : m_checkpoint(checkpoint)
        , m_config(config)
        , m_weights(weights)
        , m_watch(watch)
        , m_storage(std::make_shared<LoadedStorage>())
    {
        m_storage->files = checkpoint.owners();
    }

    Result<void> addAll();
    /// Fills the views that are no part of a file.
    Result<void> makeAll();
    Result<void> finish(const std::string &folder);

private:
    Result<void> add(const PlannedTensor &planned);
    Result<void> noteType(const PlannedTensor &planned, WeightType type);
    void noteBeside(const PlannedTensor &planned);
    void noteInputScales(const std::string &folder);

    const Checkpoint &m_checkpoint;
    const ModelConfig &m_config;
    Weights &m_weights;
    const LoadWatch &m_watch;
    std::shared_ptr<LoadedStorage> m_storage;
    std::vector<GroupedMatrix> m_grouped;
    std::vector<Gathered> m_gathered;
    Sha256 m_digest;
    std::set<std::string> m_names; ///< of tensors that are used, or known to say nothing
    std::set<std::string> m_inputScales;
};

/// The type of a quantised model's matrix, so that costs know it.
Result<void> FolderLoad::noteType(const PlannedTensor &planned, WeightType type)
{
    if (m_config.quantization.form == Quantization::Form::None || planned.role != TensorRole::Matrix)
        return {};
    const std::optional<WeightType> own = type.isQuantised() ? std::optional(type) : std::nullopt;
    StoredTypes &types = m_weights.storedTypes;
    if (planned.outside) {
        (planned.outside == &Weights::embedding ? types.embedding : types.head) = own;
        return {};
    }
    types.layers.resize(static_cast<std::size_t>(m_config.layers));
    auto &to = types.layers[static_cast<std::size_t>(planned.layer)][static_cast<std::size_t>(planned.id)];
    if (planned.index > 0 && to != own)
        return badInput(fmt::format("{}: tensor \"{}\" is quantised otherwise than the experts before it, which is not read; use "
                                    "another form of the model",
                                    m_checkpoint.fileOf(planned.name), planned.name));
    to = own;
    return {};
}

/// Tensors beside a quantised matrix: what activations would be divided by, and biases of nothing, which GPTQ's packers write.
void FolderLoad::noteBeside(const PlannedTensor &planned)
{
    const std::string module = planned.name.substr(0, planned.name.rfind('.') + 1);
    for (const char *name : {"input_scale", "input_scale_ub"})
        if (m_checkpoint.find(module + name))
            m_inputScales.insert(module + name);
    const StoredTensor *bias = m_checkpoint.find(module + "bias");
    if (bias && std::all_of(bias->data, bias->data + bias->bytes, [](std::byte byte) { return byte == std::byte{0}; }))
        m_names.insert(module + "bias");
}

Result<void> FolderLoad::add(const PlannedTensor &planned)
{
    TensorView &view = planned.in(m_weights);
    const bool isMatrix = planned.role == TensorRole::Matrix;
    if (isMatrix && planned.outside != &Weights::embedding) {
        ZIGZAG_TRY(grouped, findGrouped(m_checkpoint, m_config.quantization, planned, m_names));
        if (grouped) {
            view = {nullptr, BlockType::Int4, planned.rows, planned.columns};
            addToFingerprint(m_digest, *grouped);
            noteBeside(planned);
            m_grouped.push_back(std::move(*grouped));
            return noteType(planned, view.type);
        }
    }
    ZIGZAG_TRY(stored, findTensor(m_checkpoint, planned));
    const WeightType type = *stored->type, expected = m_weights.embedding ? m_weights.embedding.type : type;
    const std::string where = m_checkpoint.fileOf(planned.name);
    const bool isF8 = type == DType::F8;
    if (isF8 && (!isMatrix || planned.outside == &Weights::embedding || m_config.quantization.form != Quantization::Form::F8))
        return badInput(fmt::format("{}: tensor \"{}\" is in FP8, which {}; convert it to F32, F16 or BF16", where, planned.name,
                                    isMatrix && !planned.outside ? "needs a quantization_config in config.json"
                                                                 : "is read of matrices in layers and of the head alone"));
    if (isMatrix && !isF8 && type != expected)
        return badInput(fmt::format("{}: tensor \"{}\" is {}, but the embedding is {}; convert all matrices to one type", where,
                                    planned.name, nameOf(type), nameOf(expected)));
    view = {stored->data + planned.storedFrom * rowBytes(type, planned.columns), type, planned.rows, planned.columns};
    if (planned.isInPieces()) {
        view.data = nullptr;
        m_gathered.push_back({planned, stored});
    } else if (reinterpret_cast<std::uintptr_t>(view.data) % static_cast<std::uintptr_t>(type.blockBytes()) != 0) {
        const auto bytes = static_cast<std::size_t>(view.bytes());
        m_storage->copies.push_back(std::make_unique<std::byte[]>(bytes));
        std::memcpy(m_storage->copies.back().get(), view.data, bytes);
        view.data = m_storage->copies.back().get();
    }
    if (isF8) {
        ZIGZAG_TRY(scales, readScales(m_checkpoint, m_config.quantization, planned, m_names));
        m_storage->scales.push_back(std::move(scales));
        view.scales = m_storage->scales.back().view(); // whose numbers stay where they are when the list grows
        noteBeside(planned);
    }
    addToFingerprint(m_digest, planned, view, *stored);
    m_names.insert(planned.name);
    return noteType(planned, type);
}

Result<void> FolderLoad::addAll()
{
    for (const PlannedTensor &planned : planWeights(m_config)) {
        if (m_watch.isCancelled()) // a tensor that its file does not align is copied
            return cancelled();
        ZIGZAG_CHECK(add(planned));
    }
    return {};
}

Result<void> FolderLoad::makeAll()
{
    struct Stretch {
        const GroupedMatrix *matrix; ///< or null, and there is
        const Gathered *gathered;
        std::byte *to; ///< of the whole matrix
        std::int64_t begin, end;
    };
    constexpr std::int64_t rows = 128; // of words that lie beside each other in a file, and some tenths of a millisecond
    std::int64_t bytes = 0;
    for (const GroupedMatrix &matrix : m_grouped) {
        ZIGZAG_CHECK(checkNumbers(matrix, m_checkpoint.fileOf(matrix.planned.name)));
        bytes += alignedBytes(matrix.planned.in(m_weights).bytes());
    }
    for (const Gathered &gathered : m_gathered)
        bytes += alignedBytes(gathered.planned.in(m_weights).bytes());
    if (bytes == 0)
        return {};
    ZIGZAG_CHECK(checkFitsMemory(m_config.name, bytes, availableMemory()));
    m_storage->made = allocateWeights(static_cast<std::size_t>(bytes));
    if (!m_storage->made)
        return failed(
            fmt::format("{}: {} bytes of memory for the weights could not be had; close other programs", m_config.name, bytes));
    auto *place = static_cast<std::byte *>(m_storage->made.get());
    std::vector<Stretch> stretches;
    const auto add = [&](const PlannedTensor &planned, const GroupedMatrix *matrix, const Gathered *gathered) {
        TensorView &view = planned.in(m_weights);
        view.data = place;
        for (std::int64_t begin = 0; begin < view.rows; begin += rows)
            stretches.push_back({matrix, gathered, place, begin, std::min(begin + rows, view.rows)});
        place += alignedBytes(view.bytes());
    };
    for (const GroupedMatrix &matrix : m_grouped)
        add(matrix.planned, &matrix, nullptr);
    for (const Gathered &gathered : m_gathered)
        add(gathered.planned, nullptr, &gathered);
    std::atomic<std::size_t> done = 0;
    parallelParts(std::ssize(stretches), [&](std::int64_t i) {
        constexpr std::size_t seldom = 64;
        if (m_watch.isCancelled())
            return;
        const Stretch &stretch = stretches[static_cast<std::size_t>(i)];
        if (stretch.matrix)
            repack(*stretch.matrix, stretch.begin, stretch.end, stretch.to);
        else
            stretch.gathered->copy(stretch.begin, stretch.end, stretch.to);
        const std::size_t now = ++done;
        if (m_watch.progress && ThreadPool::threadIndex() == 0 // the caller's thread alone speaks
            && now % seldom < static_cast<std::size_t>(ThreadPool::current().threads()))
            m_watch.progress(static_cast<double>(now) / static_cast<double>(stretches.size()));
    });
    if (m_watch.isCancelled())
        return cancelled();
    return {};
}

void FolderLoad::noteInputScales(const std::string &folder)
{
    if (m_inputScales.empty())
        return;
    m_weights.notes.push_back(fmt::format("{}: {} scales of activations are not used: activations are not rounded to FP8 here",
                                          folder, m_inputScales.size()));
    m_names.insert(m_inputScales.begin(), m_inputScales.end());
}

Result<void> FolderLoad::finish(const std::string &folder)
{
    if (m_config.tiedEmbeddings)
        m_weights.head = m_weights.embedding;
    ZIGZAG_TRY(kvScales, readKvScales(m_checkpoint, m_config.layers, m_names));
    m_weights.kvScales = std::move(kvScales);
    noteInputScales(folder);
    noteUnused(m_weights.notes, m_checkpoint, m_names, m_config, folder);
    m_weights.storage = m_storage;
    m_weights.fingerprint = "sha256:" + m_digest.hex();
    return {};
}

} // namespace

Result<Weights> loadWeights(const std::filesystem::path &folder, const ModelConfig &given, const LoadWatch &watch, bool needed)
{
    ZIGZAG_TRY(checkpoint, Checkpoint::open(folder));
    Weights weights;
    ModelConfig config = given;
    if (config.tiedEmbeddings && hasOwnHead(checkpoint, *config.family)) {
        config.tiedEmbeddings = false;
        weights.ownHead = true;
        weights.notes.push_back(fmt::format("{}: {} is used, as it differs from the embeddings though "
                                            "tie_word_embeddings is true; correct the config",
                                            checkpoint.fileOf(config.family->headName), config.family->headName));
    }
    FolderLoad load(checkpoint, config, weights, watch);
    ZIGZAG_CHECK(load.addAll());
    if (needed)
        ZIGZAG_CHECK(load.makeAll());
    ZIGZAG_CHECK(load.finish(folder.string()));
    return weights;
}

} // namespace zigzag
