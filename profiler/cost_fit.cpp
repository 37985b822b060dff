// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost_fit.h"

#include "profiler/cost_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace zigzag {
namespace {

constexpr int columns = 3;
using Row = std::array<double, columns>; // fixed, tokens, work

/// Solves the normal equations for the columns in `chosen` (bits) by Gaussian elimination; none where they are dependent.
std::optional<Row> solve(const std::vector<Row> &rows, unsigned chosen)
{
    std::array<std::array<double, columns + 1>, columns> a{};
    std::array<int, columns> index{};
    int size = 0;
    for (int c = 0; c < columns; ++c)
        if (chosen >> c & 1u)
            index[static_cast<std::size_t>(size++)] = c;
    const auto at = [&](int i) { return static_cast<std::size_t>(index[static_cast<std::size_t>(i)]); };
    for (const Row &row : rows) // every right-hand side is 1: the errors are relative
        for (int i = 0; i < size; ++i) {
            auto &equation = a[static_cast<std::size_t>(i)];
            for (int j = 0; j < size; ++j)
                equation[static_cast<std::size_t>(j)] += row[at(i)] * row[at(j)];
            equation[columns] += row[at(i)];
        }
    for (int pivot = 0; pivot < size; ++pivot) {
        const auto p = static_cast<std::size_t>(pivot);
        if (std::abs(a[p][p]) < 1e-9) // columns are scaled to length 1
            return std::nullopt;
        for (int i = 0; i < size; ++i) {
            if (i == pivot)
                continue;
            auto &equation = a[static_cast<std::size_t>(i)];
            const double factor = equation[p] / a[p][p];
            for (std::size_t j = 0; j <= columns; ++j)
                equation[j] -= factor * a[p][j];
        }
    }
    Row solution{};
    for (int i = 0; i < size; ++i) {
        const auto p = static_cast<std::size_t>(i);
        solution[at(i)] = a[p][columns] / a[p][p];
    }
    return solution;
}

} // namespace

LinearCost fitLine(std::span<const LinePoint> points)
{
    std::vector<Row> rows;
    for (const LinePoint &point : points)
        if (point.us > 0)
            rows.push_back({1.0 / point.us, point.tokens / point.us, point.work / point.us});
    Row length{};
    for (std::size_t c = 0; c < columns; ++c) {
        for (const Row &row : rows)
            length[c] += row[c] * row[c];
        length[c] = std::sqrt(length[c]);
        for (Row &row : rows)
            row[c] = length[c] > 0 ? row[c] / length[c] : 0.0;
    }
    // Three columns: trying every set of them is the whole of non-negative least squares.
    Row best{};
    double leastError = std::numeric_limits<double>::infinity();
    for (unsigned chosen = 1; chosen < 1u << columns; ++chosen) {
        const auto solution = solve(rows, chosen);
        if (!solution || std::any_of(solution->begin(), solution->end(), [](double value) { return !(value >= 0); }))
            continue;
        double error = 0.0;
        for (const Row &row : rows) {
            const double miss = row[0] * (*solution)[0] + row[1] * (*solution)[1] + row[2] * (*solution)[2] - 1.0;
            error += miss * miss;
        }
        if (error < leastError - 1e-12) { // of equal fits the first, which has the fewest or plainest columns
            leastError = error;
            best = *solution;
        }
    }
    const auto coefficient = [&](std::size_t c) { return length[c] > 0 ? best[c] / length[c] : 0.0; };
    return {coefficient(0), coefficient(1), coefficient(2)};
}

class CostModelFit
{
public:
    static CostModel fit(const ModelConfig &config, const MachineProfile &machine, std::span<const OpSample> ops,
                         std::span<const RunSample> runs)
    {
        CostModel model;
        model.m_config = config;
        model.m_machine = machine;
        for (const Phase phase : {Phase::Prefill, Phase::Decode})
            for (std::size_t op = 0; op < opNames.size(); ++op)
                fitOp(model, ops, phase, static_cast<Op>(op));
        for (const Phase phase : {Phase::Prefill, Phase::Decode})
            scale(model, runs, phase);
        std::vector<double> errors;
        for (const RunSample &run : runs)
            errors.push_back(std::abs(model.estimate(run.map, run.phase, run.context).ms - run.ms) / run.ms);
        model.m_medianFitError = quantile(errors, 0.5);
        model.m_fitPoints = static_cast<int>(runs.size());
        model.m_fitted = !runs.empty();
        return model;
    }

private:
    static void fitOp(CostModel &model, std::span<const OpSample> samples, Phase phase, Op op)
    {
        // Only these two treat the kinds of heads differently; for the others both kinds are one set of points.
        const bool byKind = op == Op::Attention || op == Op::RopeAppend;
        for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
            std::vector<LinePoint> points;
            for (const OpSample &sample : samples)
                if (sample.phase == phase && sample.op == op && (!byKind || sample.kind == kind))
                    points.push_back(sample.point);
            model.m_lines[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)][static_cast<std::size_t>(op)]
                = fitLine(points);
        }
    }

    /// Recording costs time and gaps between ops are not recorded: whole runs decide the level.
    static void scale(CostModel &model, std::span<const RunSample> runs, Phase phase)
    {
        std::vector<double> ratios;
        for (const RunSample &run : runs) {
            if (run.phase != phase)
                continue;
            const double predicted = model.estimate(run.map, phase, run.context).ms;
            if (predicted > 0)
                ratios.push_back(run.ms / predicted);
        }
        if (ratios.empty())
            return;
        const double factor = quantile(ratios, 0.5);
        for (CostModel::Lines &lines : model.m_lines[static_cast<std::size_t>(phase)])
            for (LinearCost &line : lines)
                line = {line.fixedUs * factor, line.perTokenUs * factor, line.perWorkUs * factor};
    }
};

CostModel fitCostModel(const ModelConfig &config, const MachineProfile &machine, std::span<const OpSample> ops,
                       std::span<const RunSample> runs)
{
    return CostModelFit::fit(config, machine, ops, runs);
}

} // namespace zigzag
