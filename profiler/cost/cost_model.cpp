// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/cost_model.h"

#include "engine/map/kv_layout.h"
#include "profiler/cost/tensor_parallel.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>

namespace zigzag {
namespace {

constexpr std::int64_t usualChunk = 512;

/// Σ over a prefill's passes of the keys that a pass sees: what each of them reads of one KV head's cache.
double keysRead(const HeadPattern &pattern, std::int64_t context, std::int64_t chunk)
{
    const std::int64_t full = context / chunk, rest = context % chunk, window = pattern.sink() + pattern.recent();
    // Pass i ends at i · chunk; what a head sees grows until it is wider than its window.
    const std::int64_t growing = std::min(full, (window + chunk - 1) / chunk);
    const double grown = 0.5 * static_cast<double>(chunk) * static_cast<double>(growing) * static_cast<double>(growing + 1);
    const double steady = static_cast<double>(full - growing) * static_cast<double>(window + chunk - 1);
    return grown + steady + (rest > 0 ? static_cast<double>(pattern.keysOf(context - rest, rest)) : 0.0);
}

/// Calibration measures heads that keep everything and heads with a window, and the tables are of these two.
std::size_t tableOf(const HeadPattern &pattern)
{
    return static_cast<std::size_t>(pattern.keepsEverything() ? HeadKind::Retrieval : HeadKind::Streaming);
}

bool isPerHead(Op op)
{
    return op == Op::Attention || op == Op::RopeAppend || op == Op::Commit;
}

} // namespace

/// Biases apart, which cost nothing that is measured.
bool sameCosts(const ModelConfig &a, const ModelConfig &b)
{
    const auto shape = [](const ModelConfig &c) {
        return std::tuple(c.layers, c.hiddenSize, c.queryHeads, c.kvHeads, c.headDim, c.vocabulary, c.expertsPerToken, c.dtype,
                          c.kvType, c.embeddingType(), c.headType());
    };
    const auto weights = [](const ModelConfig &c, int layer) {
        std::vector<std::tuple<WeightId, std::int64_t, std::int64_t, int, WeightType>> list;
        const LayerPlan plan = layerPlan(c, layer);
        for (const WeightSpec &each : plan.weights())
            if (each.role != TensorRole::Bias)
                list.emplace_back(each.id, each.rows, each.columns, each.count, each.type);
        return list;
    };
    if (shape(a) != shape(b))
        return false;
    for (int layer = 0; layer < a.layers; ++layer)
        if (weights(a, layer) != weights(b, layer))
            return false;
    return true;
}

bool staysInCache(const ModelConfig &config, const MachineProfile &machine)
{
    return machine.keeps(static_cast<double>(config.weightBytesReadPerToken()));
}

double uncachedShare(double bytesOfStep, const MachineProfile &machine)
{
    if (machine.lastLevelCacheBytes <= 0)
        return 1;
    const double half = 0.5 * static_cast<double>(machine.lastLevelCacheBytes);
    return std::clamp((bytesOfStep - half) / half, 0.0, 1.0);
}

double latencyKeys(std::int64_t keys)
{
    constexpr std::int64_t enoughForAll = 1024; // of an H100's 132 processors, measured
    return static_cast<double>(std::min(keys, enoughForAll));
}

void CostModel::describeLayers()
{
    m_layerOps.assign(static_cast<std::size_t>(m_config.layers), {});
    m_dealt.reset();
    for (const Op op : {Op::Logits, Op::NextToken, Op::Commit, Op::CopyHeads})
        m_dealt.set(static_cast<std::size_t>(op));
    for (int layer = 0; layer < m_config.layers; ++layer) {
        auto &ops = m_layerOps[static_cast<std::size_t>(layer)];
        ops.set(static_cast<std::size_t>(Op::Commit));
        ops.set(static_cast<std::size_t>(Op::CopyHeads));
        const LayerPlan plan = layerPlan(m_config, layer);
        for (const OpPlan &op : plan.ops()) {
            ops.set(static_cast<std::size_t>(op.op));
            // What has weights and all of them whole on every rank, as norms have, each rank computes.
            const auto weights = plan.weightsOf(op);
            const bool isShared = std::all_of(weights.begin(), weights.end(),
                                              [](const WeightSpec &weight) { return weight.shard == ShardAxis::Whole; });
            m_dealt.set(static_cast<std::size_t>(op.op), weights.empty() || !isShared);
        }
    }
    m_weightBytes = static_cast<double>(m_config.weightBytesReadPerToken());
}

const LinkSamples *Link::samplesFor(int gpus) const
{
    if (isGiven)
        return nullptr;
    const LinkSamples *nearest = nullptr;
    for (const LinkSamples &each : measured)
        if (each.sums.size() > 1 && (!nearest || std::abs(each.gpus - gpus) < std::abs(nearest->gpus - gpus)))
            nearest = &each;
    return nearest;
}

double Link::sumUs(double bytes, int gpus) const
{
    const LinkSamples *samples = samplesFor(gpus);
    if (!samples)
        return latencyUs + 1e6 * bytes * 2 * (gpus - 1) / gpus / bytesPerSecond;
    const std::vector<LinkSample> &sums = samples->sums;
    // Of another number of GPUs the same passes between each two: what goes over a link grows with (n − 1) / n.
    const double travels = (1.0 - 1.0 / gpus) / (1.0 - 1.0 / samples->gpus), at = bytes * travels;
    if (at <= static_cast<double>(sums.front().bytes))
        return sums.front().us;
    std::size_t above = 1;
    while (above + 1 < sums.size() && static_cast<double>(sums[above].bytes) < at)
        ++above;
    const LinkSample &low = sums[above - 1], &high = sums[above]; // beyond the largest: as between the last two
    const double usPerByte = std::max(0.0, high.us - low.us) / static_cast<double>(high.bytes - low.bytes);
    return low.us + usPerByte * (at - static_cast<double>(low.bytes));
}

double Link::rate(int gpus) const
{
    const LinkSamples *samples = samplesFor(gpus);
    if (!samples || samples->sums.back().us <= 0)
        return bytesPerSecond;
    return 1e6 * static_cast<double>(samples->sums.back().bytes) * 2 * (1 - 1.0 / samples->gpus) / samples->sums.back().us;
}

std::string Link::source(int gpus) const
{
    const LinkSamples *samples = samplesFor(gpus);
    if (!samples)
        return isGiven ? "given" : "assumed";
    return samples->gpus == gpus ? "measured" : fmt::format("measured with {}", samples->gpus);
}

std::string Link::told(int gpus) const
{
    const LinkSamples *samples = samplesFor(gpus);
    if (!samples)
        return fmt::format("link {} at {:.0f} GB/s and {:g} µs an all-reduce", source(gpus), bytesPerSecond / 1e9, latencyUs);
    return fmt::format("link measured between {}: {:.0f} µs an all-reduce of {} bytes, {:.0f} µs of {}{}", samples->between,
                       samples->sums.front().us, samples->sums.front().bytes, samples->sums.back().us, samples->sums.back().bytes,
                       samples->gpus == gpus ? std::string() : fmt::format(", and taken for {} GPUs", gpus));
}

std::vector<CostModel::Passes> CostModel::passesOf(const Workload &work) const
{
    if (work.phase == Phase::Decode)
        return {{static_cast<double>(work.batch), 1}};
    const std::int64_t chunk = m_machine.prefillChunk > 0 ? m_machine.prefillChunk : usualChunk;
    std::vector<Passes> passes;
    if (const std::int64_t whole = work.context / chunk; whole > 0)
        passes.push_back({static_cast<double>(chunk), static_cast<double>(whole) * work.batch});
    if (work.context % chunk > 0)
        passes.push_back({static_cast<double>(work.context % chunk), static_cast<double>(work.batch)});
    return passes;
}

Features CostModel::attentionFeatures(const HeadPattern &pattern, const HeadMap &map, const Workload &work) const
{
    const double perKey = 2.0 * m_config.headDim * static_cast<double>(bytesOf(m_config.kvType)) * m_config.kvHeads * work.batch;
    if (work.phase == Phase::Decode) {
        const std::int64_t keys = pattern.slots(work.context);
        const double bytes = perKey * static_cast<double>(keys);
        const double step = m_weightBytes + work.batch * static_cast<double>(kvBytes(map, work.context, m_config.kvType));
        return {1, static_cast<double>(work.batch), bytes * uncachedShare(step / work.gpus, m_machine), bytes, latencyKeys(keys)};
    }
    const std::int64_t chunk = m_machine.prefillChunk > 0 ? m_machine.prefillChunk : usualChunk;
    const std::int64_t chunks = (work.context + chunk - 1) / chunk;
    const double passes = static_cast<double>(chunks) * work.batch;
    const double pairs = static_cast<double>(pattern.pairs(work.context)) * work.batch;
    return {passes, static_cast<double>(work.context) * work.batch, 4.0 * m_config.headDim * m_config.queryHeads * pairs,
            perKey * keysRead(pattern, work.context, chunk)};
}

double CostModel::opUs(Op op, const HeadPattern &pattern, const HeadMap &map, const Workload &work,
                       const std::vector<Passes> &passes) const
{
    const auto phase = static_cast<std::size_t>(work.phase), of = tableOf(pattern);
    double us = 0, calls = 0;
    if (op == Op::Attention) {
        const Features features = attentionFeatures(pattern, map, work);
        us = dot(m_attention[phase][of], features);
        calls = features[0];
    } else if (const RowTable &table = m_tables[phase][of][static_cast<std::size_t>(op)]; !table.isEmpty()) {
        // A prefill wants the logits of its last token alone.
        if ((op == Op::FinalNorm || op == Op::Logits) && work.phase == Phase::Prefill) {
            us = table.at(1) * work.batch;
            calls = work.batch;
        } else {
            for (const Passes &pass : passes) {
                us += pass.count * table.at(pass.rows);
                calls += pass.count;
            }
        }
    }
    return levelled(us, calls, work.phase);
}

double CostModel::attentionLaunchUs(const HeadPattern &pattern, const HeadMap &map, const Workload &work) const
{
    const Features all = attentionFeatures(pattern, map, work);
    const Features ofCalls = {all[0], 0, 0, 0, all[4]};
    const auto phase = static_cast<std::size_t>(work.phase), of = tableOf(pattern);
    return levelled(dot(m_attention[phase][of], ofCalls), all[0], work.phase);
}

double CostModel::levelled(double us, double calls, Phase phase) const
{
    const Level &level = m_level[static_cast<std::size_t>(phase)];
    return level.scale * std::max(0.0, us - calls * level.spanUs);
}

double CostModel::launchesUs(const Workload &work, const std::vector<Passes> &passes) const
{
    double us = 0;
    for (const Passes &pass : passes)
        us += levelled(pass.count * m_launchUs, pass.count, work.phase);
    return us;
}

CostModel::HeadCosts CostModel::headCosts(const HeadMap &map, StreamingWindow window, const Workload &work,
                                          const std::vector<Passes> &passes) const
{
    const double launches = launchesUs(work, passes);
    HeadCosts costs;
    for (std::size_t i = 0; i < opNames.size(); ++i) {
        const Op op = static_cast<Op>(i);
        if (!isPerHead(op))
            continue;
        PerKind us{};
        double launch = std::numeric_limits<double>::infinity(); // nothing where one kind of layer has no such op
        for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
            const HeadPattern pattern = patternOf(kind, window);
            const auto of = static_cast<std::size_t>(kind);
            us[of] = opUs(op, pattern, map, work, passes);
            launch = std::min({launch, us[of], op == Op::Attention ? attentionLaunchUs(pattern, map, work) : launches});
        }
        costs.launchUs += launch;
        for (std::size_t kind = 0; kind < us.size(); ++kind)
            costs.us[kind] += (us[kind] - launch) / map.kvHeads();
    }
    return costs;
}

