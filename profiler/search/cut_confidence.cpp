// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/cut_confidence.h"

#include "profiler/evaluate/statistics.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <numeric>

namespace zigzag {

bool CutConfidence::isSettled() const
{
    return prompts >= settledPrompts && same >= settledShare;
}

std::vector<int> CutConfidence::undecided() const
{
    if (isSettled())
        return {};
    std::vector<int> order(side.size());
    std::iota(order.begin(), order.end(), 0);
    const auto sure = [&](int unit) { return side[static_cast<std::size_t>(unit)]; };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return sure(a) < sure(b); });
    std::vector<int> found;
    std::copy_if(order.begin(), order.end(), std::back_inserter(found), [&](int unit) { return sure(unit) < settledShare; });
    for (const bool streams : {true, false}) {
        if (found.size() > 1)
            break;
        const auto least = std::find_if(order.begin(), order.end(), [&](int unit) {
            return std::binary_search(streaming.begin(), streaming.end(), unit) == streams && sure(unit) < 1;
        });
        if (least != order.end() && std::find(found.begin(), found.end(), *least) == found.end())
            found.push_back(*least);
    }
    return found;
}

Result<int> cutCount(const ModelShape &model, Unit unit, int asked)
{
    const int units = mappableUnits(model, unit);
    if (asked == 0)
        return units / 2;
    if (asked < 1 || asked >= units)
        return badInput(fmt::format("{} of {} {}s that can stream leave nothing to choose: give a count from 1 to {}", asked,
                                    units, nameOf(unit), std::max(1, units - 1)));
    return asked;
}

CutConfidence bootstrapChoice(std::span<const std::vector<double>> losses, std::vector<int> chosen, int units, std::uint64_t seed,
                              const std::function<std::vector<int>(std::span<const double> sums)> &choose)
{
    assert(!losses.empty());
    CutConfidence found;
    found.count = static_cast<int>(chosen.size());
    found.prompts = static_cast<int>(losses.size());
    std::vector<int> streams(static_cast<std::size_t>(units));
    Bootstrap bootstrap(found.prompts, seed);
    std::vector<double> sums(losses.front().size());
    int same = 0;
    for (int resample = 0; resample < bootstrapResamples; ++resample) {
        std::fill(sums.begin(), sums.end(), 0.0);
        const std::span<const int> drawn = bootstrap.next();
        for (std::size_t prompt = 0; prompt < losses.size(); ++prompt)
            for (std::size_t i = 0; drawn[prompt] > 0 && i < sums.size(); ++i)
                sums[i] += drawn[prompt] * losses[prompt][i];
        const std::vector<int> set = choose(sums);
        same += set == chosen ? 1 : 0;
        for (const int unit : set)
            ++streams[static_cast<std::size_t>(unit)];
    }
    found.same = static_cast<double>(same) / bootstrapResamples;
    for (int unit = 0; unit < units; ++unit) {
        const double share = static_cast<double>(streams[static_cast<std::size_t>(unit)]) / bootstrapResamples;
        found.side.push_back(std::binary_search(chosen.begin(), chosen.end(), unit) ? share : 1.0 - share);
    }
    found.streaming = std::move(chosen);
    return found;
}

CutConfidence bootstrapRanking(std::span<const std::vector<double>> losses, const ModelShape &model, Unit unit, int count,
                               std::uint64_t seed)
{
    std::vector<int> mappable;
    for (int which = 0; which < unitCount(model, unit); ++which)
        if (isMappable(model, unit, which))
            mappable.push_back(which);
    const auto lowest = [&](std::span<const double> sums) {
        std::vector<int> order = mappable;
        const auto last = order.begin() + count;
        std::partial_sort(order.begin(), last, order.end(), [&](int a, int b) {
            const double left = sums[static_cast<std::size_t>(a)], right = sums[static_cast<std::size_t>(b)];
            return left < right || (left == right && a < b);
        });
        order.erase(last, order.end());
        std::sort(order.begin(), order.end());
        return order;
    };
    std::vector<double> sums(losses.front().size());
    for (const std::vector<double> &prompt : losses)
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += prompt[i];
    return bootstrapChoice(losses, lowest(sums), unitCount(model, unit), seed, lowest);
}

} // namespace zigzag
