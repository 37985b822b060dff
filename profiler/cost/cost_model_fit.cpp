// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/cost_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace zigzag {
namespace {

/// A layer that runs the op; layers may differ.
int layerWith(const ModelConfig &config, Op op)
{
    for (int layer = 0; isInLayer(op) && layer < config.layers; ++layer)
        if (layerPlan(config, layer).find(op))
            return layer;
    return 0;
}

/// The counts of one layer whose heads are all of the point's kind.
OpCost costOf(const ModelConfig &config, const PassPoint &point, Op op)
{
    const int layer = layerWith(config, op);
    ModelShape upToIt = config.shape();
    upToIt.layers = layer + 1;
    return passCost(config, HeadMap(upToIt, point.kind, point.sink, point.recent), op, layer, point.pass);
}

double rowsOf(const PassShape &pass)
{
    return static_cast<double>(pass.tokens) * pass.batch;
}

using PointKey = std::tuple<Phase, HeadKind, int, int, std::int64_t, std::int64_t, int>;
PointKey keyOf(const PassPoint &point)
{
    return {point.phase, point.kind, point.sink, point.recent, point.pass.tokens, point.pass.firstPosition, point.pass.batch};
}

/// Of the layers that were measured, those that run the op. What runs inside attention runs in all.
int layersWith(const ModelSamples &samples, Op op)
{
    if (op == Op::Commit || op == Op::CopyHeads)
        return samples.layers;
    int count = 0;
    for (int layer = 0; layer < samples.layers; ++layer)
        count += layerPlan(samples.config, layer).find(op) != nullptr;
    return count;
}

/// Of attention in one layer: a call, its rows, its operations in a prefill (which say the same as the bytes in decode), in
/// decode the bytes that the cache does not keep from step to step, its bytes, and in decode what `latencyKeys` says.
Features attentionFeatures(const ModelSamples &samples, const MachineProfile &machine, const PassPoint &point)
{
    const OpCost cost = costOf(samples.config, point, Op::Attention);
    if (point.phase == Phase::Prefill)
        return {1, rowsOf(point.pass), cost.flops, cost.bytes};
    ModelConfig measured = samples.config;
    measured.layers = samples.layers;
    const double step = static_cast<double>(measured.weightBytesReadPerToken()) + samples.layers * cost.bytes;
    return {1, rowsOf(point.pass), cost.bytes * uncachedShare(step, machine), cost.bytes,
            latencyKeys(point.pattern().slots(point.pass.firstPosition + 1))};
}

/// Rows of the logits ops: of a prefill's chunk its last, of decode all.
double rowsOf(const OpSample &sample)
{
    const bool lastRow = sample.op == Op::FinalNorm || sample.op == Op::Logits;
    return lastRow && sample.point.phase == Phase::Prefill ? 1.0 : rowsOf(sample.point.pass);
}

} // namespace

class CostModelFit
{
public:
    CostModelFit(CostModel &model, const Calibration &calibration, const ModelConfig &config)
        : m_model(model)
    {
        model.m_config = config;
        model.m_machine = calibration.machine;
        model.m_measured = calibration.measured;
        model.describeLayers();
        model.m_cached = staysInCache(config, calibration.machine);
        for (const ModelSamples &samples : calibration.models)
            if (sameCosts(samples.config, config))
                m_own = &samples;
        model.m_own = m_own != nullptr;
        // Models that are read from memory say little of those that stay in the cache, and the other way round.
        for (const ModelSamples &samples : calibration.models)
            if (staysInCache(samples.config, calibration.machine) == model.m_cached)
                m_others.push_back(&samples);
        if (m_others.empty())
            for (const ModelSamples &samples : calibration.models)
                m_others.push_back(&samples);
        if (m_own) {
            m_others = {m_own};
            model.m_paceMs = m_own->paceMs;
        }
    }

    void fit(const Calibration &calibration)
    {
        for (const Phase phase : {Phase::Prefill, Phase::Decode})
            for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming})
                for (std::size_t i = 0; i < opNames.size(); ++i) {
                    const Op op = static_cast<Op>(i);
                    auto &tables = m_model.m_tables[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)];
                    if (op == Op::Attention)
                        fitAttention(phase, kind);
                    else
                        tables[i] = m_own ? ownTable(phase, kind, op) : pooledTable(phase, kind, op);
                }
        setLaunch();
        setLevel(calibration);
    }

