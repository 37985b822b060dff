// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"
#include "engine/map/head_pattern.h"
#include "engine/model/weights.h"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

class GradientOps;

/// Device memory, freed with its owner. On the CPU backend `data` is an ordinary pointer.
class Buffer
{
public:
    virtual ~Buffer() = default;
    void *data() const { return m_data; }
    std::size_t bytes() const { return m_bytes; }
    template <class T> T *as() const { return static_cast<T *>(m_data); }

protected:
    Buffer(void *data, std::size_t bytes)
        : m_data(data)
        , m_bytes(bytes)
    { }
    void *m_data;
    std::size_t m_bytes;
};

/// A weight matrix in the form the backend multiplies with; refers to the model's memory or to a copy of its own.
class Matrix
{
public:
    virtual ~Matrix() = default;
    std::int64_t rows = 0; ///< output features
    std::int64_t columns = 0; ///< input features
    /// Of what a quantised matrix is multiplied with, set by uploadModel; a plain one is multiplied with its own type.
    DType activations = DType::BF16;
};

// Activations are row-major. The residual stream and the logits are float32; what is behind a `void *` is of the backend's
// `activationType`. Pointers are device pointers where nothing else is said.

/// Whose rows a call has: the next tokens of one sequence, or (count > 1, decode) one new token of each of several.
struct SequenceRows {
    int first = 0; ///< the sequence of row 0
    int count = 1;
    std::int64_t cacheStride = 0; ///< bytes from the cache of one sequence to that of the next
    const std::int32_t *positions = nullptr; // [count], of each sequence's first row; null: every one at `firstPosition`
};

struct EmbedArgs {
    const std::int32_t *tokens = nullptr; // [count]
    std::int64_t count = 0;
    const Matrix *table = nullptr; // [vocabulary, hidden]
    float *out = nullptr; // [count, hidden]: scale · row
    float scale = 1;
};

/// out = weight · in / rms(in) (+ residual). Without a residual a backend may put this off until the product that reads `out`,
/// make it a part of that product, and never write `out`, unless `readAgain` says that more than this product reads it.
struct RmsNormArgs {
    const float *in = nullptr; // [tokens, width]
    const float *weight = nullptr; // [width]; null: no norm, out is `in` in the type of `out`
    void *out = nullptr; // [tokens, width], may be `in` where activations are float32
    std::int64_t tokens = 0, width = 0;
    float epsilon = 0;
    DType type = DType::F32; ///< of out; float32 with a residual
    const float *residual = nullptr; // [tokens, width] or null, may be `out`
    bool readAgain = false;
};

/// One of the products of a matmul: out = scale · (in · matrixᵀ (+ bias)) (+ residual).
struct Product {
    const Matrix *matrix = nullptr; // [rows, columns]
    const float *bias = nullptr; // [rows]
    const float *residual = nullptr; // [tokens, rows], may be `out`
    void *out = nullptr; // [tokens, rows]: float32 with a residual or `floatOut`, otherwise an activation
    bool floatOut = false;
    float scale = 1;
};

/// Products that share their input, as one launch.
struct MatmulArgs {
    const void *in = nullptr; // [tokens, columns]
    std::int64_t tokens = 0;
    std::span<const Product> products;
};

/// One KV head's cache in one layer (of the first sequence, where there are several), and where this call's keys go first.
/// With one token, or where every key is kept, they go straight to their slots; another head's chunk is staged, because its
/// ring still holds keys that the chunk's first queries see, and `commit` moves it once attention has read both. Where the
/// slots hold every position there is no ring, and no need for a stage.
struct HeadCache {
    HeadPattern pattern = HeadPattern::full(); ///< its own: the heads of one call may differ
    void *keys = nullptr; // [slots, head_dim]
    void *values = nullptr; // [slots, head_dim]
    std::int64_t slots = 0;
    void *stagedKeys = nullptr; // [tokens, head_dim]; null when keys go straight to their slots
    void *stagedValues = nullptr; // [tokens, head_dim]
};

