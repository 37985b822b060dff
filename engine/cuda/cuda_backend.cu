// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/attention.h"
#include "engine/cuda/blocks.h"
#include "engine/cuda/cache_views.h"
#include "engine/cuda/ceilings.h"
#include "engine/cuda/collectives.h"
#include "engine/cuda/cuda_matrix.h"
#include "engine/cuda/device.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gradients.h"
#include "engine/cuda/kernel_args.h"
#include "engine/cuda/linear.h"
#include "engine/cuda/loader.h"
#include "engine/cuda/matvec.h"
#include "engine/cuda/pointwise.h"
#include "engine/cuda/prefill.h"
#include "engine/cuda/recording.h"
#include "engine/run/backend_module.h"

#include <algorithm>
#include <cassert>
#include <optional>

namespace zigzag::gpu {

namespace {

/// The ops on one GPU. Three of them are put off until the op after them is known, because decode reads its weights faster in
/// fewer kernels: an RMSNorm becomes the prologue of the product that reads it, the two products behind a gate become one with
/// the gate as its epilogue, and new queries and keys are turned by the attention that reads them. What is put off is launched
/// as it is when anything else comes next.
class CudaBackend : public Backend, public RankDevice
{
public:
    explicit CudaBackend(std::unique_ptr<Device> device)
        : m_device(std::move(device))
        , m_loader(*m_device)
        , m_linear(*m_device)
    { }
    ~CudaBackend() override
    {
        cudaStreamSynchronize(m_device->stream());
        for (const cudaEvent_t event : {m_timedBegin, m_timedEnd})
            if (event)
                cudaEventDestroy(event);
    }

    Result<void> start()
    {
        ZIGZAG_CHECK(m_linear.start());
        ZIGZAG_TRY(scratch, m_device->allocate(attentionScratchBytes));
        m_scratch = std::move(scratch);
        ZIGZAG_TRY(expertScratch, m_device->allocate(expertScratchBytes));
        m_expertScratch = std::move(expertScratch);
        return m_device->synchronize();
    }

    Device &flushed() override
    {
        flush();
        return *m_device;
    }

    std::string_view name() const override { return "cuda"; }
    DeviceInfo device() const override
    {
        DeviceInfo info = m_device->info();
        info.maxHeadDim = gpu::maxHeadDim;
        info.maxQueryHeads = gpu::maxQueryHeads;
        info.maxKvHeads = maxKvHeads;
        info.maxExperts = gpu::maxExperts;
        info.maxExpertsPerToken = gpu::maxExpertsPerToken;
        return info;
    }
    Capabilities capabilities() const override
    {
        return {.copiesWeights = true,
                .recordsSteps = true,
                .showsKernels = true,
                .ownClock = true,
                .gradients = true,
                .experts = true,
                .scoreCaps = true,
                .layerExtras = true,
                .blocksBesideF32 = false,
                .weightTypes = CudaMatrix::types(),
                .kvTypes = {DType::F32, DType::F16, DType::BF16, DType::F8}};
    }
    DType activationType(DType weights) const override { return weights; }
    bool attendsOver(DType kv, DType weights) const override
    {
        return kv == weights || (kv == DType::F8 && weights != DType::F32);
    }
    std::int64_t scratchBytes() const override
    {
        return static_cast<std::int64_t>(attentionScratchBytes + expertScratchBytes + Linear::workspaceBytes
                                         + (m_widened ? m_widened->bytes() : 0) + m_gradients.scratchBytes());
    }
    std::optional<DeviceCeilings> measureCeilings(const std::atomic<bool> *cancel) override
    {
        flush();
        return gpu::measureCeilings(*m_device, m_linear, cancel);
    }

    Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override { return m_device->allocate(bytes); }

    void upload(Buffer &to, std::size_t offset, const void *from, std::size_t bytes) override
    {
        assert(offset <= to.bytes() && bytes <= to.bytes() - offset);
        flush();
        m_loader.copy(to.as<std::byte>() + offset, from, bytes);
    }

