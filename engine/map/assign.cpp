// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/assign.h"

#include "engine/base/version.h"
#include "engine/map/checks.h"
#include "engine/map/criterion.h"
#include "engine/map/kv_layout.h"
#include "engine/map/selection.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

template <class... Cases> struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr double picosecondsPerMs = 1e9;
constexpr double longestMs = 1e9; ///< far above any layer's time, and low enough that no sum of picoseconds overflows
constexpr std::int64_t longestContext = std::int64_t{1} << 40;

/// The units that may be chosen, and the map before any of them streams.
struct Problem {
    const HeadScores &scores;
    const AssignRequest &request;
    const Criterion &criterion;
    HeadMap start; ///< locked layers as they are, all else retrieval
    std::vector<std::size_t> units; ///< free ones, by their index among all heads or all layers
    std::vector<Penalty> penalties; // [units]

    int headsPerUnit() const { return criterion.unit == Unit::Layer ? start.kvHeads() : 1; }
    int layerOf(std::size_t unit) const
    {
        return static_cast<int>(criterion.unit == Unit::Layer ? unit : unit / static_cast<std::size_t>(start.kvHeads()));
    }
    bool isLocked(int layer) const { return !request.locked.empty() && request.locked[static_cast<std::size_t>(layer)]; }
    bool isFree(int layer) const { return !isLocked(layer) && !start.isLocal(layer); }
    /// Locked ones among those that a map decides.
    int lockedLayers() const
    {
        int count = 0;
        for (int layer = 0; layer < start.layers(); ++layer)
            count += isLocked(layer) && !start.isLocal(layer);
        return count;
    }
};

bool anyLocked(const AssignRequest &request)
{
    return std::find(request.locked.begin(), request.locked.end(), true) != request.locked.end();
}

Result<void> checkRequest(const HeadScores &scores, const AssignRequest &request)
{
    ZIGZAG_CHECK(checkWindow(request.sink, request.recent, "streaming window"));
    for (const StreamingWindow &window : request.windows)
        ZIGZAG_CHECK(checkWindow(window.sink, window.recent, "streaming window"));
    ZIGZAG_CHECK(checkScores(scores, "scores"));
    const auto layers = static_cast<std::size_t>(scores.model.layers);
    assert(request.locked.empty() || request.locked.size() == layers);
    assert(request.windows.empty() || request.windows.size() == layers);
    assert(!anyLocked(request)
           || (request.base && request.base->layers() == scores.model.layers && request.base->kvHeads() == scores.model.kvHeads));
    return std::visit(
        Overloaded{
            [](const SparsityTarget &target) -> Result<void> {
                if (!(target.sparsity >= 0.0 && target.sparsity <= 1.0)) // written so that NaN is refused too
                    return badInput(fmt::format("sparsity is {}: give a fraction from 0 to 1", target.sparsity));
                return {};
            },
            [&](const LayerTarget &target) -> Result<void> {
                const int most = scores.model.mappableLayers();
                if (target.layers < 0 || target.layers > most)
                    return badInput(fmt::format("{} streaming layers of {}{}: give a count from 0 to {}", target.layers, most,
                                                most < scores.model.layers ? " that a map decides" : "", most));
                return {};
            },
            [&](const KvBudget &target) -> Result<void> {
                if (target.bytes < 0 || target.context < 1 || target.context > longestContext)
                    return badInput(
                        fmt::format("KV budget of {} bytes at {} tokens: give bytes from 0 and a context from 1 to {}",
                                    target.bytes, target.context, longestContext));
                if (scores.model.headDim == 0)
                    return badInput("KV budget: the scores do not say how large a head is: give the model that they are for");
                // 2 · 2¹² layers · 2¹² heads · 2¹⁶ · 4 bytes · 2⁴⁰ tokens would not fit into 64 bits.
                const double most = 8.0 * scores.model.layers * scores.model.kvHeads * static_cast<double>(scores.model.headDim)
                    * static_cast<double>(target.context);
                if (most > 4e18)
                    return badInput(fmt::format("KV budget at {} tokens: the whole cache would take {:.1e} bytes; give a "
                                                "shorter context",
                                                target.context, most));
                return {};
            },
            [&](const TimeBudget &target) -> Result<void> {
                const auto known = [](double ms) { return ms >= 0.0 && ms <= longestMs; };
                if (!known(target.ms))
                    return badInput(fmt::format("TPOT budget is {} ms: give a time from 0 to {:g} ms", target.ms, longestMs));
                if (target.layers.size() != layers || !known(target.outsideMs)
                    || !std::all_of(target.layers.begin(), target.layers.end(),
                                    [&](const LayerTime &layer) { return known(layer.retrievalMs) && known(layer.streamingMs); }))
                    return badInput(
                        fmt::format("TPOT budget: the times of {} layers are not all known; measure the model first", layers));
                return {};
            }},
        request.target);
}

