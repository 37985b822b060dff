// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/op_table_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace zigzag {
namespace {

const std::pair<const char *, GroupBy> groups[] = {{"op", GroupBy::Op},
                                                   {"layer", GroupBy::Layer},
                                                   {"type", GroupBy::LayerKind},
                                                   {"op-layer", GroupBy::OpAndLayer},
                                                   {"op-type", GroupBy::OpAndKind},
                                                   {"rank", GroupBy::Rank},
                                                   {"op-rank", GroupBy::OpAndRank}};

} // namespace

std::size_t columnsOf(const std::string &text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> groupNames()
{
    std::vector<std::string> names;
    for (const auto &[name, by] : groups)
        names.emplace_back(name);
    return names;
}

GroupBy groupNamed(const std::string &name)
{
    for (const auto &[known, by] : groups)
        if (name == known)
            return by;
    return GroupBy::Op;
}

std::string opTableText(const std::vector<OpRow> &rows)
{
    std::size_t width = 2;
    for (const OpRow &row : rows)
        width = std::max(width, columnsOf(row.label()));
    const bool hasKernels = std::any_of(rows.begin(), rows.end(), [](const OpRow &row) { return row.kernelNs > 0; });
    const bool hasRanks
        = std::any_of(rows.begin(), rows.end(), [](const OpRow &row) { return row.waitNs > 0 || row.exchangeNs > 0; });
    std::string text = fmt::format("{:<{}}  {:>10}  {:>10}  {:>7}  {:>9}  {:>9}  {:>9}  {:>8}  {:>9}  {:>7}{}{}\n", "", width,
                                   "total ms", "self ms", "count", "mean µs", "p50 µs", "p99 µs", "GB/s", "GFLOP/s", "floor",
                                   hasRanks ? "  waiting ms  exchange ms" : "", hasKernels ? "  kernels ms" : "");
    for (const OpRow &row : rows) {
        text += fmt::format("{}{}  {:>10.3f}  {:>10.3f}  {:>7}  {:>9.2f}  {:>9.2f}  {:>9.2f}  {:>8.1f}  {:>9.1f}  {:>7}",
                            row.label(), std::string(width - columnsOf(row.label()), ' '), static_cast<double>(row.totalNs) / 1e6,
                            static_cast<double>(row.selfNs) / 1e6, row.count, row.meanNs / 1e3, row.p50Ns / 1e3, row.p99Ns / 1e3,
                            row.bytesPerSecond / 1e9, row.flopsPerSecond / 1e9,
                            row.floorRatio > 0 ? fmt::format("{:.1f} %", 100 * row.floorRatio) : std::string("-"));
        if (hasRanks)
            text += fmt::format("  {:>10.3f}  {:>11.3f}", static_cast<double>(row.waitNs) / 1e6,
                                static_cast<double>(row.exchangeNs) / 1e6);
        text += hasKernels ? fmt::format("  {:>10.3f}\n", static_cast<double>(row.kernelNs) / 1e6) : "\n";
    }
    return text;
}

nlohmann::ordered_json opTableJson(const std::vector<OpRow> &rows)
{
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const OpRow &row : rows) {
        nlohmann::ordered_json entry = {{"name", row.label()}};
        if (row.op)
            entry["op"] = nameOf(*row.op);
        if (row.layer)
            entry["layer"] = *row.layer;
        if (row.kind)
            entry["type"] = kindName(*row.kind);
        if (row.rank)
            entry["rank"] = *row.rank;
        entry.update({{"count", row.count},
                      {"total_ns", row.totalNs},
                      {"self_ns", row.selfNs},
                      {"mean_ns", row.meanNs},
                      {"p50_ns", row.p50Ns},
                      {"p99_ns", row.p99Ns},
                      {"bytes_per_second", row.bytesPerSecond},
                      {"flops_per_second", row.flopsPerSecond},
                      {"floor_ratio", row.floorRatio > 0 ? nlohmann::ordered_json(row.floorRatio) : nlohmann::ordered_json()},
                      {"wait_ns", row.waitNs},
                      {"exchange_ns", row.exchangeNs},
                      {"kernel_ns", row.kernelNs}});
        list.push_back(std::move(entry));
    }
    return list;
}

} // namespace zigzag
