// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/cpu_backend.h"

#include "engine/cpu/activations.h"
#include "engine/cpu/attention.h"
#include "engine/cpu/cache_size.h"
#include "engine/cpu/experts.h"
#include "engine/cpu/gradients.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/matmul.h"
#include "engine/model/memory_limit.h"
#include "engine/model/tensor_values.h"
#include "engine/run/key_runs.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <sys/mman.h>
#include <unistd.h>

namespace zigzag {

namespace {

/// The text after the first ':' of the first line that starts with `key`, or an empty text.
std::string lineOf(const char *file, std::string_view key)
{
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key))
            continue;
        const std::size_t colon = line.find(':');
        const std::size_t text = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
        return text == std::string::npos ? std::string() : line.substr(text);
    }
    return {};
}

class CpuBuffer : public Buffer
{
public:
    CpuBuffer(void *data, std::size_t bytes)
        : Buffer(data, bytes)
    { }
    ~CpuBuffer() override { std::free(m_data); }
};

float *rowOf(float *rows, std::int64_t row, std::int64_t width)
{
    return rows + row * width;
}

const float *rowOf(const float *rows, std::int64_t row, std::int64_t width)
{
    return rows + row * width;
}

std::byte *rowOf(void *rows, std::int64_t row, std::int64_t rowBytes)
{
    return static_cast<std::byte *>(rows) + row * rowBytes;
}

std::int64_t positionOf(const SequenceRows &rows, std::int64_t firstPosition, std::int64_t sequence)
{
    return rows.positions ? rows.positions[sequence] : firstPosition;
}

/// The cache of a call's nth sequence; the staging area belongs to whichever sequence is being prefilled.
HeadCache cacheOf(HeadCache head, const SequenceRows &rows, std::int64_t sequence)
{
    const std::int64_t offset = (rows.first + sequence) * rows.cacheStride;
    head.keys = static_cast<std::byte *>(head.keys) + offset;
    head.values = static_cast<std::byte *>(head.values) + offset;
    return head;
}

class CpuBackend : public Backend
{
public:
    std::string_view name() const override { return "cpu"; }

    DeviceInfo device() const override
    {
        DeviceInfo info;
        info.name = lineOf("/proc/cpuinfo", "model name");
        if (info.name.empty())
            info.name = "CPU";
        info.threads = ThreadPool::current().threads();
        info.memoryBytes = availableMemory();
        static const std::int64_t cache = lastLevelCacheBytes();
        info.lastLevelCacheBytes = cache;
        info.maxHeadDim = maxHeadDim;
        return info;
    }

