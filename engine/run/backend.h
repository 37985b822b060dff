// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/weights.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

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
};

// Activations are float32, row-major. Pointers are device pointers.

struct EmbedArgs {
    std::span<const int> tokens; // host
    const Matrix *table = nullptr; // [vocabulary, hidden]
    float *out = nullptr; // [tokens, hidden]
};

struct RmsNormArgs {
    const float *in = nullptr; // [tokens, width]
    const float *weight = nullptr; // [width]
    float *out = nullptr; // [tokens, width], may be `in`
    std::int64_t tokens = 0, width = 0;
    float epsilon = 0;
};

/// One of the products of a matmul: out = in · matrixᵀ (+ bias) (+ residual).
struct Product {
    const Matrix *matrix = nullptr; // [rows, columns]
    const float *bias = nullptr; // [rows]
    const float *residual = nullptr; // [tokens, rows], may be `out`
    float *out = nullptr; // [tokens, rows]
};

/// Products that share their input, as one launch.
struct MatmulArgs {
    const float *in = nullptr; // [tokens, columns]
    std::int64_t tokens = 0;
    std::span<const Product> products;
};

/// One KV head's cache in one layer, and where this call's keys go first.
/// With one token, or a retrieval head, they go straight to their slots; a streaming head's chunk is staged, because its
/// ring still holds keys that the chunk's first queries see, and `commit` moves it once attention has read both.
struct HeadCache {
    HeadKind kind = HeadKind::Retrieval;
    void *keys = nullptr; // [slots, head_dim]
    void *values = nullptr; // [slots, head_dim]
    std::int64_t slots = 0;
    void *stagedKeys = nullptr; // [tokens, head_dim]; null when keys go straight to their slots
    void *stagedValues = nullptr; // [tokens, head_dim]
};

/// Query/key norm (optional), RoPE, and the append of keys and values in the cache's type.
struct RopeAppendArgs {
    float *queries = nullptr; // [tokens, query_heads, head_dim], rotated in place
    const float *keys = nullptr; // [tokens, kv_heads, head_dim]
    const float *values = nullptr; // [tokens, kv_heads, head_dim]
    const float *queryNorm = nullptr, *keyNorm = nullptr; // [head_dim], or null
    const float *cosSin = nullptr; // [context, 2, head_dim / 2]: cosines, then sines, of each position
    std::span<const HeadCache> heads; // [kv_heads], host
    std::int64_t tokens = 0, firstPosition = 0;
    std::int64_t sink = 0;
    int queryHeads = 0, kvHeads = 0, headDim = 0;
    DType cacheType = DType::F32;
    float epsilon = 0;
};

/// Attention of `tokens` queries at firstPosition… over the cache, each KV head with its own key range (map/key_range.h).
struct AttentionArgs {
    const float *queries = nullptr; // [tokens, query_heads, head_dim]
    float *out = nullptr; // [tokens, query_heads, head_dim]
    std::span<const HeadCache> heads; // [kv_heads], host
    std::span<const int> selected; // KV heads to compute; the others' outputs are left alone
    std::int64_t tokens = 0, firstPosition = 0;
    std::int64_t sink = 0, recent = 0;
    int queryHeads = 0, kvHeads = 0, headDim = 0;
    DType cacheType = DType::F32;
    std::int32_t *strongestKey = nullptr; // [tokens, query_heads] or null: the position with the largest weight
};

/// Moves the staged keys and values of a chunk into sinks and ring.
struct CommitArgs {
    std::span<const HeadCache> heads; // [kv_heads], host
    std::int64_t tokens = 0, firstPosition = 0;
    std::int64_t sink = 0;
    int headDim = 0;
    DType cacheType = DType::F32;
};

struct SwiGluArgs {
    const float *gate = nullptr; // [tokens, width]
    const float *up = nullptr; // [tokens, width]
    float *out = nullptr; // [tokens, width], may be `gate`
    std::int64_t count = 0; ///< tokens · width
};

/// Copies `heads` of each row: out[token, i] = in[token, heads[i]], or the other way round. What splitting a mixed layer
/// into two attention calls costs in the published implementation.
struct CopyHeadsArgs {
    const float *in = nullptr; // [tokens, in_heads, head_dim]
    float *out = nullptr; // [tokens, out_heads, head_dim]
    std::span<const int> heads; // host
    std::int64_t tokens = 0;
    int inHeads = 0, outHeads = 0, headDim = 0;
    bool scatter = false; ///< true: out[token, heads[i]] = in[token, i]
};

struct DeviceInfo {
    std::string name; ///< as the machine reports it
    int threads = 0; ///< worker threads (CPU)
    std::int64_t memoryBytes = 0; ///< free for models now
    std::int64_t lastLevelCacheBytes = 0;
};

/// The ops under the forward pass. One method an op, each with a plain struct of arguments; a call may return before the
/// device has finished, `synchronize` waits. Not thread-safe: one session at a time.
class Backend
{
public:
    virtual ~Backend() = default;
    virtual std::string_view name() const = 0;
    virtual DeviceInfo device() const = 0;

    virtual Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) = 0;
    virtual void upload(Buffer &to, std::size_t offset, const void *from, std::size_t bytes) = 0;
    virtual void download(void *to, const void *from, std::size_t bytes) = 0;
    /// Takes a weight matrix for `matmul` or `embed`; the view's memory outlives the matrix.
    virtual Result<std::unique_ptr<Matrix>> prepare(const TensorView &weights) = 0;

    virtual void embed(const EmbedArgs &args) = 0;
    virtual void rmsNorm(const RmsNormArgs &args) = 0;
    virtual void matmul(const MatmulArgs &args) = 0;
    virtual void ropeAppend(const RopeAppendArgs &args) = 0;
    virtual void attention(const AttentionArgs &args) = 0;
    virtual void commit(const CommitArgs &args) = 0;
    virtual void swiGlu(const SwiGluArgs &args) = 0;
    virtual void copyHeads(const CopyHeadsArgs &args) = 0;
    virtual void synchronize() = 0;
};

/// `auto`, `cpu` or `cuda`. `auto` takes a GPU where this build and this machine have one.
Result<std::unique_ptr<Backend>> createBackend(std::string_view name);

} // namespace zigzag
