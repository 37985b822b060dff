// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/transformer.h"

#include "engine/run/collective.h"
#include "engine/run/finite.h"
#include "engine/run/layer_ops.h"
#include "engine/run/optional_buffer.h"
#include "engine/run/rank_group.h"

#include <algorithm>
#include <numeric>

namespace zigzag {

Transformer::Transformer(const DeviceModel &model, const KvLayout &layout, const KvCache &cache, Workspace &workspace,
                         const SessionOptions &options)
    : m_model(model)
    , m_layout(layout)
    , m_cache(cache)
    , m_work(workspace)
    , m_backend(*model.backend)
    , m_config(model.config())
    , m_type(m_backend.activationType(m_config.dtype))
    , m_mixed(options.mixed)
    , m_rows(options.batch)
    , m_allHeads(static_cast<std::size_t>(m_config.kvHeads))
    , m_retrieval(static_cast<std::size_t>(m_config.layers))
    , m_streaming(static_cast<std::size_t>(m_config.layers))
{
    std::iota(m_allHeads.begin(), m_allHeads.end(), 0);
    for (int layer = 0; layer < m_config.layers; ++layer) {
        m_kinds.push_back(layout.map().layerKind(layer));
        for (int head : m_allHeads) {
            const bool all = layout.map().pattern(layer, head).keepsEverything();
            (all ? m_retrieval : m_streaming)[static_cast<std::size_t>(layer)].push_back(head);
        }
    }
}

bool Transformer::isCancelled() const
{
    if (const RankMember &member = m_model.member)
        return member.group->stops(member.rank, cancel);
    return cancel && cancel->load(std::memory_order_relaxed);
}

SpanInfo Transformer::spanOf(Op op, int layer) const
{
    SpanInfo span = m_pass;
    span.op = op;
    span.layer = layer;
    if (layer >= 0)
        span.kind = m_kinds[static_cast<std::size_t>(layer)];
    return span;
}

Result<void> Transformer::prefill(std::span<const int> tokens, std::int64_t firstPosition, int sequence)
{
    m_pass = {.tokens = std::ssize(tokens), .firstPosition = firstPosition};
    m_backend.upload(*m_work.tokens, 0, tokens.data(), tokens.size_bytes());
    ZIGZAG_CHECK(forward({std::ssize(tokens), firstPosition, {.first = sequence, .cacheStride = m_cache.sequenceBytes()}}));
    if (observer)
        ZIGZAG_CHECK(checkStates(std::ssize(tokens)));
    return m_backend.synchronize();
}

Result<void> Transformer::forward(const Pass &pass)
{
    {
        const Span span(sink, spanOf(Op::Embed));
        m_backend.embed({m_work.tokens->as<std::int32_t>(), pass.tokens, m_model.embedding.get(), m_work.residual->as<float>(),
                         m_config.embeddingFactor()});
    }
    for (int layer = 0; layer < m_config.layers; ++layer)
        ZIGZAG_CHECK(runLayer(layer, pass));
    if (isCancelled())
        return cancelled();
    return {};
}

void Transformer::setNext(std::span<const std::int32_t> tokens, std::span<const std::int32_t> positions)
{
    m_backend.upload(*m_work.tokens, 0, tokens.data(), tokens.size_bytes());
    m_backend.upload(*m_work.positions, 0, positions.data(), positions.size_bytes());
    m_nextPosition = *std::max_element(positions.begin(), positions.end());
    if (const auto rows = static_cast<int>(tokens.size()); rows != m_rows) {
        m_rows = rows;
        m_recording.reset(); // which was of another number of sequences
        m_steps = 0;
    }
}

Result<void> Transformer::step()
{
    if (isCancelled())
        return cancelled();
    if (observer || (sink && !tracesReplays))
        return decode();
    // The first step is run as it is: libraries load and choose their kernels then.
    if (!m_recording && m_steps == 1) {
        const std::int64_t position = m_nextPosition;
        Result<void> whole;
        m_recording = m_backend.record([&] { whole = decode(); });
        m_nextPosition = position; // nothing has run
        if (!whole) { // a part of a step, which must not be replayed
            m_recording.reset();
            return whole;
        }
    }
    m_steps = std::min(m_steps + 1, 2);
    if (!m_recording)
        return decode();
    m_pass = {.tokens = 1, .firstPosition = m_nextPosition++, .batch = m_rows};
    const Span whole(sink, m_pass);
    m_recording->replay();
    return {};
}

Result<void> Transformer::decode()
{
    auto *positions = m_work.positions->as<std::int32_t>();
    m_pass = {.tokens = 1, .firstPosition = m_nextPosition++, .batch = m_rows};
    const Span whole(sink, m_pass);
    ZIGZAG_CHECK(forward({m_rows, m_layout.context() - 1, {0, m_rows, m_cache.sequenceBytes(), positions}}));
    headLogits(0, m_rows);
    const Span span(sink, spanOf(Op::NextToken));
    m_backend.nextToken({.logits = m_work.logits->as<float>(),
                         .rows = m_rows,
                         .vocabulary = m_config.vocabulary,
                         .tokens = m_work.tokens->as<std::int32_t>(),
                         .positions = positions,
                         .history = m_work.history->as<std::int32_t>(),
                         .context = m_layout.context()});
    return {};
}

Result<void> Transformer::stepLogits(std::vector<float> &out)
{
    return takeLogits(m_rows, out);
}

Result<void> Transformer::takeLogits(std::int64_t rows, std::vector<float> &out)
{
    const std::size_t before = out.size();
    out.resize(before + static_cast<std::size_t>(rows * m_config.vocabulary));
    const auto taken = std::span(out).subspan(before);
    m_backend.download(taken.data(), m_work.logits->data(), taken.size_bytes());
    ZIGZAG_CHECK(m_backend.synchronize()); // behind the download, whose failure it tells as well
    return checkFinite(taken, *m_model.model, "logits");
}

/// What was observed of a pass counts only if every hidden state behind its layers is a number.
Result<void> Transformer::checkStates(std::int64_t rows)
{
    std::vector<float> states(static_cast<std::size_t>(rows * m_config.hiddenSize));
    m_backend.download(states.data(), m_work.residual->data(), states.size() * sizeof(float));
    ZIGZAG_CHECK(m_backend.synchronize());
    return checkFinite(states, *m_model.model, "hidden states");
}

Result<void> Transformer::runLayer(int layer, const Pass &pass)
{
    const DeviceLayer &weights = m_model.layers[static_cast<std::size_t>(layer)];
    auto *residual = m_work.residual->as<float>();
    const LayerArgs run{.tokens = pass.tokens,
                        .firstPosition = pass.firstPosition,
                        .in = residual,
                        .out = residual,
                        .normed = m_work.normed->data(),
                        .queries = m_work.queries->data(),
                        .attended = m_work.attended->data(),
                        .keys = m_work.keys->data(),
                        .values = m_work.values->data(),
                        .gate = dataOrNull(m_work.gate),
                        .up = dataOrNull(m_work.up),
                        .routes = orNull(m_work.routes),
                        .added = orNull(m_work.added),
                        .rotation = m_work.rotations.ofLayer(m_config, layer),
                        .queryScales = m_work.rotations.queryScales(),
                        .heads = m_cache.heads(layer, pass.isStaged()),
                        .cacheType = m_layout.type(),
                        .rows = pass.rows,
                        .collective = m_model.member.collective(),
                        .part = orNull(m_work.part),
                        .width = {.queryWidths = m_model.member.queryWidths,
                                  .keyWidths = m_model.member.keyWidths,
                                  .rank = m_model.member.rank,
                                  .parts = orNull(m_work.widthParts),
                                  .whole = orNull(m_work.widthWhole),
                                  .normed = dataOrNull(m_work.widthNormed)}};
    for (const OpPlan &op : weights.plan.ops()) {
        // On a few cores, one layer of a large model's chunk takes seconds.
        if (isCancelled())
            return cancelled();
        const Span span(sink, spanOf(op.op, layer));
        if (op.op == Op::Attention)
            ZIGZAG_CHECK(attention(layer, pass));
        else
            runLayerOp(m_backend, m_config, weights, op, run);
    }
    return {};
}

Result<void> Transformer::attention(int layer, const Pass &pass)
{
    const std::span<const HeadCache> heads = m_cache.heads(layer, pass.isStaged());
    AttentionArgs args{.queries = m_work.queries->data(),
                       .out = m_work.attended->data(),
                       .heads = heads,
                       .selected = m_allHeads,
                       .tokens = pass.tokens,
                       .firstPosition = pass.firstPosition,
                       .queryHeads = m_config.queryHeads,
                       .kvHeads = m_config.kvHeads,
                       .headDim = m_config.headDim,
                       .scale = static_cast<float>(m_config.scoreScale),
                       .sinkLogits = m_model.layers[static_cast<std::size_t>(layer)].vector(WeightId::SinkLogits),
                       .softCap = static_cast<float>(m_config.scoreCap),
                       .type = m_type,
                       .cacheType = m_layout.type(),
                       .scales = m_model.layers[static_cast<std::size_t>(layer)].kvScales(m_layout.type()),
                       .strongestKey = observer ? m_work.strongest->as<std::int32_t>() : nullptr,
                       .rows = pass.rows};
    const std::vector<int> &retrieval = m_retrieval[static_cast<std::size_t>(layer)];
    const std::vector<int> &streaming = m_streaming[static_cast<std::size_t>(layer)];
    const bool isMixed = !retrieval.empty() && !streaming.empty();
    // Copies carry no strongest keys along, nor sink logits: such a layer is run as one call, to the same result.
    const bool carriesAlong = observer || args.sinkLogits;
    if (!isMixed || m_mixed == MixedMode::Fused || (carriesAlong && m_mixed == MixedMode::Reference)) {
        m_backend.attention(args);
    } else if (m_mixed == MixedMode::TwoLaunch) {
        for (const auto *kind : {&retrieval, &streaming}) {
            args.selected = *kind;
            m_backend.attention(args);
        }
    } else {
        attentionByCopies(args, layer, retrieval);
        attentionByCopies(args, layer, streaming);
    }
    if (!streaming.empty() && pass.isStaged()) {
        const Span span(sink, spanOf(Op::Commit, layer));
        m_backend.commit({heads, pass.tokens, pass.firstPosition, m_config.headDim, m_layout.type(), pass.rows});
    }
    if (observer) {
        std::vector<std::int32_t> strongest(static_cast<std::size_t>(pass.tokens * m_config.queryHeads));
        m_backend.download(strongest.data(), args.strongestKey, strongest.size() * sizeof(std::int32_t));
        ZIGZAG_CHECK(m_backend.synchronize()); // nobody hears of what a device that failed has left
        observer(layer, strongest);
    }
    return {};
}

/// One half of a mixed layer as DuoAttention's code runs it: its queries gathered, attention over dense heads, its
/// outputs put back between the others'.
void Transformer::attentionByCopies(const AttentionArgs &whole, int layer, std::span<const int> kvHeads)
{
    std::vector<int> queryHeads;
    std::vector<HeadCache> heads;
    for (int head : kvHeads) {
        heads.push_back(whole.heads[static_cast<std::size_t>(head)]);
        for (int i = 0; i < m_config.group(); ++i)
            queryHeads.push_back(head * m_config.group() + i);
    }
    const auto part = static_cast<int>(queryHeads.size());
    void *gathered = m_work.gathered->data();
    void *out = m_work.gatheredOut->data();
    {
        const Span span(sink, spanOf(Op::CopyHeads, layer));
        m_backend.copyHeads(
            {whole.queries, gathered, queryHeads, whole.tokens, whole.queryHeads, part, whole.headDim, false, m_type});
    }
    AttentionArgs args = whole;
    args.queries = gathered;
    args.out = out;
    args.heads = heads;
    args.selected = std::span(m_allHeads).first(heads.size());
    args.queryHeads = part;
    args.kvHeads = static_cast<int>(heads.size());
    args.strongestKey = nullptr;
    m_backend.attention(args);
    const Span span(sink, spanOf(Op::CopyHeads, layer));
    m_backend.copyHeads({out, whole.out, queryHeads, whole.tokens, part, whole.queryHeads, whole.headDim, true, m_type});
}

Result<void> Transformer::logits(std::int64_t first, std::int64_t count, std::vector<float> &out)
{
    for (std::int64_t done = 0; done < count; done += Workspace::logitsRows) {
        const std::int64_t rows = std::min(Workspace::logitsRows, count - done);
        headLogits(first + done, rows);
        ZIGZAG_CHECK(takeLogits(rows, out));
    }
    return {};
}

void Transformer::headLogits(std::int64_t first, std::int64_t rows)
{
    void *normed = m_work.normed->data();
    SpanInfo info = m_pass;
    if (info.tokens > 1) { // of a chunk's rows these alone; of decode one of each sequence
        info.tokens = rows;
        info.firstPosition += first;
    }
    {
        info.op = Op::FinalNorm;
        const Span span(sink, info);
        m_backend.rmsNorm({m_work.residual->as<float>() + first * m_config.hiddenSize, m_model.finalNorm->as<float>(), normed,
                           rows, m_config.hiddenSize, static_cast<float>(m_config.normEpsilon), m_type});
    }
    {
        info.op = Op::Logits;
        const Span span(sink, info);
        Collective *const collective = m_model.member.collective(); // each rank has some tokens' logits
        const Product product{.matrix = &m_model.head(),
                              .out = collective ? m_work.headPart->data() : m_work.logits->data(),
                              .floatOut = true,
                              .scale = static_cast<float>(m_config.logitScale)};
        m_backend.matmul({normed, rows, {&product, 1}});
        if (collective)
            collective->gather({m_work.headPart->as<float>(), m_work.logits->as<float>(), rows, m_model.member.headWidths});
        if (m_config.logitCap > 0)
            m_backend.softCap({m_work.logits->as<float>(), rows * m_config.vocabulary, static_cast<float>(m_config.logitCap)});
    }
}

} // namespace zigzag
