// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/gemm.h"

#include "engine/base/onednn.h"
#include "engine/cpu/activations.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <optional>

namespace zigzag {

namespace {

using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

// A product is cut into tiles, each one product of oneDNN on one thread, a millisecond long at most, or two. The tiles depend
// on the product alone, so that a result does not depend on the threads.
/// Rows of weights of a tile: in the second-level cache, converted or packed, until the tile's tokens have passed.
constexpr std::int64_t tileRows = 128;
/// Tokens of a tile: a whole chunk shares one reading and packing of the weights, unless rows are so long that it takes too long.
constexpr std::int64_t mostTokens = 512, fewestTokens = 64;
constexpr std::int64_t longestTile = std::int64_t{400} << 20; ///< multiplications
/// Tiles of one job, for many threads to share, as long as none is cut below so many multiplications.
constexpr std::int64_t enoughTiles = 32;
constexpr std::int64_t shortestTile = std::int64_t{4} << 20;
/// Bytes of converted or packed weights that tiles of the same rows share; what does not fit, each tile prepares for itself.
constexpr std::int64_t sharedBytes = std::int64_t{64} << 20;
/// Products below this many multiplications are not worth a choice.
constexpr std::int64_t smallProduct = std::int64_t{64} << 20;
/// Timed calls of each way before the better one is kept; the first of each builds its primitive and does not count.
constexpr int trialsOfEach = 5;

bool hasBf16Units()
{
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto bf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (isa & bf16) == bf16;
}

/// What one primitive is built for. `outStride` is the row stride of the result.
struct Shape {
    std::int64_t tokens, rows, columns, outStride;
    bool bf16, packed, bias, sum;
    float scale;

    auto operator<=>(const Shape &) const = default; // NOLINT(modernize-use-nullptr): clang-tidy 14 takes it for a pointer's
    Type type() const { return bf16 ? Type::bf16 : Type::f32; }
    Desc in() const { return {{tokens, columns}, type(), Tag::ab}; }
    Desc weights() const { return {{columns, rows}, type(), Tag::ba}; }
    Desc biasRow() const { return bias ? Desc({1, rows}, Type::f32, Tag::ab) : Desc(); }
    Desc out() const { return {{tokens, rows}, Type::f32, dnnl::memory::dims{outStride, 1}}; }
};

/// A product of a tile, and the copy that brings its weights into the layout it wants; without one it reads them as they are.
struct Primitive {
    dnnl::matmul product;
    Desc weights, scratchpad, packScratchpad;
    std::optional<dnnl::reorder> pack;
};

/// How weights of one shape are best read: as they are, or packed tile by tile into scratch memory on every call. Packed
/// copies that stay would double the memory of the weights, and packing costs little beside hundreds of tokens.
struct Choice {
    int calls = 0;
    std::array<double, 2> best = {1e30, 1e30}; // seconds: plain, packed

    /// The way of the next call: both in turn, then the better.
    bool packed() const { return isMade() ? best[1] < best[0] : calls % 2 == 1; }
    bool isMade() const { return calls >= 2 * trialsOfEach; }
    void record(double seconds)
    {
        if (isMade())
            return;
        if (calls >= 2)
            best[packed()] = std::min(best[packed()], seconds);
        ++calls;
    }
};

std::int64_t partsOf(std::int64_t count, std::int64_t part)
{
    return (count + part - 1) / part;
}

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A tile's rows of weights, converted or packed by the first tile that needs them, for the tiles of other tokens. Whoever comes
/// while they are being made does not wait, but makes its own.
struct SharedRows {
    std::byte *memory = nullptr;
    std::atomic<bool> isTaken = false, isReady = false;
};

/// How one product is run: what its tiles read, and how.
struct Plan {
    const Product *product = nullptr;
    const CpuMatrix *matrix = nullptr;
    Shape shape{}; ///< of the whole product
    Choice *choice = nullptr; ///< where there is one
    const void *in = nullptr; ///< float32, or bf16 where the product is
    bool converts = false; ///< the weights' type has no units: a copy of the tile is read, in float32 or, of blocks, in bf16
    std::int64_t firstTile = 0; ///< within the job
    std::int64_t firstShared = -1; ///< of its rows' tiles in SharedRows; −1: they lie as they are read, or are read once
    std::int64_t tileTokens = 0; ///< where they are shared

