// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/activations.h"
#include "engine/cpu/attention.h"
#include "engine/cpu/kernels.h"
#include "engine/run/key_runs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace zigzag {

namespace {

constexpr std::int64_t splitKeys = 512; ///< keys of one unit of work; fixed, so that a result does not depend on the threads
constexpr std::int64_t stepKeys = 128; ///< keys of one step of the online softmax: they stay in the first-level cache

/// A unit of work: visible keys of one KV head that lie one after another.
struct Split {
    int head = 0;
    std::int64_t row = 0, position = 0, count = 0;
};

std::vector<Split> planSplits(const AttentionArgs &args)
{
    std::vector<Split> splits;
    for (const int head : args.selected) {
        const HeadCache &cache = args.heads[static_cast<std::size_t>(head)];
        assert(!cache.stagedKeys);
        const KeyRange range = cache.pattern.visibleKeys(args.firstPosition);
        for (const KeyRun &run : keyRuns(cache.slots, false, cache.pattern.sink(), args.firstPosition, 1)) {
            const auto addVisible = [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t at = std::max(begin, run.begin); at < std::min(end, run.end); at += splitKeys)
                    splits.push_back({head, run.row + at - run.begin, at, std::min({splitKeys, end - at, run.end - at})});
            };
            addVisible(0, range.sinkEnd);
            addVisible(range.windowBegin, range.windowEnd);
        }
    }
    return splits;
}

/// The softmax state of one query head over one split.
struct State {
    float max = -std::numeric_limits<float>::infinity();
    float sum = 0;
    float best = -std::numeric_limits<float>::infinity();
    std::int32_t position = 0;
};

/// `queries`, `out`: [group, dim]; `queries` are scaled already.
void attendSplit(const AttentionArgs &args, const Split &split, const float *queries, float *scores, State *states, float *out)
{
    const auto dim = static_cast<std::size_t>(args.headDim);
    const auto group = static_cast<std::size_t>(args.queryHeads / args.kvHeads);
    const HeadCache &cache = args.heads[static_cast<std::size_t>(split.head)];
    const std::int64_t rowBytes = args.headDim * bytesOf(args.cacheType);
    const auto *keys = static_cast<const std::byte *>(cache.keys) + split.row * rowBytes;
    const auto *values = static_cast<const std::byte *>(cache.values) + split.row * rowBytes;
    std::fill_n(out, group * dim, 0.0f);
    std::fill_n(states, group, State());
    float *shrink = scores + group * stepKeys;
    for (std::int64_t done = 0; done < split.count; done += stepKeys) {
        const auto count = static_cast<std::size_t>(std::min(stepKeys, split.count - done));
        kernels::dotRows(args.cacheType, keys + done * rowBytes, count, dim, queries, dim, group, scores, stepKeys);
        for (std::size_t g = 0; g < group; ++g) {
            float *row = scores + g * stepKeys;
            if (args.softCap > 0)
                kernels::softCapRow(row, count, args.softCap);
            State &state = states[g];
            const float largest = kernels::maxRow(row, count);
            if (args.strongestKey && largest > state.best) {
                state.best = largest;
                state.position = static_cast<std::int32_t>(split.position + done + (std::find(row, row + count, largest) - row));
            }
            const float max = std::max(state.max, largest);
            shrink[g] = std::exp(state.max - max);
            state.sum = state.sum * shrink[g] + kernels::expRow(row, count, max);
            state.max = max;
        }
        kernels::accumulateValues(args.cacheType, values + done * rowBytes, count, dim, scores, stepKeys, group, shrink, out);
    }
}

/// Joins the states of one query head, in ascending order of position.
void merge(const AttentionArgs &args, int queryHead, std::span<const State *const> states, std::span<const float *const> partials)
{
    const auto dim = static_cast<std::size_t>(args.headDim);
    State joined;
    for (const State *state : states) {
        joined.max = std::max(joined.max, state->max);
        if (state->best > joined.best) {
            joined.best = state->best;
            joined.position = state->position;
        }
    }
    for (const State *state : states)
        joined.sum += state->sum * std::exp(state->max - joined.max);
    if (args.sinkLogits) // far above the scores it is infinite, and the outputs are zero
        joined.sum += std::exp(args.sinkLogits[queryHead] - joined.max);
    float *out = floats(args.out) + static_cast<std::size_t>(queryHead) * dim;
    std::fill_n(out, dim, 0.0f);
    for (std::size_t i = 0; i < states.size(); ++i) {
        const float weight = std::exp(states[i]->max - joined.max) / joined.sum * args.scales.value;
        for (std::size_t c = 0; c < dim; ++c)
            out[c] += weight * partials[i][c];
    }
    if (args.strongestKey)
        args.strongestKey[queryHead] = joined.position;
}

} // namespace

void attendOne(const AttentionArgs &args, ThreadScratch &threads, Scratch &partials)
{
    const auto dim = static_cast<std::size_t>(args.headDim);
    const auto group = static_cast<std::size_t>(args.queryHeads / args.kvHeads);
    const std::vector<Split> splits = planSplits(args);
    float *sums = partials.get<float>(splits.size() * group * dim); // [splits, group, dim]
    std::vector<State> states(splits.size() * group);
    const float scale = scoreScale(args.scale, args.headDim) * args.scales.key;

    parallelParts(std::ssize(splits), [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        const Split &split = splits[at];
        float *queries = threads.mine().get<float>(group * (dim + stepKeys + 1));
        float *scores = queries + group * dim;
        const float *from = floats(args.queries) + static_cast<std::size_t>(split.head) * group * dim;
        std::transform(from, from + group * dim, queries, [scale](float q) { return q * scale; });
        attendSplit(args, split, queries, scores, &states[at * group], sums + at * group * dim);
    });

    std::vector<const State *> headStates;
    std::vector<const float *> headSums;
    for (std::size_t first = 0; first < splits.size();) {
        std::size_t last = first;
        while (last < splits.size() && splits[last].head == splits[first].head)
            ++last;
        for (std::size_t g = 0; g < group; ++g) {
            headStates.clear();
            headSums.clear();
            for (std::size_t i = first; i < last; ++i) {
                headStates.push_back(&states[i * group + g]);
                headSums.push_back(sums + (i * group + g) * dim);
            }
            merge(args, splits[first].head * static_cast<int>(group) + static_cast<int>(g), headStates, headSums);
        }
        first = last;
    }
}

} // namespace zigzag