    Capabilities capabilities() const override
    {
        return {.onProcessor = true,
                .gradients = true,
                .experts = true,
                .scoreCaps = true,
                .layerExtras = true,
                .mixesTypes = true,
                .weightTypes = {weightTypes().begin(), weightTypes().end()},
                .kvTypes = {DType::F32, DType::F16, DType::BF16, DType::F8}};
    }

    Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override
    {
        constexpr std::size_t hugePage = 2u << 20;
        const std::size_t alignment = bytes >= 2 * hugePage ? hugePage : 64;
        // Linux promises more memory than there is and kills who uses it: large requests are held against what is free.
        const auto available = static_cast<std::size_t>(alignment == hugePage ? availableMemory() : 0);
        void *data = nullptr;
        if (alignment < hugePage || bytes <= available)
            data = std::aligned_alloc(alignment, (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment);
        if (!data)
            return failed(fmt::format("memory: {} bytes could not be allocated: choose a smaller context or model", bytes));
        if (alignment == hugePage)
            madvise(data, bytes, MADV_HUGEPAGE); // fewer address translations; a refusal changes nothing else
        return std::make_unique<CpuBuffer>(data, bytes);
    }

    void upload(Buffer &to, std::size_t offset, const void *from, std::size_t bytes) override
    {
        assert(offset <= to.bytes() && bytes <= to.bytes() - offset);
        if (bytes > 0)
            std::memcpy(to.as<std::byte>() + offset, from, bytes);
    }

    void download(void *to, const void *from, std::size_t bytes) override
    {
        if (bytes > 0)
            std::memcpy(to, from, bytes);
    }

    Result<std::unique_ptr<Matrix>> prepare(const TensorView &weights) override
    {
        assert(weights);
        auto matrix = std::make_unique<CpuMatrix>();
        matrix->rows = weights.rows;
        matrix->columns = weights.columns;
        matrix->type = weights.type;
        matrix->scales = weights.scales;
        matrix->data = weights.data;
        const auto alignment = static_cast<std::uintptr_t>(weights.type.isBlocks() ? 1 : weights.type.blockBytes());
        if (reinterpret_cast<std::uintptr_t>(weights.data) % alignment != 0) {
            ZIGZAG_TRY(copy, allocate(static_cast<std::size_t>(weights.bytes())));
            std::memcpy(copy->data(), weights.data, static_cast<std::size_t>(weights.bytes()));
            matrix->data = copy->data();
            matrix->copy = std::move(copy);
        }
        return matrix;
    }

    void embed(const EmbedArgs &args) override
    {
        const auto &table = static_cast<const CpuMatrix &>(*args.table);
        for (std::int64_t i = 0; i < args.count; ++i) {
            assert(args.tokens[i] >= 0 && args.tokens[i] < table.rows);
            float *out = rowOf(args.out, i, table.columns);
            decodeRow(table.view(), args.tokens[i], out);
            if (args.scale != 1)
                std::transform(out, out + table.columns, out, [&](float value) { return args.scale * value; });
        }
    }

    void rmsNorm(const RmsNormArgs &args) override
    {
        parallelFor(args.tokens, rowsPerPart(args.width), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t)
                normRow(args, t);
        });
    }

    void matmul(const MatmulArgs &args) override { m_matmul.run(args); }

    void ropeAppend(const RopeAppendArgs &args) override
    {
        assert(args.headDim % 2 == 0 && args.headDim <= maxHeadDim
               && args.heads.size() == static_cast<std::size_t>(args.kvHeads));
        const std::int64_t width = std::int64_t{args.queryHeads + 2 * args.kvHeads} * args.headDim;
        parallelFor(args.tokens, rowsPerPart(width), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t)
                ropeAppendRow(args, t);
        });
    }

    void attention(const AttentionArgs &args) override
    {
        assert(args.headDim % 2 == 0 && args.headDim <= maxHeadDim && args.queryHeads % args.kvHeads == 0);
        if (args.tokens == 0 || args.selected.empty())
            return;
        // Each sequence by itself: its keys are its own, so a batch shares no reads.
        const std::int64_t width = std::int64_t{args.queryHeads} * args.headDim, tokens = args.tokens / args.rows.count;
        std::vector<HeadCache> heads;
        for (int sequence = 0; sequence < args.rows.count; ++sequence) {
            AttentionArgs one = args;
            one.tokens = tokens;
            one.firstPosition = positionOf(args.rows, args.firstPosition, sequence);
            one.queries = rowOf(floats(args.queries), sequence, width);
            one.out = rowOf(floats(args.out), sequence, width);
            if (args.strongestKey)
                one.strongestKey = args.strongestKey + std::int64_t{sequence} * args.queryHeads;
            heads.clear();
            for (const HeadCache &head : args.heads)
                heads.push_back(cacheOf(head, args.rows, sequence));
            one.heads = heads;
            if (tokens == 1)
                attendOne(one, m_threads, m_partials);
            else
                attendMany(one, m_threads);
        }
    }

    void commit(const CommitArgs &args) override
    {
        const std::int64_t rowBytes = args.headDim * bytesOf(args.cacheType), end = args.firstPosition + args.tokens;
        const auto heads = static_cast<std::int64_t>(args.heads.size());
        const auto commitHead = [&](std::int64_t head) {
            const HeadCache cache = cacheOf(args.heads[static_cast<std::size_t>(head)], args.rows, 0);
            if (!cache.stagedKeys)
                return;
            const std::int64_t sink = cache.pattern.sink();
            for (std::int64_t p = args.firstPosition; p < end; ++p) {
                // A chunk longer than the ring leaves only its last positions there.
                if (p >= sink && p >= cache.slots && p + cache.slots - sink < end)
                    continue;
                const std::int64_t slot = cacheSlot(p, cache.slots, sink), row = p - args.firstPosition;
                std::memcpy(rowOf(cache.keys, slot, rowBytes), rowOf(cache.stagedKeys, row, rowBytes),
                            static_cast<std::size_t>(rowBytes));
                std::memcpy(rowOf(cache.values, slot, rowBytes), rowOf(cache.stagedValues, row, rowBytes),
                            static_cast<std::size_t>(rowBytes));
            }
        };
        parallelFor(heads, rowsPerPart(2 * args.tokens * args.headDim), [&](std::int64_t begin, std::int64_t last) {
            for (std::int64_t head = begin; head < last; ++head)
                commitHead(head);
        });
    }

    void swiGlu(const SwiGluArgs &args) override
    {
        parallelFor(args.count, 16384, [&](std::int64_t begin, std::int64_t end) {
            const auto row = args.activation == GatedActivation::Silu ? kernels::swiGluRow : kernels::geluGluRow;
            row(floats(args.gate) + begin, floats(args.up) + begin, floats(args.out) + begin,
                static_cast<std::size_t>(end - begin));
        });
    }

    void softCap(const SoftCapArgs &args) override
    {
        parallelFor(args.count, 16384, [&](std::int64_t begin, std::int64_t end) {
            kernels::softCapRow(args.values + begin, static_cast<std::size_t>(end - begin), args.cap);
        });
    }

    void experts(const ExpertsArgs &args) override { m_experts.run(args, m_matmul); }

    void copyHeads(const CopyHeadsArgs &args) override
    {
        const auto count = static_cast<std::int64_t>(args.heads.size());
        const auto copyRow = [&](std::int64_t t) {
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t head = args.heads[static_cast<std::size_t>(i)];
                const std::int64_t from = args.scatter ? i : head, to = args.scatter ? head : i;
                assert(from < args.inHeads && to < args.outHeads);
                std::memcpy(rowOf(floats(args.out), t * args.outHeads + to, args.headDim),
                            rowOf(floats(args.in), t * args.inHeads + from, args.headDim),
                            static_cast<std::size_t>(args.headDim) * sizeof(float));
            }
        };
        parallelFor(args.tokens, rowsPerPart((count + 1) * args.headDim), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t)
                copyRow(t);
        });
    }

    void nextToken(const NextTokenArgs &args) override
    {
        for (std::int64_t row = 0; row < args.rows; ++row) {
            const float *logits = rowOf(args.logits, row, args.vocabulary);
            args.tokens[row] = static_cast<std::int32_t>(std::max_element(logits, logits + args.vocabulary) - logits);
            if (++args.positions[row] < args.context)
                args.history[row * args.context + args.positions[row]] = args.tokens[row];
        }
    }

    Result<void> synchronize() override { return {}; }

    void wait() override { }

    GradientOps *gradients() override { return m_gradients.get(); }