    std::int64_t rowTiles() const { return partsOf(shape.rows, tileRows); }
    /// A tile of whole tokens at these rows.
    Shape tileShape(std::int64_t row) const
    {
        Shape tile = shape;
        tile.tokens = tileTokens;
        tile.rows = std::min(tileRows, shape.rows - row);
        return tile;
    }
};

/// What a thread runs its tiles with.
struct Lane {
    dnnl::stream stream;
    Scratch prepared, scratchpad, converted, row;
};

std::int64_t tokensPerTile(const MatmulArgs &args)
{
    const std::int64_t columns = args.products.front().matrix->columns;
    std::int64_t tokens = mostTokens, across = 0;
    for (const Product &product : args.products)
        across += partsOf(product.matrix->rows, tileRows);
    const auto cost = [&] { return tokens * tileRows * columns; };
    while (tokens > fewestTokens
           && (cost() > longestTile || (across * partsOf(args.tokens, tokens) < enoughTiles && cost() > shortestTile)))
        tokens /= 2;
    return tokens;
}

} // namespace

struct Gemm::Impl {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    bool bf16Units = hasBf16Units();
    std::map<Shape, Primitive> primitives;
    std::map<std::pair<Shape, bool>, Choice> choices; ///< by shape, and whether weights are converted before they are packed
    Scratch input, shared;
    std::deque<SharedRows> sharedRows; // those of one job
    PerThread<Lane> lanes;

    dnnl::memory memory(const Desc &desc, const void *data) const;
    void makePrimitive(const Shape &shape);
    void makePrimitives(const Plan &plan, std::int64_t tileTokens);
    Plan plan(const MatmulArgs &args, const Product &product);
    void runTogether(const MatmulArgs &args, std::vector<Plan> &plans);
    void runTrial(const MatmulArgs &args, Plan plan);
    void share(std::vector<Plan> &plans, std::int64_t tileTokens);
    void runTile(const Plan &plan, Shape tile, std::int64_t token, std::int64_t row);
    const void *prepare(Lane &lane, const Plan &plan, const Shape &tile, const Primitive &use, std::int64_t row);
    void convertRows(Lane &lane, const CpuMatrix &matrix, std::int64_t row, const Shape &tile, void *to);
    void multiply(Lane &lane, const Shape &shape, const Primitive &use, const void *in, const void *weights, const float *bias,
                  float *out);
    const std::uint16_t *rounded(const MatmulArgs &args);
};

void Gemm::Impl::makePrimitive(const Shape &shape)
{
    if (primitives.contains(shape))
        return;
    const Desc weights = shape.packed ? Desc({shape.columns, shape.rows}, shape.type(), Tag::any) : shape.weights();
    dnnl::primitive_attr attributes;
    dnnl::post_ops after;
    if (shape.scale != 1)
        onednn::appendScale(after, shape.scale);
    if (shape.sum)
        after.append_sum();
    attributes.set_post_ops(after);
    const auto built = onednn::describeMatmul(engine, shape.in(), weights, shape.biasRow(), shape.out(), attributes);
    Primitive result{dnnl::matmul(built), built.weights_desc(), built.scratchpad_desc(), {}, std::nullopt};
    if (result.weights != shape.weights()) {
        dnnl::primitive_attr ours;
        ours.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const dnnl::reorder::primitive_desc copy(engine, shape.weights(), engine, result.weights, ours);
        result.packScratchpad = copy.scratchpad_desc();
        result.pack = dnnl::reorder(copy);
    }
    primitives.emplace(shape, std::move(result));
}

/// Those of whole tiles and of the last ones.
void Gemm::Impl::makePrimitives(const Plan &plan, std::int64_t tileTokens)
{
    Shape shape = plan.shape;
    for (const std::int64_t tokens : {std::min(tileTokens, plan.shape.tokens), plan.shape.tokens % tileTokens})
        for (const std::int64_t rows : {std::min(tileRows, plan.shape.rows), plan.shape.rows % tileRows}) {
            shape.tokens = tokens, shape.rows = rows;
            if (tokens > 0 && rows > 0)
                makePrimitive(shape);
        }
}

dnnl::memory Gemm::Impl::memory(const Desc &desc, const void *data) const
{
    return dnnl::memory(desc, engine, const_cast<void *>(data));
}

/// `weights`: as `use` reads them.
void Gemm::Impl::multiply(Lane &lane, const Shape &shape, const Primitive &use, const void *in, const void *weights,
                          const float *bias, float *out)
{
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, memory(shape.in(), in)},
        {DNNL_ARG_WEIGHTS, memory(use.weights, weights)},
        {DNNL_ARG_DST, memory(shape.out(), out)},
        {DNNL_ARG_SCRATCHPAD, memory(use.scratchpad, lane.scratchpad.get<std::byte>(use.scratchpad.get_size()))}};
    if (bias)
        arguments.emplace(DNNL_ARG_BIAS, memory(shape.biasRow(), bias));
    use.product.execute(lane.stream, arguments);
    lane.stream.wait();
}