Problem stated(const HeadScores &scores, const AssignRequest &request, const Criterion &criterion)
{
    Problem problem{scores, request, criterion, HeadMap(scores.model, HeadKind::Retrieval, request.sink, request.recent), {}, {}};
    for (int layer = 0; layer < scores.model.layers; ++layer) {
        if (!request.windows.empty()) {
            const StreamingWindow window = request.windows[static_cast<std::size_t>(layer)];
            problem.start.setLayerWindow(layer, window.sink, window.recent);
        }
        for (int head = 0; problem.isLocked(layer) && head < scores.model.kvHeads; ++head)
            problem.start.set(layer, head, request.base->at(layer, head));
    }
    const std::vector<Penalty> all = criterion.penalties(scores);
    for (std::size_t unit = 0; unit < all.size(); ++unit)
        if (problem.isFree(problem.layerOf(unit))) {
            problem.units.push_back(unit);
            problem.penalties.push_back(all[unit]);
        }
    return problem;
}

/// How many free units have to stream so that as nearly as possible `heads` heads do, locked ones counted; halves keep the
/// unit. May lie outside of what there is.
std::int64_t unitsFor(const Problem &problem, std::int64_t heads)
{
    const double lacking = static_cast<double>(heads - problem.start.streamingHeads());
    return static_cast<std::int64_t>(std::ceil(lacking / problem.headsPerUnit() - 0.5));
}

Result<Selection> select(const Problem &problem, const SparsityTarget &target)
{
    const ModelShape &model = problem.start.model();
    const std::int64_t units = problem.criterion.unit == Unit::Layer ? model.mappableLayers() : model.mappableHeads();
    const std::int64_t heads = std::llround(target.sparsity * static_cast<double>(units)) * problem.headsPerUnit();
    const std::int64_t wanted = std::clamp<std::int64_t>(unitsFor(problem, heads), 0, std::ssize(problem.units));
    return leastPenalties(problem.penalties, static_cast<std::size_t>(wanted));
}

Result<Selection> select(const Problem &problem, const LayerTarget &target)
{
    const int kvHeads = problem.start.kvHeads();
    const std::int64_t wanted = unitsFor(problem, std::int64_t{target.layers} * kvHeads);
    const int locked = problem.lockedLayers();
    const double fixed = static_cast<double>(problem.start.streamingHeads()) / kvHeads;
    if (wanted < 0)
        return badInput(fmt::format("{} streaming layers: the {} locked layers stream {:g} by themselves, {:g} more; unlock some "
                                    "or raise the count",
                                    target.layers, locked, fixed, fixed - target.layers));
    if (wanted > std::ssize(problem.units)) {
        const double most = fixed + static_cast<double>(problem.start.model().mappableLayers() - locked);
        return badInput(
            fmt::format("{} streaming layers: with {} locked layers {:g} at most can stream, {:g} too few; unlock some "
                        "or lower the count",
                        target.layers, locked, most, target.layers - most));
    }
    return leastPenalties(problem.penalties, static_cast<std::size_t>(wanted));
}

/// What has to be saved from `problem.start`, and what each free unit saves.
struct Savings {
    std::int64_t need = 0;
    std::vector<std::int64_t> units;
    /// How much of the need no choice can save; 0 where one can.
    std::int64_t shortfall() const
    {
        std::int64_t left = need;
        for (const std::int64_t saving : units)
            left -= std::max<std::int64_t>(saving, 0);
        return std::max<std::int64_t>(left, 0);
    }
};

Result<Selection> select(const Problem &problem, const KvBudget &target)
{
    const std::int64_t perSlot = 2 * std::int64_t{problem.scores.model.headDim} * bytesOf(target.type);
    const HeadMap &start = problem.start;
    Savings savings{kvBytes(start, target.context, target.type) - target.bytes, {}};
    for (const std::size_t unit : problem.units) {
        const HeadPattern streaming = patternOf(HeadKind::Streaming, start.window(problem.layerOf(unit)));
        const std::int64_t saved = HeadPattern::full().slots(target.context) - streaming.slots(target.context);
        savings.units.push_back(perSlot * saved * problem.headsPerUnit());
    }
    if (const std::int64_t shortfall = savings.shortfall(); shortfall > 0)
        return badInput(fmt::format("KV budget of {} bytes at {} tokens is out of reach: the best map takes {} bytes, {} more; "
                                    "raise the budget, unlock layers, or make sink and recent smaller",
                                    target.bytes, target.context, target.bytes + shortfall, shortfall));
    return leastPenaltySaving(problem.penalties, savings.units, savings.need);
}

