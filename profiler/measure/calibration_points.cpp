// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/calibration_points.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace zigzag {
namespace {

constexpr std::int64_t usualChunk = 512;

struct Window {
    HeadKind kind = HeadKind::Retrieval;
    int sink = 0, recent = 1;
};

std::vector<Window> windowsFor(std::int64_t longest)
{
    const int narrow = static_cast<int>(std::clamp<std::int64_t>(longest / 16, 1, 1024)), wide = 4 * narrow;
    return {{}, {HeadKind::Streaming, narrow / 4, narrow}, {HeadKind::Streaming, wide / 4, wide}};
}

PassPoint pointOf(Phase phase, const Window &window, const PassShape &pass)
{
    return {phase, window.kind, window.sink, window.recent, pass};
}

void addPrefill(std::vector<PassPoint> &points, const ModelConfig &config, const MachineProfile &machine, std::int64_t longest,
                double mostMs)
{
    const HeadMap full(config.shape(), HeadKind::Retrieval, 0, 1);
    const std::int64_t chunk = std::min(machine.prefillChunk > 0 ? machine.prefillChunk : usualChunk, longest);
    std::set<std::int64_t> rows;
    for (const std::int64_t count : {std::int64_t{2}, std::int64_t{8}, std::int64_t{9}, std::int64_t{32}, std::int64_t{64},
                                     std::int64_t{128}, chunk / 2, 3 * chunk / 4, chunk})
        if (count >= 2 && count <= chunk && floorMs(config, full, machine, Phase::Prefill, count) < mostMs)
            rows.insert(count);
    if (rows.empty())
        rows.insert(std::min<std::int64_t>(2, chunk));
    const std::vector<Window> all = windowsFor(longest);
    for (const std::int64_t count : rows)
        points.push_back(pointOf(Phase::Prefill, all[0], {.tokens = count}));
    const std::int64_t most = *rows.rbegin(), few = *std::next(rows.begin(), std::ssize(rows) / 2);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i > 0) {
            points.push_back(pointOf(Phase::Prefill, all[i], {.tokens = most}));
            points.push_back(pointOf(Phase::Prefill, all[i], {.tokens = few}));
        }
        for (const std::int64_t first : {(longest - most) / 2, longest - most})
            if (first > 0)
                points.push_back(pointOf(Phase::Prefill, all[i], {.tokens = most, .firstPosition = first}));
        if (longest > 2 * few)
            points.push_back(pointOf(Phase::Prefill, all[i], {.tokens = few, .firstPosition = longest - few}));
    }
}

void addDecode(std::vector<PassPoint> &points, std::int64_t longest)
{
    const std::vector<Window> all = windowsFor(longest);
    const std::int64_t shortest = std::min<std::int64_t>(longest, 64);
    for (const int batch : {1, 2, 3, 4, 6, 8, 9, 12, 16, 32})
        points.push_back(pointOf(Phase::Decode, all[0], {.firstPosition = shortest - 1, .batch = batch}));
    for (const Window &window : all) {
        for (const std::int64_t context : {longest / 8, longest / 2, longest})
            if (context > shortest)
                points.push_back(pointOf(Phase::Decode, window, {.firstPosition = context - 1}));
        for (const int batch : {2, 6})
            points.push_back(
                pointOf(Phase::Decode, window, {.firstPosition = std::max(shortest, longest / 2) - 1, .batch = batch}));
    }
    points.push_back(pointOf(Phase::Decode, all[0], {.firstPosition = longest - 1, .batch = 4}));
    if (const Window usual{HeadKind::Streaming, defaultSink, defaultRecent}; longest > usual.sink + usual.recent)
        for (const int batch : {1, 3})
            points.push_back(pointOf(Phase::Decode, usual, {.firstPosition = longest - 1, .batch = batch}));
}

std::size_t sortOf(const PassPoint &point)
{
    return 2 * static_cast<std::size_t>(point.phase) + static_cast<std::size_t>(point.kind);
}

std::vector<PassPoint> inTurns(const std::vector<PassPoint> &points)
{
    std::array<std::vector<PassPoint>, 4> sorts;
    for (const PassPoint &point : points)
        sorts[sortOf(point)].push_back(point);
    std::size_t most = 0;
    for (std::vector<PassPoint> &sort : sorts) {
        const auto isNearer = [](const PassPoint &a, const PassPoint &b) { // among equals the largest batch
            return std::pair(a.pass.firstPosition, -a.pass.batch) < std::pair(b.pass.firstPosition, -b.pass.batch);
        };
        if (const auto furthest = std::max_element(sort.begin(), sort.end(), isNearer); furthest != sort.end())
            std::rotate(sort.begin(), furthest, furthest + 1);
        most = std::max(most, sort.size());
    }
    std::vector<PassPoint> turns;
    for (std::size_t turn = 0; turn < most; ++turn)
        for (const std::vector<PassPoint> &sort : sorts)
            if (turn < sort.size())
                turns.push_back(sort[turn]);
    return turns;
}

} // namespace

std::vector<PassPoint> calibrationPoints(const ModelConfig &config, const MachineProfile &machine, std::int64_t longest,
                                         double mostPrefillMs)
{
    std::vector<PassPoint> points;
    addPrefill(points, config, machine, longest, mostPrefillMs);
    addDecode(points, longest);
    return inTurns(points);
}

} // namespace zigzag