/// The weights of a tile's rows, from `row` on, as its product reads them: where they lie, or converted, or packed.
const void *Gemm::Impl::prepare(Lane &lane, const Plan &plan, const Shape &tile, const Primitive &use, std::int64_t row)
{
    const void *stored = plan.matrix->row(row);
    if (!plan.converts && !use.pack)
        return stored;
    SharedRows *rows = plan.firstShared < 0 ? nullptr : &sharedRows[static_cast<std::size_t>(plan.firstShared + row / tileRows)];
    // A last tile of few tokens may want another layout.
    if (rows && (!rows->memory || use.weights != primitives.find(plan.tileShape(row))->second.weights))
        rows = nullptr;
    if (rows && rows->isReady.load(std::memory_order_acquire))
        return rows->memory;
    const bool makes = rows && !rows->isTaken.exchange(true, std::memory_order_relaxed);
    std::byte *prepared = makes ? rows->memory : lane.prepared.get<std::byte>(use.weights.get_size());
    if (plan.converts) {
        const auto bytes = static_cast<std::size_t>(tile.rows * tile.columns * (tile.bf16 ? 2 : 4));
        void *converted = use.pack ? lane.converted.get<std::byte>(bytes) : prepared;
        convertRows(lane, *plan.matrix, row, tile, converted);
        stored = converted;
    }
    if (use.pack) {
        auto *scratchpad = lane.scratchpad.get<std::byte>(use.packScratchpad.get_size());
        use.pack->execute(lane.stream,
                          {{DNNL_ARG_FROM, memory(tile.weights(), stored)},
                           {DNNL_ARG_TO, memory(use.weights, prepared)},
                           {DNNL_ARG_SCRATCHPAD, memory(use.packScratchpad, scratchpad)}});
        lane.stream.wait();
    }
    if (makes)
        rows->isReady.store(true, std::memory_order_release);
    return prepared;
}

/// A tile's rows of weights, from `row` on, in the type that its product reads.
void Gemm::Impl::convertRows(Lane &lane, const CpuMatrix &matrix, std::int64_t row, const Shape &tile, void *to)
{
    const auto columns = static_cast<std::size_t>(tile.columns), rows = static_cast<std::size_t>(tile.rows);
    if (!tile.bf16)
        return matrix.widen(row, tile.rows, static_cast<float *>(to));
    auto *const numbers = lane.row.get<float>(columns); // in the first-level cache
    for (std::size_t r = 0; r < rows; ++r) {
        matrix.widen(row + static_cast<std::int64_t>(r), 1, numbers);
        kernels::fromFloat(DType::BF16, numbers, static_cast<std::uint16_t *>(to) + r * columns, columns);
    }
}

/// `tile`: its tokens and rows, from `token` and `row` on.
void Gemm::Impl::runTile(const Plan &plan, Shape tile, std::int64_t token, std::int64_t row)
{
    onednn::stayOnThisThread();
    Lane &lane = lanes.mine();
    if (!lane.stream)
        lane.stream = dnnl::stream(engine);
    const Product &product = *plan.product;
    const std::int64_t first = token * plan.shape.rows + row, columns = tile.columns;
    float *out = floats(product.out) + first;
    if (product.residual && product.residual != floats(product.out))
        for (std::int64_t t = 0; t < tile.tokens; ++t)
            std::memcpy(out + t * plan.shape.rows, product.residual + first + t * plan.shape.rows,
                        static_cast<std::size_t>(tile.rows) * sizeof(float));
    const Primitive &use = primitives.find(tile)->second;
    const void *weights = prepare(lane, plan, tile, use, row);
    const void *in = static_cast<const std::byte *>(plan.in) + token * columns * (tile.bf16 ? 2 : 4);
    multiply(lane, tile, use, in, weights, product.bias ? product.bias + row : nullptr, out);
}

Plan Gemm::Impl::plan(const MatmulArgs &args, const Product &product)
{
    const auto &matrix = static_cast<const CpuMatrix &>(*product.matrix);
    Plan result;
    result.product = &product;
    result.matrix = &matrix;
    result.shape = {args.tokens,  matrix.rows, matrix.columns,          matrix.rows,
                    false,        false,       product.bias != nullptr, product.residual != nullptr,
                    product.scale};
    result.in = args.in;
    result.shape.bf16 = (matrix.type == DType::BF16 || matrix.type.isQuantised()) && bf16Units;
    result.converts = matrix.type.isQuantised() || (matrix.type != DType::F32 && !result.shape.bf16);
    if (result.shape.bf16 && args.tokens * matrix.rows * matrix.columns >= smallProduct) {
        result.choice = &choices[{result.shape, result.converts}];
        result.shape.packed = result.choice->packed();
    }
    return result;
}