Result<Selection> select(const Problem &problem, const TimeBudget &target)
{
    const auto picoseconds = [](double ms) { return std::llround(ms * picosecondsPerMs); };
    const int kvHeads = problem.start.kvHeads();
    Savings savings;
    savings.need = picoseconds(target.outsideMs) - picoseconds(target.ms);
    for (int layer = 0; layer < problem.start.layers(); ++layer) {
        const LayerTime &time = target.layers[static_cast<std::size_t>(layer)];
        int streaming = 0;
        for (int head = 0; head < kvHeads; ++head)
            streaming += problem.start.at(layer, head) == HeadKind::Streaming;
        const double share = static_cast<double>(streaming) / kvHeads;
        savings.need += picoseconds((1.0 - share) * time.retrievalMs + share * time.streamingMs);
    }
    for (const std::size_t unit : problem.units) {
        const LayerTime &time = target.layers[static_cast<std::size_t>(problem.layerOf(unit))];
        savings.units.push_back(picoseconds((time.retrievalMs - time.streamingMs) * problem.headsPerUnit() / kvHeads));
    }
    if (const std::int64_t shortfall = savings.shortfall(); shortfall > 0) {
        const double more = static_cast<double>(shortfall) / picosecondsPerMs;
        return badInput(
            fmt::format("TPOT budget of {:g} ms at {} tokens is out of reach: the best map takes {:.4g} ms, {:.3g} ms "
                        "more; raise the budget, unlock layers, or make sink and recent smaller",
                        target.ms, target.context, target.ms + more, more));
    }
    return leastPenaltySaving(problem.penalties, savings.units, savings.need);
}

/// What a map's file says of its origin, in words that stay true.
Provenance provenanceOf(const Problem &problem, const HeadMap &map)
{
    std::string criterion = problem.request.criterion;
    const bool isLocked = anyLocked(problem.request);
    if (isLocked)
        criterion += " with locked layers";
    const auto *wanted = std::get_if<SparsityTarget>(&problem.request.target);
    const double sparsity = wanted && !isLocked ? wanted->sparsity : map.sparsity();
    if (const auto *target = std::get_if<KvBudget>(&problem.request.target))
        criterion += fmt::format(", {} KV bytes at {} tokens", target->bytes, target->context);
    if (const auto *target = std::get_if<TimeBudget>(&problem.request.target))
        criterion += fmt::format(", {:g} ms per token at {} tokens", target->ms, target->context);
    return {criterion, problem.scores.method, sparsity, std::string(programVersion), problem.scores.engine};
}

} // namespace

Result<Assignment> assignHeads(const HeadScores &scores, const AssignRequest &request)
{
    ZIGZAG_CHECK(checkRequest(scores, request));
    ZIGZAG_TRY(criterion, findCriterion(request.criterion));
    const Problem problem = stated(scores, request, *criterion);
    ZIGZAG_TRY(selection, std::visit([&](const auto &target) { return select(problem, target); }, request.target));
    Assignment result{problem.start, selection.ties, std::vector<int>(static_cast<std::size_t>(problem.start.layers()))};
    for (const std::size_t index : selection.tied)
        ++result.layerTies[static_cast<std::size_t>(problem.layerOf(problem.units[index]))];
    for (const std::size_t index : selection.chosen) {
        const std::size_t unit = problem.units[index];
        const int layer = problem.layerOf(unit);
        if (criterion->unit == Unit::Layer)
            result.map.setLayer(layer, HeadKind::Streaming);
        else
            result.map.set(layer, static_cast<int>(unit) % scores.model.kvHeads, HeadKind::Streaming);
    }
    result.map.setProvenance(provenanceOf(problem, result.map));
    return result;
}

Result<Assignment> assignHeads(const HeadScores &scores, std::string_view criterion, double sparsity, int sink, int recent)
{
    AssignRequest request;
    request.criterion = criterion;
    request.target = SparsityTarget{sparsity};
    request.sink = sink;
    request.recent = recent;
    return assignHeads(scores, request);
}

} // namespace zigzag