private:
    static constexpr int maxHeadDim = 1024; ///< as wide as a config may ask for; `append` turns a key on the stack

    void normRow(const RmsNormArgs &args, std::int64_t token)
    {
        const float *in = rowOf(args.in, token, args.width);
        const auto width = static_cast<std::size_t>(args.width);
        float *out = rowOf(floats(args.out), token, args.width);
        if (!args.weight) {
            std::memmove(out, in, width * sizeof(float));
        } else if (!args.residual) {
            kernels::rmsNormRow(in, args.weight, out, width, args.epsilon);
        } else {
            float *normed = m_threads.mine().get<float>(width); // `out` may be the residual
            kernels::rmsNormRow(in, args.weight, normed, width, args.epsilon);
            std::transform(normed, normed + width, rowOf(args.residual, token, args.width), out, std::plus<>());
        }
    }

    void ropeAppendRow(const RopeAppendArgs &args, std::int64_t token)
    {
        const std::int64_t queryWidth = std::int64_t{args.queryHeads} * args.headDim,
                           keyWidth = std::int64_t{args.kvHeads} * args.headDim;
        float *queries = rowOf(floats(args.queries), token, queryWidth);
        const float *keys = rowOf(floats(args.keys), token, keyWidth);
        if (args.normsWidth) {
            kernels::rmsNormRow(queries, args.queryNorm, queries, static_cast<std::size_t>(queryWidth), args.epsilon);
            float *normed = m_threads.mine().get<float>(static_cast<std::size_t>(keyWidth));
            kernels::rmsNormRow(keys, args.keyNorm, normed, static_cast<std::size_t>(keyWidth), args.epsilon);
            keys = normed;
        }
        for (int head = 0; head < args.queryHeads; ++head)
            normAndRotate(args, token, args.queryNorm, rowOf(queries, head, args.headDim));
        if (args.queryScales)
            std::transform(queries, queries + queryWidth, queries,
                           [scale = args.queryScales[positionOfRow(args, token)]](float value) { return scale * value; });
        const std::int64_t kvRow = token * args.kvHeads;
        for (int head = 0; head < args.kvHeads; ++head)
            append(args, token, args.heads[static_cast<std::size_t>(head)], rowOf(keys, head, args.headDim),
                   rowOf(floats(args.values), kvRow + head, args.headDim));
    }

    static void normAndRotate(const RopeAppendArgs &args, std::int64_t token, const float *norm, float *head)
    {
        const auto dim = static_cast<std::size_t>(args.headDim);
        if (norm && !args.normsWidth)
            kernels::rmsNormRow(head, norm, head, dim, args.epsilon);
        if (!args.cosSin)
            return;
        const std::int64_t turned = args.rotaryDim > 0 ? args.rotaryDim : args.headDim;
        const float *cosines = rowOf(args.cosSin, positionOfRow(args, token), turned), *sines = cosines + turned / 2;
        const auto rotate = args.interleaved ? kernels::rotateNeighbours : kernels::rotateRow;
        rotate(head, cosines, sines, static_cast<std::size_t>(turned / 2));
    }

    static std::int64_t positionOfRow(const RopeAppendArgs &args, std::int64_t row)
    {
        return args.rows.count > 1 ? positionOf(args.rows, args.firstPosition, row)
                                   : positionOf(args.rows, args.firstPosition, 0) + row;
    }

    static void append(const RopeAppendArgs &args, std::int64_t token, const HeadCache &firstCache, const float *key,
                       const float *value)
    {
        const HeadCache cache = cacheOf(firstCache, args.rows, args.rows.count > 1 ? token : 0);
        const std::int64_t rowBytes = args.headDim * bytesOf(args.cacheType);
        const bool staged = cache.stagedKeys != nullptr;
        const std::int64_t row = staged ? token : cacheSlot(positionOfRow(args, token), cache.slots, cache.pattern.sink());
        assert(staged || row < cache.slots);
        float rotated[maxHeadDim];
        std::memcpy(rotated, key, static_cast<std::size_t>(args.headDim) * sizeof(float));
        normAndRotate(args, token, args.keyNorm, rotated);
        const auto dim = static_cast<std::size_t>(args.headDim);
        kernels::fromFloat(args.cacheType, divided(rotated, dim, args.scales.key, rotated),
                           rowOf(staged ? cache.stagedKeys : cache.keys, row, rowBytes), dim);
        kernels::fromFloat(args.cacheType, divided(value, dim, args.scales.value, rotated),
                           rowOf(staged ? cache.stagedValues : cache.values, row, rowBytes), dim);
    }

    /// `from` itself where the scale is 1; otherwise `room`, which may be `from`.
    static const float *divided(const float *from, std::size_t count, float scale, float *room)
    {
        if (scale == 1)
            return from;
        std::transform(from, from + count, room, [scale](float value) { return value / scale; });
        return room;
    }

    ThreadScratch m_threads;
    Scratch m_partials;
    Matmul m_matmul;
    Experts m_experts;
    std::unique_ptr<GradientOps> m_gradients = createCpuGradients();
};

} // namespace

std::unique_ptr<Backend> createCpuBackend()
{
    return std::make_unique<CpuBackend>();
}

} // namespace zigzag