/// Gives memory to the rows' tiles of all plans that are prepared and read by several tiles.
void Gemm::Impl::share(std::vector<Plan> &plans, std::int64_t tileTokens)
{
    std::vector<std::int64_t> offsets;
    std::int64_t end = 0;
    for (Plan &plan : plans) {
        if ((!plan.converts && !plan.shape.packed) || plan.shape.tokens <= tileTokens)
            continue;
        plan.tileTokens = tileTokens;
        plan.firstShared = std::ssize(offsets);
        for (std::int64_t row = 0; row < plan.shape.rows; row += tileRows) {
            const auto bytes = static_cast<std::int64_t>(primitives.find(plan.tileShape(row))->second.weights.get_size());
            const bool fits = end + bytes <= sharedBytes;
            offsets.push_back(fits ? end : -1);
            end += fits ? (bytes + 63) / 64 * 64 : 0;
        }
    }
    auto *base = shared.get<std::byte>(static_cast<std::size_t>(end));
    while (sharedRows.size() < offsets.size())
        sharedRows.emplace_back();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        sharedRows[i].memory = offsets[i] < 0 ? nullptr : base + offsets[i];
        sharedRows[i].isTaken = sharedRows[i].isReady = false;
    }
}

/// The tiles of all plans in one job.
void Gemm::Impl::runTogether(const MatmulArgs &args, std::vector<Plan> &plans)
{
    const std::int64_t tileTokens = tokensPerTile(args), down = partsOf(args.tokens, tileTokens);
    std::int64_t tiles = 0;
    for (Plan &plan : plans) {
        makePrimitives(plan, tileTokens);
        plan.firstTile = tiles;
        tiles += plan.rowTiles() * down;
    }
    share(plans, tileTokens);
    parallelParts(tiles, [&](std::int64_t i) {
        const Plan &plan = *std::prev(
            std::upper_bound(plans.begin(), plans.end(), i, [](std::int64_t at, const Plan &p) { return at < p.firstTile; }));
        // Shared rows are read again when whoever made them is done; others one after another, while they are in a cache.
        const std::int64_t tileIndex = i - plan.firstTile, across = plan.rowTiles();
        const bool shares = plan.firstShared >= 0;
        const std::int64_t token = (shares ? tileIndex / across : tileIndex % down) * tileTokens;
        const std::int64_t row = (shares ? tileIndex % across : tileIndex / down) * tileRows;
        Shape tile = plan.shape;
        tile.tokens = std::min(tileTokens, plan.shape.tokens - token);
        tile.rows = std::min(tileRows, plan.shape.rows - row);
        runTile(plan, tile, token, row);
    });
}

/// By itself, and timed, until it is known how its weights are best read.
void Gemm::Impl::runTrial(const MatmulArgs &args, Plan plan)
{
    plan.shape.packed = plan.choice->packed(); // products of one shape follow one another
    std::vector<Plan> alone = {plan};
    const double start = now();
    runTogether(args, alone);
    plan.choice->record(now() - start);
}

/// The input, rounded to bf16 once for all products.
const std::uint16_t *Gemm::Impl::rounded(const MatmulArgs &args)
{
    const std::int64_t columns = args.products.front().matrix->columns;
    auto *brains = input.get<std::uint16_t>(static_cast<std::size_t>(args.tokens * columns));
    parallelFor(args.tokens, rowsPerPart(columns), [&](std::int64_t begin, std::int64_t end) {
        kernels::fromFloat(DType::BF16, floats(args.in) + begin * columns, brains + begin * columns,
                           static_cast<std::size_t>((end - begin) * columns));
    });
    return brains;
}

Gemm::Gemm()
    : m_impl(std::make_unique<Impl>())
{ }
Gemm::~Gemm() = default;

void Gemm::run(const MatmulArgs &args)
{
    onednn::stayOnThisThread();
    if (m_impl->primitives.size() >= 512) // odd last chunks come and go
        m_impl->primitives.clear();
    if (m_impl->choices.size() >= 4096)
        m_impl->choices.clear();
    std::vector<Plan> together, trials;
    for (const Product &product : args.products) {
        const Plan plan = m_impl->plan(args, product);
        (plan.choice && !plan.choice->isMade() ? trials : together).push_back(plan);
    }
    const auto isBf16 = [](const Plan &plan) { return plan.shape.bf16; };
    if (std::any_of(together.begin(), together.end(), isBf16) || std::any_of(trials.begin(), trials.end(), isBf16)) {
        const std::uint16_t *brains = m_impl->rounded(args);
        for (std::vector<Plan> *plans : {&together, &trials})
            for (Plan &plan : *plans)
                if (plan.shape.bf16)
                    plan.in = brains;
    }
    if (!together.empty())
        m_impl->runTogether(args, together);
    for (const Plan &plan : trials)
        m_impl->runTrial(args, plan);
}

} // namespace zigzag
