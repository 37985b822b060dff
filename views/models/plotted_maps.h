// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"
#include "engine/model/model_config.h"
#include "profiler/cost/cost_model.h"
#include "views/models/measurements.h"

#include <QCoreApplication>
#include <QString>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag {

/// What the plots compare: DuoAttention and Zigzag are assigned from the scores at one sparsity, in the current windows.
enum class Series { Full, Duo, Zigzag, Current };
inline constexpr std::array allSeries = {Series::Full, Series::Duo, Series::Zigzag, Series::Current};
enum class Quantity { Ttft, Tpot, Kv };

/// One number of the comparison and where it comes from.
struct Figure {
    /// Kept: predicted from a calibration of earlier, perhaps of another machine; Unreliable: from one that others disturbed;
    /// Disturbed: measured while they slowed it.
    enum class Source { Unknown, Computed, Predicted, Kept, Unreliable, Measured, Disturbed };
    double value = 0;
    Source source = Source::Unknown;
};
/// The current map beside full attention, both from the same source.
struct Comparison {
    Figure current, full;
};

/// Under what times are predicted and memory is counted, beside the map and the context.
struct Conditions {
    int batch = 1; ///< sequences at once
    int gpus = 1; ///< tensor parallel, over the cost model's link
    bool isElsewhere = false; ///< the cost model is of another machine, or of a profile that was chosen

    /// Whether what is measured in this window is measured under them: else predictions stand alone.
    bool isHere() const { return batch == 1 && gpus == 1 && !isElsewhere; }
    bool operator==(const Conditions &) const = default;
};

/// What an engine takes for one sequence, by its own way of counting; nothing where it cannot run the map.
struct EngineKv {
    QString engine; ///< as "vLLM"; empty: ours counts
    std::function<std::optional<double>(const HeadMap &map, std::int64_t context)> bytes = {};
};

/// The comparison behind the plots, the headline and the bars in the head map, without a widget: maps per series,
/// predicted curves and measured points. An edit recomputes the one series that it changed.
class PlottedMaps
{
    Q_DECLARE_TR_FUNCTIONS(zigzag::PlottedMaps)
public:
    /// Another model, or a bare shape: forgets the cost model and every result.
    void setModel(const ModelShape &shape, const std::optional<ModelConfig> &config);
    /// `kept`: the calibration is of earlier, and stands in until this machine has been calibrated.
    void setCost(CostModel cost, bool kept = false);
    void setConditions(const Conditions &conditions);
    const Conditions &conditions() const { return m_conditions; }
    /// Counts the memory that is shown as an engine does, from here on; the bars of single layers stay ours.
    void setEngineKv(EngineKv engine);
    const QString &kvEngine() const { return m_engineKv.engine; }
    /// Machine, batch and GPUs, where they are not those that is measured under; else empty.
    QString conditionsText() const;
    /// `scores` may be null: then there are no DuoAttention and Zigzag series. `sparsity` is that of these two.
    void setMaps(const HeadMap &current, const std::shared_ptr<const HeadScores> &scores, double sparsity);
    /// Variants of the map that are drawn beside it, at most `mostVariants` of them.
    struct Variant {
        QString name;
        HeadMap map;
    };
    static constexpr std::size_t mostVariants = 12;
    void setVariants(std::vector<Variant> variants);
    std::size_t variantCount() const { return m_variants.size(); }
    const QString &variantName(std::size_t variant) const { return m_variants[variant].name; }
    const HeadMap &variantMap(std::size_t variant) const { return *m_variants[variant].curves.map; }
    Measurements &measurements() { return m_measurements; }
    const Measurements &measurements() const { return m_measurements; }

    const std::optional<ModelConfig> &config() const { return m_config; }
    const CostModel &cost() const { return m_cost; }
    bool hasTimes() const { return m_cost.isFitted(); }
    /// Whether there are times that a disturbed calibration predicts (CostModel::isReliable).
    bool isUnreliable() const { return hasTimes() && !isKept() && !m_cost.isReliable(); }
    /// Whether times are predicted from a calibration of earlier.
    bool isKept() const { return hasTimes() && m_isKept; }
    /// Where and when that was: "kept, measured on AMD EPYC at 2026-11-28"; empty when nothing is kept.
    QString keptText() const;
    /// Whether the head dimension is known; without it KV is counted in keys rather than in bytes.
    bool hasBytes() const { return m_shape.headDim > 0; }
    double sparsity() const { return m_sparsity; }
    const std::vector<std::int64_t> &contexts() const { return m_contexts; }
    const HeadMap *map(Series series) const;

    /// [contexts]; empty when there is no such series, or no times yet.
    const std::vector<double> &predicted(Series series, Quantity quantity) const;
    struct Point {
        std::int64_t context = 0;
        double value = 0, spread = 0;
        bool disturbed = false; ///< by other programs (BenchRecord::isDisturbed)
        bool operator==(const Point &) const = default;
    };
    std::vector<Point> measured(Series series, Quantity quantity) const;
    /// The same of any map.
    std::vector<Point> measured(const HeadMap &map, Quantity quantity) const;
    const std::vector<double> &predictedOfVariant(std::size_t variant, Quantity quantity) const;
    /// Median of |predicted − measured| / measured over the measured points of a quantity that were not disturbed, or nothing.
    std::optional<double> predictionError(Quantity quantity) const;
    /// Whether a quantity was measured, but never on a machine that was left alone.
    bool isOnlyDisturbed(Quantity quantity) const;

    Workload work(Phase phase, std::int64_t context) const;
    /// As predicted under the conditions.
    Estimate estimate(const HeadMap &map, Phase phase, std::int64_t context) const;
    /// Bytes of all sequences, as the engine counts them that is asked; nothing where it cannot run the map.
    std::optional<double> shownKv(const HeadMap &map, std::int64_t context) const;
    /// Bytes of keys and values of one sequence in our layout, or the number of keys where the head dimension is not known.
    double kv(const HeadMap &map, std::int64_t context) const;
    double layerKv(const HeadMap &map, int layer, std::int64_t context) const;
    Comparison compare(Quantity quantity, std::int64_t context) const;
    /// Needle accuracy of the current map and of full attention.
    Comparison compareNeedle() const;

private:
    struct Curves {
        std::optional<HeadMap> map;
        std::array<std::vector<double>, 3> values; // [quantity][contexts]
    };
    Curves &curves(Series series) { return m_curves[static_cast<std::size_t>(series)]; }
    const Curves &curves(Series series) const { return m_curves[static_cast<std::size_t>(series)]; }
    void setMap(Curves &target, std::optional<HeadMap> map);
    void predictAll();
    void predict(Curves &curves) const;

    ModelShape m_shape;
    std::optional<ModelConfig> m_config;
    CostModel m_cost;
    Conditions m_conditions;
    EngineKv m_engineKv;
    bool m_isKept = false;
    std::shared_ptr<const HeadScores> m_scores;
    double m_sparsity = 0.5;
    std::vector<std::int64_t> m_contexts;
    std::array<Curves, allSeries.size()> m_curves;
    struct Named {
        QString name;
        Curves curves;
    };
    std::vector<Named> m_variants;
    Measurements m_measurements;
};

/// The contexts that are worth drawing for a model: powers of two up to its longest, at most eight.
std::vector<std::int64_t> plottedContexts(std::int64_t maxContext);

} // namespace zigzag