    void download(void *to, const void *from, std::size_t bytes) override
    {
        flush();
        m_device->check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, m_device->stream()), "a download");
        m_device->check(cudaStreamSynchronize(m_device->stream()), "a download");
    }

    void repeat(Buffer &to, std::span<const std::byte> block) override
    {
        if (to.bytes() == 0)
            return;
        std::size_t filled = std::min(block.size(), to.bytes());
        upload(to, 0, block.data(), filled);
        // Each copy doubles what is there; whole blocks, so the pattern goes on.
        while (filled < to.bytes()) {
            const std::size_t part = std::min(filled, to.bytes() - filled);
            m_device->check(
                cudaMemcpyAsync(to.as<std::byte>() + filled, to.data(), part, cudaMemcpyDeviceToDevice, m_device->stream()),
                "a copy");
            filled += part;
        }
    }

    Result<std::unique_ptr<Matrix>> prepare(const TensorView &weights) override
    {
        assert(weights);
        flush();
        if (heldBlocks(weights.type) && !m_widened) {
            ZIGZAG_TRY(widened, m_device->allocate(widenedBytes));
            m_widened = std::move(widened);
        }
        ZIGZAG_TRY(matrix, CudaMatrix::load(*m_device, m_loader, weights));
        return std::unique_ptr<Matrix>(std::move(matrix));
    }

    void embed(const EmbedArgs &args) override
    {
        flush();
        const auto &table = static_cast<const CudaMatrix &>(*args.table);
        if (table.layout) {
            const BlockRowsArgs rows = {table.blocks(), args.tokens, args.out, 0, static_cast<int>(table.columns), args.scale};
            m_device->check(launchBlockRows(table.layout->held, DType::F32, rows, args.count, stream(), startsEarly()), "embed");
            return;
        }
        m_device->check(launchEmbed(table.type, args, table.data(), on()), "embed");
    }

    void rmsNorm(const RmsNormArgs &args) override
    {
        flush();
        m_norm = args;
        if (!args.weight || args.residual || args.readAgain) // no product does it on the way
            flush();
    }

    void matmul(const MatmulArgs &args) override
    {
        if (args.tokens == 0 || args.products.empty())
            return;
        const auto &first = static_cast<const CudaMatrix &>(*args.products[0].matrix);
        const DType type = first.vectorType();
        const std::size_t alike = static_cast<std::size_t>(
            std::ranges::find_if_not(
                args.products,
                [&](const Product &product) { return first.isAlike(static_cast<const CudaMatrix &>(*product.matrix)); })
            - args.products.begin());
        if (alike < args.products.size()) { // matrices of one layer may be of several types: a launch for each
            if (m_norm && m_norm->out == args.in)
                flush();
            matmul({args.in, args.tokens, args.products.first(alike)});
            matmul({args.in, args.tokens, args.products.subspan(alike)});
            return;
        }
        std::optional<RmsNormArgs> norm;
        if (m_norm && !m_gated && m_norm->out == args.in && m_norm->tokens == args.tokens && m_norm->type == type)
            norm = std::exchange(m_norm, std::nullopt);
        flush();
        if (takesMatvec(args, type, first.layout.has_value())) {
            Matvec matvec{type, matvecOf(args), static_cast<int>(args.products.size())};
            if (first.layout) {
                matvec.held = first.layout->held;
                for (std::size_t i = 0; i < args.products.size(); ++i)
                    matvec.blocks[i] = static_cast<const CudaMatrix *>(args.products[i].matrix)->blocks();
            }
            if (norm && planOf(matvec).whole) {
                matvec.args.in = norm->in;
                matvec.args.normWeight = norm->weight;
                matvec.args.epsilon = norm->epsilon;
            } else if (norm) {
                launchNorm(*norm);
            }
            if (mayBeGated(args.products) && (!matvec.held || planOf(matvec).whole))
                m_gated = matvec;
            else
                launchMatvec(matvec);
            return;
        }
        if (norm)
            launchNorm(*norm);
        for (const Product &product : args.products)
            multiply(args, product);
    }