Estimate CostModel::estimate(const HeadMap &map, const Workload &work) const
{
    assert(map.kvHeads() == m_config.kvHeads);
    Estimate estimate;
    estimate.kvBytes = work.batch * kvBytes(map, work.context, m_config.kvType);
    estimate.layerMs.resize(static_cast<std::size_t>(map.layers()));
    const std::vector<Passes> passes = passesOf(work);
    const int gpus = std::max(1, work.gpus), heads = map.kvHeads();
    const double launches = launchesUs(work, passes);
    // Of an op that is dealt out, a rank has its launch and its part of the rest.
    const auto dealt = [&](Op op, double us, double share) {
        return m_dealt[static_cast<std::size_t>(op)] && share < 1 ? std::min(us, launches) + std::max(0.0, us - launches) * share
                                                                  : us;
    };

    // A layer is its ops, and what each head adds by its kind and the layer's window.
    std::array<double, opNames.size()> layerUs{};
    double outsideUs = 0;
    for (std::size_t i = 0; i < opNames.size(); ++i) {
        const Op op = static_cast<Op>(i);
        if (isPerHead(op))
            continue;
        const double us = dealt(op, opUs(op, HeadPattern::full(), map, work, passes), 1.0 / gpus);
        (isInLayer(op) ? layerUs[i] : outsideUs) += us;
    }
    std::map<StreamingWindow, HeadCosts> byWindow; // most maps have one

    double allReduceUs = 0;
    if (gpus > 1) { // after the output projection and after the feed-forward block of every layer; the logits are gathered
        for (const Passes &pass : passes) {
            // Parts of a few tokens travel in float32, those of a chunk as activations (layer_ops.cpp); experts' always in
            // float32.
            constexpr double fewRows = 64, whole = 4;
            const double number = pass.rows <= fewRows ? whole : static_cast<double>(bytesOf(m_config.dtype));
            const double numbers = pass.rows * m_config.hiddenSize;
            allReduceUs += pass.count
                * (link.sumUs(numbers * number, gpus) + link.sumUs(numbers * (m_config.experts > 0 ? whole : number), gpus));
        }
    }

    std::vector<std::int64_t> rankBytes(static_cast<std::size_t>(gpus));
    const std::int64_t bytesPerSlot = 2 * std::int64_t{m_config.headDim} * bytesOf(m_config.kvType);
    estimate.ms = outsideUs / 1e3;
    for (int layer = 0; layer < map.layers(); ++layer) {
        const auto [found, isNew] = byWindow.try_emplace(map.window(layer));
        if (isNew)
            found->second = headCosts(map, map.window(layer), work, passes);
        const HeadCosts &costs = found->second;
        struct OfKind {
            double us;
            std::int64_t bytes;
        };
        std::array<std::optional<OfKind>, 2> ofKind; // a layer's heads of one kind are alike, and there may be many
        // KV heads are dealt in consecutive blocks; a layer is done when its slowest rank is.
        double slowest = 0;
        for (int rank = 0; rank < gpus; ++rank) {
            double us = 0;
            const HeadRange held = headsOfRank(heads, gpus, rank);
            for (int head = held.first; head < held.end; ++head) {
                std::optional<OfKind> &kind = ofKind[map.at(layer, head) == HeadKind::Streaming];
                if (!kind) {
                    const HeadPattern pattern = map.pattern(layer, head);
                    kind = {costs.us[tableOf(pattern)], work.batch * bytesPerSlot * pattern.slots(work.context)};
                }
                us += kind->us;
                rankBytes[static_cast<std::size_t>(rank)] += kind->bytes;
            }
            slowest = std::max(slowest, us);
        }
        double opsUs = 0;
        for (std::size_t i = 0; i < opNames.size(); ++i)
            opsUs += runs(layer, static_cast<Op>(i)) ? layerUs[i] : 0;
        const double ms = (opsUs + costs.launchUs + slowest + allReduceUs) / 1e3;
        estimate.layerMs[static_cast<std::size_t>(layer)] = ms;
        estimate.ms += ms;
    }
    estimate.allReduceMs = map.layers() * allReduceUs / 1e3;
    estimate.kvBytesOfRank = *std::max_element(rankBytes.begin(), rankBytes.end());
    return estimate;
}