/// Query/key norm (optional), RoPE, and the append of keys and values in the cache's type.
struct RopeAppendArgs {
    void *queries = nullptr; // [tokens, query_heads, head_dim], rotated in place, or by the attention that reads them
    const void *keys = nullptr; // [tokens, kv_heads, head_dim]; void afterwards where their norm is over the width
    const void *values = nullptr; // [tokens, kv_heads, head_dim]
    const float *queryNorm = nullptr, *keyNorm = nullptr; // [head_dim], or null; over the width: [heads, head_dim]
    const float *cosSin = nullptr; // [context, 2, rotary_dim / 2]: cosines, then sines, of each position; null: no rotation
    std::span<const HeadCache> heads; // [kv_heads], host
    std::int64_t tokens = 0, firstPosition = 0;
    int queryHeads = 0, kvHeads = 0, headDim = 0;
    DType type = DType::F32; ///< of queries, and of keys and values before they are stored
    DType cacheType = DType::F32;
    KvScales scales = {};
    float epsilon = 0;
    SequenceRows rows;
    int rotaryDim = 0; ///< even: the numbers of a head that are rotated, its first ones; 0: all
    bool interleaved = false; ///< 2i and 2i + 1 turn together, else i and i + rotary_dim / 2
    bool normsWidth = false; ///< the norms are over all heads of a token together, and both are there
    const float *queryScales = nullptr; // [context] or null: what the queries at a position are multiplied with at last
};

/// Attention of `tokens` queries at firstPosition… over the cache, each KV head with its own key range (map/head_pattern.h).
struct AttentionArgs {
    const void *queries = nullptr; // [tokens, query_heads, head_dim]
    void *out = nullptr; // [tokens, query_heads, head_dim]
    std::span<const HeadCache> heads; // [kv_heads], host
    std::span<const int> selected; // host: KV heads to compute; the others' outputs are left alone
    std::int64_t tokens = 0, firstPosition = 0;
    int queryHeads = 0, kvHeads = 0, headDim = 0;
    float scale = 0; ///< of a query's product with a key; 0: 1 / √head_dim
    const float *sinkLogits = nullptr; // [query_heads] or null: a score that takes weight, as a key with a value of zero would
    float softCap = 0; ///< not 0: scores become softCap · tanh(score / softCap), before the sink logit joins them (Gemma 2)
    DType type = DType::F32; ///< of queries and outputs
    DType cacheType = DType::F32;
    KvScales scales = {};
    std::int32_t *strongestKey = nullptr; // [tokens, query_heads] or null: the position with the largest weight
    SequenceRows rows;
};

/// The scale that scores are multiplied with.
inline float scoreScale(float scale, int headDim)
{
    return scale > 0 ? scale : 1.0f / std::sqrt(static_cast<float>(headDim));
}

/// Moves the staged keys and values of a chunk into sinks and ring.
struct CommitArgs {
    std::span<const HeadCache> heads; // [kv_heads], host
    std::int64_t tokens = 0, firstPosition = 0;
    int headDim = 0;
    DType cacheType = DType::F32;
    SequenceRows rows;
};

/// A backend may make this a part of the products behind it: `gate` and `up` are void afterwards.
struct SwiGluArgs {
    const void *gate = nullptr; // [tokens, width]
    const void *up = nullptr; // [tokens, width]
    void *out = nullptr; // [tokens, width], may be `gate`
    std::int64_t count = 0; ///< tokens · width
    DType type = DType::F32;
    GatedActivation activation = GatedActivation::Silu; ///< of the gate
};

/// values become cap · tanh(value / cap), in place.
struct SoftCapArgs {
    float *values = nullptr; // [count]
    std::int64_t count = 0;
    float cap = 0; ///< above 0
};