    void swiGlu(const SwiGluArgs &args) override
    {
        if (m_gated && isGateOf(args, m_gated->args)) {
            Matvec matvec = *std::exchange(m_gated, std::nullopt);
            matvec.gated = true;
            matvec.args.products[0].out = args.out;
            launchMatvec(matvec);
            return;
        }
        flush();
        m_device->check(launchSwiGlu(args, on()), "swiglu");
    }

    void softCap(const SoftCapArgs &args) override
    {
        flush();
        m_device->check(launchSoftCap(args, on()), "soft_cap");
    }

    void ropeAppend(const RopeAppendArgs &args) override
    {
        flush();
        m_turn = {args, viewOf(args.heads, {}, args.rows)};
        // Elsewhere than in a recorded step somebody may read the turned queries again.
        const bool isStep = m_isRecorded && args.tokens == args.rows.count && !args.normsWidth && args.type != DType::F32;
        if (!isStep || !supportsTensorDecode(args.headDim, m_device->limits()))
            flush();
    }

    void attention(const AttentionArgs &args) override
    {
        std::optional<Turn> turn;
        if (m_turn && m_turn->args.queries == args.queries && !args.strongestKey
            && args.selected.size() == static_cast<std::size_t>(args.kvHeads))
            turn = std::exchange(m_turn, std::nullopt);
        flush();
        if (args.tokens == 0 || args.selected.empty())
            return;
        const AttentionKernelArgs kernel = attentionOf(args);
        const bool isF8 = args.cacheType == DType::F8;
        const DType type = isF8 ? args.type : args.cacheType;
        const bool isDecode = kernel.tokens == 1;
        const bool isFast = !isDecode || supportsTensorDecode(args.headDim, m_device->limits());
        assert(!turn || (isDecode && type != DType::F32 && isFast)); // ropeAppend saw to it
        if (args.strongestKey || type == DType::F32 || !isFast)
            m_device->check((isF8 ? attendSimpleF8 : attendSimple)(type, {kernel, args.strongestKey}, stream(), startsEarly()),
                            "attention");
        else if (isDecode)
            decode(type, kernel, args, turn);
        else
            prefill(type, kernel, args);
    }

    void commit(const CommitArgs &args) override
    {
        flush();
        m_device->check(launchCommit(args, viewOf(args.heads, {}, args.rows), on()), "commit");
    }

    void copyHeads(const CopyHeadsArgs &args) override
    {
        flush();
        m_device->check(launchCopyHeads(args, on()), "copy_heads");
    }

    void experts(const ExpertsArgs &args) override
    {
        flush();
        const ExpertWeights weights = {expertList(args.gates), expertList(args.ups), expertList(args.downs)};
        const ExpertMemory memory = {m_expertScratch->data(), expertScratchBytes, m_widened ? m_widened->data() : nullptr,
                                     m_widened ? widenedBytes : 0};
        const DType type = static_cast<const CudaMatrix &>(*args.gates[0]).vectorType();
        m_device->check(launchExperts(type, args, weights, memory, on()), "experts");
    }

    void nextToken(const NextTokenArgs &args) override
    {
        flush();
        m_device->check(launchNextToken(args, on()), "next_token");
    }

    GradientOps *gradients() override { return &m_gradients; }

    Result<void> synchronize() override
    {
        flush();
        return m_device->synchronize();
    }

    void wait() override
    {
        flush();
        m_device->wait();
    }

