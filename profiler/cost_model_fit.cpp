// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace zigzag {
namespace {

constexpr int memoryBoundRows = 16; ///< of decode: above, multiplying the weights takes longer than reading them

bool isProduct(Op op)
{
    return op == Op::Qkv || op == Op::OutputProjection || op == Op::GateUp || op == Op::Down || op == Op::Logits;
}

/// The counts of one layer whose heads are all of the point's kind.
OpCost costOf(const ModelConfig &config, const PassPoint &point, Op op)
{
    ModelShape oneLayer = config.shape();
    oneLayer.layers = 1;
    return passCost(config, HeadMap(oneLayer, point.kind, point.sink, point.recent), op, 0, point.pass);
}

double rowsOf(const PassShape &pass)
{
    return static_cast<double>(pass.tokens) * pass.batch;
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
        model.m_cached = staysInCache(config, calibration.machine);
        setReferenceRate(calibration);
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
        if (m_own)
            m_others = {m_own};
    }

    void fit()
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
        setLevel();
    }

private:
    void setReferenceRate(const Calibration &calibration)
    {
        std::vector<double> rates;
        for (const ModelSamples &samples : calibration.models)
            for (const PassSample &pass : samples.passes)
                if (pass.readRate > 0)
                    rates.push_back(pass.readRate);
        m_model.m_referenceRate = quantile(std::move(rates), 0.5);
    }

    /// The time that the sample would have taken at the reference bandwidth.
    double usOf(const ModelSamples &samples, const OpSample &sample) const
    {
        const bool bound = sample.readRate > 0 && m_model.m_referenceRate > 0 && !staysInCache(samples.config, m_model.m_machine)
            && sample.point.phase == Phase::Decode && rowsOf(sample.point.pass) <= memoryBoundRows
            && (isProduct(sample.op) || sample.op == Op::Attention);
        return bound ? sample.us * sample.readRate / m_model.m_referenceRate : sample.us;
    }

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
                points.emplace_back(rowsOf(sample), usOf(*m_own, sample));
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
                    byRows[rowsOf(sample)].push_back({featuresOf(*samples, sample), usOf(*samples, sample)});
            }
        std::vector<std::pair<double, double>> points;
        for (const auto &[rows, samples] : byRows) {
            PassPoint point{.phase = phase, .kind = kind, .pass = {.tokens = static_cast<std::int64_t>(rows)}};
            if (phase == Phase::Decode)
                point.pass = {.tokens = 1, .batch = static_cast<int>(rows)};
            const OpCost cost = costOf(m_model.m_config, point, op);
            // Coefficients of other models may promise more than the machine can do.
            const double floorUs = opFloorNs(cost, m_model.m_config, m_model.m_machine, m_model.m_cached) / 1e3;
            points.emplace_back(rows,
                                std::max(floorUs, dot(fitFeatures(samples), {1, cost.activationBytes, cost.flops, cost.bytes})));
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
        for (const ModelSamples *samples : m_others)
            for (const OpSample &sample : samples->ops) {
                if (!matches(sample, phase, kind, Op::Attention))
                    continue;
                const OpCost cost = costOf(samples->config, sample.point, Op::Attention);
                const double flops = phase == Phase::Prefill ? cost.flops : 0.0; // in decode they say the same as the bytes
                points.push_back({{1, rowsOf(sample.point.pass), flops, cost.bytes}, usOf(*samples, sample)});
            }
        Features fitted = fitFeatures(points);
        const MachineProfile &machine = m_model.m_machine;
        const double flops = std::max(machine.matrixFlopsF32, machine.matrixFlopsBf16);
        if (!m_own && !m_model.m_cached && machine.readBytesPerSecond > 0)
            fitted[3] = std::max(fitted[3], 1e6 / machine.readBytesPerSecond);
        if (!m_own && phase == Phase::Prefill && flops > 0)
            fitted[2] = std::max(fitted[2], 1e6 / flops);
        m_model.m_attention[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)] = fitted;
    }

    void setLaunch()
    {
        double least = 0;
        for (const RowTable &table : m_model.m_tables[static_cast<std::size_t>(Phase::Decode)][0])
            if (const double us = table.at(1); us > 0)
                least = least > 0 ? std::min(least, us) : us;
        m_model.m_launchUs = least;
    }

    /// Milliseconds that the ops of a measured pass add up to.
    double passMs(const ModelSamples &samples, const PassSample &sample) const
    {
        const auto phase = static_cast<std::size_t>(sample.point.phase), kind = static_cast<std::size_t>(sample.point.kind);
        double us = 0;
        for (std::size_t i = 0; i < opNames.size(); ++i) {
            const Op op = static_cast<Op>(i);
            const double layers = isInLayer(op) ? samples.config.layers : 1;
            if (op == Op::Attention) {
                const OpCost cost = costOf(samples.config, sample.point, op);
                const double flops = sample.point.phase == Phase::Prefill ? cost.flops : 0.0;
                us += layers * dot(m_model.m_attention[phase][kind], {1, rowsOf(sample.point.pass), flops, cost.bytes});
            } else {
                const bool lastRow = (op == Op::FinalNorm || op == Op::Logits) && sample.point.phase == Phase::Prefill;
                us += layers * m_model.m_tables[phase][kind][i].at(lastRow ? 1 : rowsOf(sample.point.pass));
            }
        }
        return us / 1e3;
    }

    /// Recording costs time, and a median of parts is no median of the whole: passes without recording decide the level.
    void setLevel()
    {
        const ModelSamples *samples = m_own ? m_own : nullptr;
        std::array<std::vector<double>, 2> ratios;
        std::vector<const ModelSamples *> from = m_others;
        if (samples)
            from = {samples};
        int points = 0;
        if (m_own)
            for (const PassSample &pass : m_own->passes)
                if (const double ms = passMs(*m_own, pass); ms > 0)
                    ratios[static_cast<std::size_t>(pass.point.phase)].push_back(atReference(*m_own, pass) / ms);
        for (const ModelSamples *each : from)
            points += static_cast<int>(each->passes.size());
        for (std::size_t phase = 0; phase < 2; ++phase)
            if (!ratios[phase].empty())
                m_model.m_scale[phase] = quantile(ratios[phase], 0.5);
        std::vector<double> errors;
        for (std::size_t phase = 0; phase < 2; ++phase)
            for (const double ratio : ratios[phase])
                errors.push_back(std::abs(m_model.m_scale[phase] / ratio - 1));
        m_model.m_medianFitError = quantile(std::move(errors), 0.5);
        m_model.m_fitPoints = points;
        m_model.m_fitted = points > 0;
    }

    double atReference(const ModelSamples &samples, const PassSample &pass) const
    {
        const bool bound = pass.readRate > 0 && m_model.m_referenceRate > 0 && !staysInCache(samples.config, m_model.m_machine)
            && pass.point.phase == Phase::Decode && rowsOf(pass.point.pass) <= memoryBoundRows;
        return bound ? pass.ms * pass.readRate / m_model.m_referenceRate : pass.ms;
    }

    CostModel &m_model;
    const ModelSamples *m_own = nullptr;
    std::vector<const ModelSamples *> m_others; ///< what the coefficients come from: the model itself where it was measured
};

CostModel::CostModel(const Calibration &calibration, const ModelConfig &config)
{
    CostModelFit(*this, calibration, config).fit();
}

} // namespace zigzag