/// Experts of a feed-forward: for each token a softmax over its routes, the `perToken` largest (the lower number among equals),
/// and out += weight · down(silu(gate(in)) · up(in)) of each. No token is dropped, however many choose one expert.
struct ExpertsArgs {
    const void *in = nullptr; // [tokens, hidden]
    const float *routes = nullptr; // [tokens, experts]
    float *out = nullptr; // [tokens, hidden], the residual stream
    std::span<const std::unique_ptr<Matrix>> gates, ups; // [experts], host: each [intermediate, hidden]
    std::span<const std::unique_ptr<Matrix>> downs; // [experts], host: each [hidden, intermediate]
    std::int64_t tokens = 0;
    int perToken = 0;
    bool renormalises = false; ///< the chosen weights are divided by their sum
};

/// Copies `heads` of each row: out[token, i] = in[token, heads[i]], or the other way round. What splitting a mixed layer
/// into two attention calls costs in the published implementation.
struct CopyHeadsArgs {
    const void *in = nullptr; // [tokens, in_heads, head_dim]
    void *out = nullptr; // [tokens, out_heads, head_dim]
    std::span<const int> heads; // host
    std::int64_t tokens = 0;
    int inHeads = 0, outHeads = 0, headDim = 0;
    bool scatter = false; ///< true: out[token, heads[i]] = in[token, i]
    DType type = DType::F32;
};

/// The greedy choice from logits, and the step to the next position, so that decode needs no host between its steps.
struct NextTokenArgs {
    const float *logits = nullptr; // [rows, vocabulary]
    std::int64_t rows = 0, vocabulary = 0;
    std::int32_t *tokens = nullptr; // [rows]: the largest logit, the lowest id among equals
    std::int32_t *positions = nullptr; // [rows]: one is added
    std::int32_t *history = nullptr; // [rows, context]: the choice is noted at the new position, while that is below context
    std::int64_t context = 0;
};

struct DeviceInfo {
    std::string name; ///< as the machine reports it
    int threads = 0; ///< worker threads (CPU)
    std::int64_t memoryBytes = 0; ///< free for models now
    std::int64_t lastLevelCacheBytes = 0;
    std::int64_t prefillChunk = 512; ///< tokens of one forward pass that keep the device busy
    // What the kernels are written for. A model beyond it is refused where a session or a layer pass is made (checkRuns).
    int maxHeadDim = 1 << 20;
    int maxQueryHeads = 1 << 20; ///< of one layer
    int maxKvHeads = 1 << 20; ///< of one layer
    int maxExperts = 1 << 20; ///< of one layer
    int maxExpertsPerToken = 1 << 20;
    std::string driver; ///< version of the driver and of the device's instructions; empty where there is none to name
};

/// What a backend is, and what it has beyond the ops. Whoever must know asks this and never compares names, so that one more
/// backend changes no code above it.
struct Capabilities {
    /// Computes on this machine's processors: other programs slow it down, and an op has ended when its call returns.
    bool onProcessor = false;
    /// False: `prepare` reads weights where the model files are mapped, and takes no memory for them.
    bool copiesWeights = false;
    bool recordsSteps = false; ///< `record` gives recordings
    bool showsKernels = false; ///< CUPTI sees what it launches
    bool ownClock = false; ///< `timedMs` gives times
    bool gradients = false; ///< `gradients` gives the ops of a backward pass
    bool experts = false; ///< has the op `experts`
    bool scoreCaps = false; ///< attention takes a soft cap (AttentionArgs::softCap)
    /// Takes every argument of `rmsNorm`, `ropeAppend` and `swiGlu`, and has the op `softCap`: parts of heads that are rotated,
    /// norms over the width and behind products, gates of other kinds.
    bool layerExtras = false;
    bool mixesTypes = false; ///< the matrices of one model may be of several plain types
    bool blocksBesideF32 = true; ///< quantised matrices in a model whose dtype is F32
    /// Types of weights that `prepare` takes: a model whose dtype is none of them is refused where a session or a layer pass is
    /// made (checkRuns); matrices of other types are decoded to the dtype before they get here (uploadModel).
    std::vector<WeightType> weightTypes;
    std::vector<DType> kvTypes; ///< of keys and values that the attention ops read and write; other models are refused as well
};