private:
    /// Only these treat the kinds of heads differently; for the others both kinds are one set of points.
    static bool matches(const OpSample &sample, Phase phase, HeadKind kind, Op op)
    {
        const bool byKind = op == Op::Attention || op == Op::RopeAppend || op == Op::Commit;
        return sample.op == op && sample.point.phase == phase && (!byKind || sample.point.kind == kind);
    }

    RowTable ownTable(Phase phase, HeadKind kind, Op op) const
    {
        std::vector<std::pair<double, double>> points;
        for (const OpSample &sample : m_own->ops)
            if (matches(sample, phase, kind, op))
                points.emplace_back(rowsOf(sample), sample.us);
        return RowTable::from(points);
    }

    /// For a model that was not measured: at each number of rows a line through all models' ops of the same sort.
    RowTable pooledTable(Phase phase, HeadKind kind, Op op) const
    {
        std::map<double, std::vector<FitPoint>> byRows;
        for (const ModelSamples *samples : m_others)
            for (const OpSample &sample : samples->ops) {
                const bool alike
                    = isProduct(op) ? isProduct(sample.op) && sample.point.phase == phase : matches(sample, phase, kind, op);
                if (alike)
                    byRows[rowsOf(sample)].push_back({featuresOf(*samples, sample), sample.us});
            }
        std::vector<std::pair<double, double>> points;
        for (const auto &[rows, samples] : byRows) {
            PassPoint point{.phase = phase, .kind = kind, .pass = {.tokens = static_cast<std::int64_t>(rows)}};
            if (phase == Phase::Decode)
                point.pass = {.tokens = 1, .batch = static_cast<int>(rows)};
            const OpCost cost = costOf(m_model.m_config, point, op);
            // Coefficients of other models may promise more than the machine can do.
            const double floorUs = opFloorNs(cost, m_model.m_config, m_model.m_machine, m_model.m_cached) / 1e3;
            const double us = dot(fitFeatures(samples), {1, cost.activationBytes, cost.flops, cost.bytes});
            points.emplace_back(rows, us > 0 ? std::max(floorUs, us) : 0.0); // 0: the op ran inside another
        }
        return RowTable::from(points);
    }

    /// Of an op at a given number of rows: launch, what it moves, what it computes.
    static Features featuresOf(const ModelSamples &samples, const OpSample &sample)
    {
        const OpCost cost = costOf(samples.config, sample.point, sample.op);
        return {1, cost.activationBytes, cost.flops, cost.bytes};
    }

    void fitAttention(Phase phase, HeadKind kind)
    {
        std::vector<FitPoint> points;
        for (const ModelSamples *samples : m_others) {
            std::map<PointKey, std::pair<Features, std::vector<double>>> byPoint;
            for (const OpSample &sample : samples->ops)
                if (matches(sample, phase, kind, Op::Attention)) {
                    auto &[features, us] = byPoint[keyOf(sample.point)];
                    features = attentionFeatures(*samples, m_model.m_machine, sample.point);
                    us.push_back(sample.us);
                }
            for (auto &[key, point] : byPoint)
                points.push_back({point.first, quantile(std::move(point.second), 0.5)});
        }
        Features fitted = fitFeatures(points);
        const MachineProfile &machine = m_model.m_machine;
        const double flops = machine.matrixCeiling(m_model.m_config.dtype).perSecond;
        // Coefficients of other models may promise more than the machine can do.
        if (!m_own && phase == Phase::Decode && !m_model.m_cached && machine.readBytesPerSecond > 0)
            fitted[2] = std::max(fitted[2], 1e6 / machine.readBytesPerSecond - fitted[3]); // both are of bytes
        if (!m_own && phase == Phase::Prefill && flops > 0)
            fitted[2] = std::max(fitted[2], 1e6 / flops);
        m_model.m_attention[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)] = fitted;
    }

    void setLaunch()
    {
        double least = 0;
        const auto &tables = m_model.m_tables[static_cast<std::size_t>(Phase::Decode)][0];
        for (std::size_t i = 0; i < tables.size(); ++i)
            if (const double us = tables[i].at(1); us > 0 && static_cast<Op>(i) != Op::Pass)
                least = least > 0 ? std::min(least, us) : us;
        m_model.m_launchUs = least;
    }

    /// Microseconds that the ops of a measured pass add up to, and how many there are.
    std::pair<double, double> opsOf(const ModelSamples &samples, const PassPoint &point) const
    {
        const auto phase = static_cast<std::size_t>(point.phase), kind = static_cast<std::size_t>(point.kind);
        double us = 0, spans = 0;
        for (std::size_t i = 0; i < opNames.size(); ++i) {
            const Op op = static_cast<Op>(i);
            const bool lastRow = (op == Op::FinalNorm || op == Op::Logits) && point.phase == Phase::Prefill;
            const double one = op == Op::Attention
                ? dot(m_model.m_attention[phase][kind], attentionFeatures(samples, m_model.m_machine, point))
                : m_model.m_tables[phase][kind][i].at(lastRow ? 1 : rowsOf(point.pass));
            const double layers = isInLayer(op) ? layersWith(samples, op) : 1;
            us += layers * one;
            spans += one > 0 ? layers : 0;
        }
        return {us, spans};
    }

    /// Recording costs time, on a GPU most of it, and a median of parts is no median of the whole: passes without recording
    /// decide the level. Least squares of relative errors over the measured points: ms = scale · (ops − spans · spanUs).
    CostModel::Level levelOf(Phase phase, std::vector<double> &errors) const
    {
        struct Row {
            double ops, spans; ///< of a measured time of 1
        };
        std::vector<Row> rows;
        std::map<PointKey, std::vector<const PassSample *>> byPoint;
        for (const PassSample &pass : m_own->passes)
            if (pass.point.phase == phase)
                byPoint[keyOf(pass.point)].push_back(&pass);
        for (const auto &[key, passes] : byPoint) {
            std::vector<double> ms;
            for (const PassSample *pass : passes)
                ms.push_back(pass->ms);
            const double us = 1e3 * quantile(std::move(ms), 0.5);
            const auto [ops, spans] = opsOf(*m_own, passes.front()->point);
            if (us > 0 && ops > 0)
                rows.push_back({ops / us, spans / us});
        }
        CostModel::Level level;
        double oo = 0, os = 0, ss = 0, o = 0, s = 0;
        for (const Row &row : rows) {
            oo += row.ops * row.ops;
            os += row.ops * row.spans;
            ss += row.spans * row.spans;
            o += row.ops;
            s += row.spans;
        }
        if (oo <= 0)
            return level;
        const double determinant = oo * ss - os * os;
        const double most = m_model.m_launchUs; // of what an op takes: none becomes negative
        if (determinant > 1e-9 * oo * ss) {
            const double scale = (o * ss - s * os) / determinant, overhead = (o * os - s * oo) / determinant;
            if (scale > 0)
                level.spanUs = std::clamp(overhead / scale, 0.0, most);
        }
        std::vector<double> ratios;
        ratios.reserve(rows.size());
        for (const Row &row : rows)
            ratios.push_back(1 / (row.ops - level.spanUs * row.spans));
        level.scale = quantile(ratios, 0.5);
        constexpr double absurd = 1e6; // samples that no fit describes, as a file from outside may have them
        for (const double ratio : ratios) {
            const double error = std::abs(level.scale / ratio - 1);
            errors.push_back(std::isfinite(error) ? std::min(error, absurd) : absurd);
        }
        return level;
    }

    void setLevel(const Calibration &calibration)
    {
        for (const ModelSamples *samples : m_others) {
            m_model.m_fitPoints += static_cast<int>(samples->passes.size());
            m_model.m_samples += samples->samples;
            m_model.m_disturbed += samples->disturbed;
        }
        m_model.m_fitted = m_model.m_fitPoints > 0;
        double worst = 0; // of the models that speak for this one
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            const auto of = static_cast<std::size_t>(phase);
            if (m_own) {
                std::vector<double> errors;
                m_model.m_level[of] = levelOf(phase, errors);
                m_errors.insert(m_errors.end(), errors.begin(), errors.end());
                continue;
            }
            // Of a model that was not measured: as with those that were.
            std::vector<double> scales, overheads;
            for (const ModelSamples *samples : m_others) {
                const CostModel other({calibration.machine, {*samples}}, samples->config);
                scales.push_back(other.m_level[of].scale);
                overheads.push_back(other.m_level[of].spanUs);
                worst = std::max(worst, other.m_medianFitError);
            }
            if (!scales.empty())
                m_model.m_level[of]
                    = {quantile(std::move(scales), 0.5), std::min(m_model.m_launchUs, quantile(std::move(overheads), 0.5))};
        }
        m_model.m_medianFitError = m_own ? quantile(m_errors, 0.5) : worst;
    }

    CostModel &m_model;
    const ModelSamples *m_own = nullptr;
    std::vector<double> m_errors; ///< of the fit, relative
    std::vector<const ModelSamples *> m_others; ///< what the coefficients come from: the model itself where it was measured
};

CostModel::CostModel(const Calibration &calibration, const ModelConfig &config)
{
    link.measured = calibration.links;
    CostModelFit(*this, calibration, config).fit(calibration);
}

} // namespace zigzag