std::string whyUnreliable(const CostModel &cost)
{
    if (!cost.isFitted() || cost.isReliable())
        return {};
    const std::string fit = fmt::format("the fit is {:.0f} % off its own passes (median)", 100 * cost.medianFitError());
    return fmt::format(
        "other programs disturbed the machine during its calibration: {}; predictions may be far off; calibrate it again when "
        "nothing else runs",
        2 * cost.disturbed() > cost.samples()
            ? fmt::format("other programs slowed {} of {} samples, and {}", cost.disturbed(), cost.samples(), fit)
            : fit);
}

std::vector<OpEstimate> CostModel::breakdown(const HeadMap &map, const Workload &work) const
{
    const std::vector<Passes> passes = passesOf(work);
    using OpTimes = std::array<double, opNames.size()>;
    const auto timesOf = [&](const HeadPattern &pattern) {
        OpTimes us{};
        for (std::size_t i = 0; i < us.size(); ++i)
            us[i] = opUs(static_cast<Op>(i), pattern, map, work, passes);
        return us;
    };
    const OpTimes full = timesOf(HeadPattern::full());
    std::map<StreamingWindow, OpTimes> byWindow;
    std::vector<OpEstimate> out;
    const auto add = [&](std::size_t op, int layer, double value) {
        if (value > 0)
            out.push_back({static_cast<Op>(op), layer, value / 1e3});
    };
    for (int layer = 0; layer < map.layers(); ++layer) {
        const auto [found, isNew] = byWindow.try_emplace(map.window(layer));
        if (isNew)
            found->second = timesOf(patternOf(HeadKind::Streaming, map.window(layer)));
        const OpTimes &windowed = found->second;
        int streaming = 0;
        for (const HeadPattern &pattern : map.patterns(layer))
            streaming += !pattern.keepsEverything();
        const double share = static_cast<double>(streaming) / map.kvHeads();
        for (std::size_t i = 0; i < opNames.size(); ++i)
            if (isInLayer(static_cast<Op>(i)) && runs(layer, static_cast<Op>(i)))
                add(i, layer, isPerHead(static_cast<Op>(i)) ? (1 - share) * full[i] + share * windowed[i] : full[i]);
    }
    for (std::size_t i = 0; i < opNames.size(); ++i)
        if (!isInLayer(static_cast<Op>(i)))
            add(i, -1, full[i]);
    return out;
}

} // namespace zigzag