    void beginTimed() override { mark(m_timedBegin); }
    void endTimed() override { mark(m_timedEnd); }
    std::optional<double> timedMs() override
    {
        float ms = 0;
        if (!m_timedBegin || !m_timedEnd || cudaEventElapsedTime(&ms, m_timedBegin, m_timedEnd) != cudaSuccess) {
            cudaGetLastError(); // a step that failed has said so already
            return std::nullopt;
        }
        return ms;
    }

    std::unique_ptr<Recording> record(const std::function<void()> &body) override
    {
        flush();
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t ready = nullptr;
        int status = cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal);
        if (status == cudaSuccess) {
            m_isRecorded = true;
            body();
            flush();
            m_isRecorded = false;
            status = cudaStreamEndCapture(stream(), &graph);
        }
        if (status == cudaSuccess)
            status = cudaGraphInstantiate(&ready, graph, 0);
        if (graph)
            cudaGraphDestroy(graph);
        m_device->check(status, "the recording of a step");
        return status == cudaSuccess ? std::make_unique<CudaRecording>(*m_device, ready) : nullptr;
    }

private:
    struct Matvec {
        DType type;
        MatvecArgs args;
        int productCount;
        bool gated = false;
        std::optional<HeldBlocks> held = std::nullopt; ///< quantised weights
        BlockMatrix blocks[matvecMaxProducts] = {};
    };

    /// Its `heads` are not read again.
    struct Turn {
        RopeAppendArgs args;
        HeadCaches caches;
    };

    static constexpr std::size_t attentionScratchBytes = 16u << 20; ///< partial results of decode's splits
    static constexpr std::size_t widenedBytes = 128u << 20; ///< rows of quantised matrices as plain numbers
    static constexpr std::size_t expertScratchBytes = 64u << 20; ///< what experts make of a piece of a chunk's tokens

    cudaStream_t stream() const { return m_device->stream(); }
    /// Kernels that wait for the one before them by themselves may start before it has ended.
    bool startsEarly() const { return m_device->limits().computeCapability >= 90; }
    LaunchOn on() const { return {stream(), startsEarly()}; }

    /// Launches what was put off.
    void flush()
    {
        if (m_gated)
            launchMatvec(*std::exchange(m_gated, std::nullopt));
        if (m_norm)
            launchNorm(*std::exchange(m_norm, std::nullopt));
        if (m_turn)
            launchTurn(*std::exchange(m_turn, std::nullopt));
    }

    void mark(cudaEvent_t &event)
    {
        flush();
        if (!event)
            m_device->check(cudaEventCreate(&event), "a clock");
        if (event)
            m_device->check(cudaEventRecord(event, m_device->stream()), "a clock");
    }

    void launchTurn(const Turn &turn) { m_device->check(launchRopeAppend(turn.args, turn.caches, on()), "rope_append"); }
    void launchNorm(const RmsNormArgs &args) { m_device->check(launchRmsNorm(args, on()), "rms_norm"); }

    MatvecPlan planOf(const Matvec &matvec) const
    {
        int rows[matvecMaxProducts] = {};
        const int count = matvec.gated ? 1 : matvec.productCount;
        for (int i = 0; i < count; ++i)
            rows[i] = matvec.args.products[i].rows;
        if (matvec.held)
            return planBlocks({rows, static_cast<std::size_t>(count)}, blockPaddedColumns(*matvec.held, matvec.args.columns),
                              matvec.args.batch, matvec.gated, codesRing(*matvec.held), m_device->limits());
        return planMatvec({rows, static_cast<std::size_t>(count)}, matvec.args.columns, matvec.args.batch, matvec.gated,
                          m_device->limits());
    }

    /// In as few launches as the vectors' shared memory allows: each reads the weights.
    void launchBlocks(const Matvec &matvec)
    {
        const int most = std::min(blockMaxBatch, mostVectors(*matvec.held, matvec.args.columns));
        for (int first = 0; first < matvec.args.batch; first += most) {
            Matvec part = matvec;
            part.args.batch = std::min(most, matvec.args.batch - first);
            const std::int64_t inBytes = matvec.args.normWeight ? 4 : bytesOf(matvec.type);
            part.args.in = static_cast<const char *>(matvec.args.in) + inBytes * first * matvec.args.columns;
            for (MatvecProduct &product : part.args.products) {
                const std::int64_t at = std::int64_t{first} * product.rows;
                product.residual = product.residual ? product.residual + at : nullptr;
                product.out = static_cast<char *>(product.out) + at * (product.floatOut ? 4 : bytesOf(matvec.type));
            }
            BlockMatvecArgs args{};
            args.base = part.args;
            args.isBf16 = matvec.type == DType::BF16;
            std::copy(std::begin(matvec.blocks), std::end(matvec.blocks), args.matrices);
            m_device->check(multiplyBlocks(*matvec.held, args, planOf(part), stream(), startsEarly()), "a matrix-vector product");
        }
    }

    void launchMatvec(const Matvec &matvec)
    {
        if (matvec.held) {
            launchBlocks(matvec);
            return;
        }
        m_device->check(multiplyVectors(matvec.type, matvec.args, planOf(matvec), stream(), startsEarly()),
                        "a matrix-vector product");
    }

    /// `turn`: of the new tokens, where it was put off.
    void decode(DType type, const AttentionKernelArgs &kernel, const AttentionArgs &args, const std::optional<Turn> &turn)
    {
        std::int64_t slots[maxKvHeads];
        for (int i = 0; i < kernel.caches.selectedCount; ++i)
            slots[i] = kernel.caches.heads[kernel.caches.selected[i]].slots;
        const int group = args.queryHeads / args.kvHeads;
        const DecodePlan plan = planDecode({slots, static_cast<std::size_t>(kernel.caches.selectedCount)}, args.firstPosition + 1,
                                           kernel.rows.count, group, args.headDim, m_device->limits());
        DecodeAttentionArgs decodeArgs = {};
        decodeArgs.attention = kernel;
        std::copy(plan.firstBlock.begin(), plan.firstBlock.end(), decodeArgs.firstBlock);
        // A block of one step has all of its keys before the new one is there, and would wait for that one alone.
        if (turn && plan.steps > 1)
            decodeArgs.turn = turnOf(turn->args);
        else if (turn)
            launchTurn(*turn);
        decodeArgs.partials = m_scratch->as<float>();
        decodeArgs.partialStates = decodeArgs.partials + plan.partials;
        if ((plan.partials + plan.partialStates) * sizeof(float) > attentionScratchBytes)
            m_device->check(cudaErrorInvalidValue, "attention's plan");
        else
            m_device->check(
                (args.cacheType == DType::F8 ? attendDecodeF8 : attendDecode)(type, decodeArgs, plan, stream(), startsEarly()),
                "attention");
    }

    void prefill(DType type, const AttentionKernelArgs &kernel, const AttentionArgs &args)
    {
        const auto isFull = [&](int head) { return args.heads[static_cast<std::size_t>(head)].pattern.keepsEverything(); };
        const auto full = static_cast<int>(std::count_if(args.selected.begin(), args.selected.end(), isFull));
        m_device->check(attendChunk(type, args.cacheType, {kernel, full}, m_device->limits(), stream(), startsEarly()),
                        "attention");
    }

    bool takesMatvec(const MatmulArgs &args, DType type, bool isBlocks) const
    {
        if (isBlocks)
            return args.products.size() <= matvecMaxProducts && args.tokens <= matvecMaxBatch
                && fitsBlocks(*args.products[0].matrix);
        return type != DType::F32 && args.products.size() <= matvecMaxProducts && args.tokens <= matvecMaxBatch
            && supportsMatvec(static_cast<int>(args.tokens), static_cast<int>(args.products[0].matrix->columns));
    }

    bool fitsBlocks(const Matrix &matrix) const
    {
        return mostVectors(static_cast<const CudaMatrix &>(matrix).layout->held, matrix.columns) > 0;
    }
    int mostVectors(HeldBlocks held, std::int64_t columns) const
    {
        return mostBlockVectors(blockPaddedColumns(held, columns), codesRing(held), m_device->limits());
    }

    void multiply(const MatmulArgs &args, const Product &product)
    {
        const auto &matrix = static_cast<const CudaMatrix &>(*product.matrix);
        const DType type = matrix.vectorType();
        const bool floatOut = product.residual || product.floatOut;
        const std::size_t bytes = static_cast<std::size_t>(args.tokens * matrix.rows) * sizeof(float);
        if (product.residual && product.residual != product.out)
            m_device->check(cudaMemcpyAsync(product.out, product.residual, bytes, cudaMemcpyDeviceToDevice, stream()),
                            "a residual");
        const DType outType = floatOut ? DType::F32 : type;
        // A quantised matrix becomes plain numbers in pieces of its rows.
        const std::int64_t piece = matrix.layout
            ? std::clamp<std::int64_t>(static_cast<std::int64_t>(widenedBytes) / (matrix.columns * bytesOf(type)), 1, matrix.rows)
            : matrix.rows;
        for (std::int64_t first = 0; first < matrix.rows; first += piece) {
            const std::int64_t count = std::min(piece, matrix.rows - first);
            if (matrix.layout) {
                const BlockRowsArgs rows
                    = {matrix.blocks(), nullptr, m_widened->data(), first, static_cast<int>(matrix.columns), 1};
                m_device->check(launchBlockRows(matrix.layout->held, type, rows, count, stream(), startsEarly()),
                                "a matrix made plain");
            }
            m_linear.run({.rows = count,
                          .columns = matrix.columns,
                          .tokens = args.tokens,
                          .type = type,
                          .outType = outType,
                          .accumulate = product.residual != nullptr,
                          .outPitch = matrix.rows},
                         matrix.layout ? m_widened->data() : matrix.data(), args.in,
                         static_cast<char *>(product.out) + first * bytesOf(outType), product.scale);
        }
        if (product.bias)
            m_device->check(launchAddBias(outType, product.out, product.bias, product.scale, args.tokens, matrix.rows, on()),
                            "a bias");
    }

    std::unique_ptr<Device> m_device;
    Loader m_loader;
    Linear m_linear;
    std::unique_ptr<Buffer> m_scratch, m_expertScratch;
    std::unique_ptr<Buffer> m_widened; ///< where some matrix is quantised
    CudaGradients m_gradients{*m_device, m_linear, m_widened, [this] { flush(); }};
    cudaEvent_t m_timedBegin = nullptr, m_timedEnd = nullptr;
    std::optional<RmsNormArgs> m_norm;
    std::optional<Matvec> m_gated;
    std::optional<Turn> m_turn;
    bool m_isRecorded = false; ///< what is launched now
};

Result<std::unique_ptr<Backend>> createOn(int nth)
{
    ZIGZAG_TRY(device, Device::open(nth));
    auto backend = std::make_unique<CudaBackend>(std::move(device));
    ZIGZAG_CHECK(backend->start());
    return backend;
}

Result<std::unique_ptr<Backend>> createCudaBackend()
{
    return createOn(0);
}

/// Of backends that came from here.
Result<std::unique_ptr<CollectiveGroup>> join(std::span<const std::shared_ptr<Backend>> backends)
{
    std::vector<RankDevice *> ranks;
    for (const auto &backend : backends)
        ranks.push_back(static_cast<CudaBackend *>(backend.get()));
    return joinDevices(std::move(ranks));
}

} // namespace

} // namespace zigzag::gpu

ZIGZAG_BACKEND_MODULE_OF_SEVERAL(zigzag::gpu::createCudaBackend, zigzag::gpu::Device::count, zigzag::gpu::createOn,
                                 zigzag::gpu::join)
