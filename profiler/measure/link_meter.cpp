// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/link_meter.h"

#include "engine/run/collective.h"
#include "engine/run/rank_group.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace zigzag {
namespace {

constexpr std::int64_t leastBytes = 1 << 12, mostBytes = 1 << 24; ///< a token's row of 1024; a chunk of 2048 of 4096
constexpr std::int64_t step = 4; ///< from one size to the next
constexpr int rounds = 5;
constexpr std::chrono::seconds enough(2); ///< after which no other round begins: ranks that share busy processors meet slowly

/// Sums of a size in a row: many of the small ones, which take microseconds.
int sumsInARow(std::int64_t bytes)
{
    return static_cast<int>(std::clamp<std::int64_t>((std::int64_t{1} << 22) / bytes, 2, 16));
}

} // namespace

Result<LinkSamples> measureLink(RankGroup &group, const std::atomic<bool> *cancel, const std::function<void(double)> &progress)
{
    using Clock = std::chrono::steady_clock;
    const auto ranks = static_cast<std::size_t>(group.ranks());
    std::vector<std::unique_ptr<Buffer>> parts(ranks), sums(ranks);
    ZIGZAG_CHECK(group.run([&](int rank) -> Result<void> {
        const auto at = static_cast<std::size_t>(rank);
        ZIGZAG_TRY(part, group.backend(rank)->allocate(mostBytes));
        ZIGZAG_TRY(sum, group.backend(rank)->allocate(mostBytes));
        parts[at] = std::move(part);
        sums[at] = std::move(sum);
        // Zeros stay numbers however often they are summed up, and sums take as long of any.
        group.collective(rank).clear(parts[at]->as<float>(), mostBytes / static_cast<std::int64_t>(sizeof(float)));
        return group.backend(rank)->synchronize();
    }));
    const auto timed = [&](std::int64_t bytes) -> Result<double> {
        double us = 0;
        const int count = sumsInARow(bytes);
        const auto ran = group.run([&](int rank) -> Result<void> {
            const auto at = static_cast<std::size_t>(rank);
            const auto sum = [&] {
                group.collective(rank).sum({.part = parts[at]->data(),
                                            .out = sums[at]->as<float>(),
                                            .count = bytes / static_cast<std::int64_t>(sizeof(float))});
            };
            sum(); // brings all ranks here, and a library to its choice
            ZIGZAG_CHECK(group.backend(rank)->synchronize());
            const auto begin = Clock::now();
            for (int i = 0; i < count; ++i)
                sum();
            ZIGZAG_CHECK(group.backend(rank)->synchronize());
            if (rank == 0)
                us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / count;
            return {};
        });
        if (!ran)
            return tl::unexpected(ran.error());
        return us;
    };
    std::vector<std::int64_t> sizes;
    for (std::int64_t bytes = leastBytes; bytes <= mostBytes; bytes *= step)
        sizes.push_back(bytes);
    std::vector<std::vector<double>> taken(sizes.size());
    const auto begun = Clock::now();
    for (int round = 0; round < rounds && (round == 0 || Clock::now() - begun < enough); ++round)
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            if (cancel && cancel->load(std::memory_order_relaxed))
                return cancelled();
            ZIGZAG_TRY(us, timed(sizes[i]));
            taken[i].push_back(us);
            if (progress)
                progress((static_cast<double>(round) + static_cast<double>(i + 1) / static_cast<double>(sizes.size())) / rounds);
        }
    LinkSamples samples{.gpus = group.ranks(), .between = {}, .sums = {}};
    const Backend &first = *group.backend(0);
    samples.between
        = fmt::format("{} {} {}", group.ranks(), first.capabilities().onProcessor ? "shares of" : "×", first.device().name);
    for (std::size_t i = 0; i < sizes.size(); ++i)
        samples.sums.push_back({sizes[i], quantile(taken[i], 0.5)});
    return samples;
}

Result<std::vector<LinkSamples>> measureLinks(std::string_view backend, int most, const std::atomic<bool> *cancel,
                                              const std::function<void(double)> &progress)
{
    std::set<int> counts;
    for (const int count : {2, 4, 8, most})
        if (count > 1 && count <= most)
            counts.insert(count);
    std::vector<LinkSamples> links;
    double done = 0;
    for (const int count : counts) {
        auto group = createRankGroup(backend, count);
        if (!group)
            return links.empty() ? tl::unexpected(std::move(group.error())) : Result<std::vector<LinkSamples>>(std::move(links));
        ZIGZAG_TRY(samples, measureLink(**group, cancel, [&](double fraction) {
                       if (progress)
                           progress((done + fraction) / static_cast<double>(counts.size()));
                   }));
        links.push_back(std::move(samples));
        ++done;
    }
    return links;
}

} // namespace zigzag