/// What a device can do at most, by its own best code for it.
struct DeviceCeilings {
    double readBytesPerSecond = 0; ///< from its memory
    double cachedReadBytesPerSecond = 0; ///< from its last-level cache
    double matrixFlopsF32 = 0, matrixFlopsBf16 = 0; ///< large products; the latter stands for F16 as well
};

/// Launches that were recorded once, to be run again with the same arguments.
class Recording
{
public:
    virtual ~Recording() = default;
    virtual void replay() = 0;
};

/// The ops under the forward pass. One method an op, each with a plain struct of arguments; a call may return before the
/// device has finished, `synchronize` waits. A device that fails says so there, once, and what it computed since the last
/// `synchronize` is void. Not thread-safe: one session at a time.
class Backend
{
public:
    virtual ~Backend() = default;
    virtual std::string_view name() const = 0;
    virtual DeviceInfo device() const = 0;
    virtual Capabilities capabilities() const = 0;
    /// The type of activations for a model of this dtype.
    virtual DType activationType(DType) const { return DType::F32; }
    /// Whether attention takes keys and values of `kv`, one of Capabilities::kvTypes, in a model whose weights are of `weights`.
    virtual bool attendsOver([[maybe_unused]] DType kv, [[maybe_unused]] DType weights) const { return true; }
    /// Memory that the backend keeps for itself beside every buffer: workspaces of libraries, partial results.
    virtual std::int64_t scratchBytes() const { return 0; }
    /// None where the device is this machine's processor, which the profiler measures itself.
    virtual std::optional<DeviceCeilings> measureCeilings(const std::atomic<bool> *) { return std::nullopt; }

    virtual Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) = 0;
    virtual void upload(Buffer &to, std::size_t offset, const void *from, std::size_t bytes) = 0;
    virtual void download(void *to, const void *from, std::size_t bytes) = 0;
    /// Fills the buffer with copies of `block`, one after another.
    virtual void repeat(Buffer &to, std::span<const std::byte> block);
    /// Takes a weight matrix for `matmul` or `embed`; the view's memory outlives the matrix.
    virtual Result<std::unique_ptr<Matrix>> prepare(const TensorView &weights) = 0;

    virtual void embed(const EmbedArgs &args) = 0;
    virtual void rmsNorm(const RmsNormArgs &args) = 0;
    virtual void matmul(const MatmulArgs &args) = 0;
    virtual void ropeAppend(const RopeAppendArgs &args) = 0;
    virtual void attention(const AttentionArgs &args) = 0;
    virtual void commit(const CommitArgs &args) = 0;
    virtual void swiGlu(const SwiGluArgs &args) = 0;
    /// Only where Capabilities::layerExtras.
    virtual void softCap(const SoftCapArgs &) { }
    virtual void copyHeads(const CopyHeadsArgs &args) = 0;
    /// Only where Capabilities::experts.
    virtual void experts(const ExpertsArgs &) { }
    virtual void nextToken(const NextTokenArgs &args) = 0;
    virtual Result<void> synchronize() = 0;
    /// Waits as `synchronize` does and leaves what failed to be told there: for who has no way to pass a failure on.
    virtual void wait() = 0;

    /// Marks the beginning and the end of what the device's own clock is to time; neither waits.
    virtual void beginTimed() { }
    virtual void endTimed() { }
    /// Milliseconds between the two marks, once synchronized. None on a device that has ended its work whenever a call
    /// returns: the host's clock tells them.
    virtual std::optional<double> timedMs() { return std::nullopt; }

    /// Records what `body` launches, without running it. Null where the device has no recordings: call `body` instead.
    virtual std::unique_ptr<Recording> record(const std::function<void()> &body);
    /// The ops of a backward pass (engine/run/gradients.h), or null where this backend has none.
    virtual GradientOps *gradients() { return nullptr; }
};

/// `auto`, `cpu` or `cuda`. `auto` takes a GPU where this build and this machine have one, and else the processor. Where there is
/// one and it cannot be used, `note` says why, in one line for a person; otherwise it is left alone.
Result<std::unique_ptr<Backend>> createBackend(std::string_view name, std::string *note = nullptr);

} // namespace zigzag
