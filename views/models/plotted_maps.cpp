// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/plotted_maps.h"

#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/kv_layout.h"
#include "engine/map/run_alike.h"
#include "profiler/compare/prediction_error.h"
#include "views/models/text.h"

#include <QStringList>
#include <algorithm>
#include <bit>
#include <cmath>

namespace zigzag {

namespace {

/// Maps without a model are drawn as far as today's models go.
constexpr std::int64_t longestWithoutModel = 1 << 20;

/// With the windows of `current`.
std::optional<HeadMap> assigned(const HeadScores *scores, std::string_view criterion, double sparsity, const HeadMap &current)
{
    if (!scores)
        return {};
    AssignRequest request;
    request.criterion = criterion;
    request.target = SparsityTarget{sparsity};
    request.windows = current.windows();
    HeadScores known = *scores; // the scores' file may know neither the head dimension nor which layers are local
    known.model.fileWindows = current.model().fileWindows;
    auto assignment = assignHeads(known, request);
    if (!assignment)
        return {};
    assignment->map.setModel(current.model());
    return std::move(assignment->map);
}

} // namespace

std::vector<std::int64_t> plottedContexts(std::int64_t maxContext)
{
    const auto top = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(maxContext, 1))));
    std::vector<std::int64_t> contexts;
    for (std::int64_t context = std::max<std::int64_t>(top / 128, std::min<std::int64_t>(64, top)); context <= top; context *= 2)
        contexts.push_back(context);
    return contexts;
}

void PlottedMaps::setModel(const ModelShape &shape, const std::optional<ModelConfig> &config)
{
    m_shape = shape;
    m_config = config;
    m_cost = {};
    m_isKept = false;
    m_measurements.clear();
    m_scores.reset();
    m_contexts = plottedContexts(config ? config->maxContext : longestWithoutModel);
    m_curves = {};
    m_variants.clear();
}

void PlottedMaps::setCost(CostModel cost, bool kept)
{
    m_cost = std::move(cost);
    m_isKept = kept;
    predictAll();
}

void PlottedMaps::setConditions(const Conditions &conditions)
{
    if (conditions == m_conditions)
        return;
    m_conditions = conditions;
    predictAll();
}

void PlottedMaps::setEngineKv(EngineKv engine)
{
    if (engine.engine.isEmpty() && m_engineKv.engine.isEmpty())
        return;
    m_engineKv = std::move(engine);
    predictAll();
}

QString PlottedMaps::conditionsText() const
{
    QStringList parts;
    if (m_conditions.isElsewhere && hasTimes())
        parts << QString::fromStdString(m_cost.machine().device);
    if (m_conditions.batch > 1)
        parts << tr("batch %1").arg(m_conditions.batch);
    if (m_conditions.gpus > 1)
        parts << tr("%1 GPUs").arg(m_conditions.gpus);
    return parts.join(QStringLiteral(", "));
}

Workload PlottedMaps::work(Phase phase, std::int64_t context) const
{
    return {.phase = phase, .context = context, .batch = m_conditions.batch, .gpus = m_conditions.gpus};
}

Estimate PlottedMaps::estimate(const HeadMap &map, Phase phase, std::int64_t context) const
{
    return m_cost.estimate(map, work(phase, context));
}

std::optional<double> PlottedMaps::shownKv(const HeadMap &map, std::int64_t context) const
{
    const auto one = m_engineKv.engine.isEmpty() ? std::optional(kv(map, context)) : m_engineKv.bytes(map, context);
    return one ? std::optional(*one * m_conditions.batch) : std::nullopt;
}

void PlottedMaps::setMaps(const HeadMap &current, const std::shared_ptr<const HeadScores> &scores, double sparsity)
{
    const HeadMap *before = map(Series::Current);
    const bool windowMoved = !before || before->windows() != current.windows();
    if (!curves(Series::Full).map)
        setMap(curves(Series::Full), current.withEvery(HeadKind::Retrieval));
    if (windowMoved || scores != m_scores || sparsity != m_sparsity) {
        m_scores = scores;
        m_sparsity = sparsity;
        setMap(curves(Series::Duo), assigned(m_scores.get(), "duo", m_sparsity, current));
        setMap(curves(Series::Zigzag), assigned(m_scores.get(), "zigzag", m_sparsity, current));
    }
    setMap(curves(Series::Current), current);
}

const HeadMap *PlottedMaps::map(Series series) const
{
    const Curves &found = curves(series);
    return found.map ? &*found.map : nullptr;
}

void PlottedMaps::setVariants(std::vector<Variant> variants)
{
    variants.resize(std::min(variants.size(), mostVariants));
    m_variants.resize(variants.size()); // of those before, curves of the same map are kept
    for (std::size_t i = 0; i < variants.size(); ++i) {
        m_variants[i].name = std::move(variants[i].name);
        setMap(m_variants[i].curves, std::move(variants[i].map));
    }
}

void PlottedMaps::predictAll()
{
    for (Curves &each : m_curves)
        predict(each);
    for (Named &each : m_variants)
        predict(each.curves);
}

void PlottedMaps::setMap(Curves &target, std::optional<HeadMap> map)
{
    const bool same = target.map && map && runAlike(*target.map, *map) && target.map->model() == map->model();
    target.map = std::move(map);
    const bool isNew = kvEngine().isEmpty() && target.values[static_cast<std::size_t>(Quantity::Kv)].empty();
    if (!same || isNew)
        predict(target);
}

void PlottedMaps::predict(Curves &target) const
{
    target.values = {};
    if (!target.map)
        return;
    auto &[ttft, tpot, kvValues] = target.values;
    for (const std::int64_t context : m_contexts) {
        if (const auto bytes = shownKv(*target.map, context))
            kvValues.push_back(*bytes);
        if (!hasTimes())
            continue;
        ttft.push_back(estimate(*target.map, Phase::Prefill, context).ms);
        tpot.push_back(estimate(*target.map, Phase::Decode, context).ms);
    }
    if (kvValues.size() != m_contexts.size())
        kvValues.clear(); // a curve is whole or not there
}

const std::vector<double> &PlottedMaps::predicted(Series series, Quantity quantity) const
{
    return curves(series).values[static_cast<std::size_t>(quantity)];
}

const std::vector<double> &PlottedMaps::predictedOfVariant(std::size_t variant, Quantity quantity) const
{
    return m_variants[variant].curves.values[static_cast<std::size_t>(quantity)];
}

std::vector<PlottedMaps::Point> PlottedMaps::measured(Series series, Quantity quantity) const
{
    const HeadMap *of = map(series);
    return of ? measured(*of, quantity) : std::vector<Point>();
}

std::vector<PlottedMaps::Point> PlottedMaps::measured(const HeadMap &of, Quantity quantity) const
{
    std::vector<Point> points;
    if (!m_conditions.isHere() || (quantity == Quantity::Kv && !kvEngine().isEmpty()))
        return points; // of something else than what is shown
    const Phase phase = quantity == Quantity::Ttft ? Phase::Prefill : Phase::Decode;
    for (const BenchRecord &record : m_measurements.all(of, phase)) {
        if (quantity == Quantity::Kv)
            points.push_back({record.context, static_cast<double>(record.kvBytesAllocated), 0, false});
        else
            points.push_back({record.context, record.medianMs, record.spreadMs, record.isDisturbed()});
    }
    return points;
}

std::optional<double> PlottedMaps::predictionError(Quantity quantity) const
{
    if (quantity == Quantity::Kv || !hasTimes())
        return {};
    const Phase phase = quantity == Quantity::Ttft ? Phase::Prefill : Phase::Decode;
    std::vector<PredictedPoint> points;
    for (const Series series : allSeries)
        for (const Point &point : measured(series, quantity))
            points.push_back({m_cost.estimate(*map(series), phase, point.context).ms, point.value, point.disturbed});
    const PredictionError error = zigzag::predictionError(points);
    return error.count > 0 ? std::optional(error.median) : std::nullopt;
}

bool PlottedMaps::isOnlyDisturbed(Quantity quantity) const
{
    bool any = false;
    for (const Series series : allSeries)
        for (const Point &point : measured(series, quantity)) {
            if (!point.disturbed)
                return false;
            any = true;
        }
    return any;
}

double PlottedMaps::layerKv(const HeadMap &map, int layer, std::int64_t context) const
{
    if (hasBytes())
        return static_cast<double>(KvLayout(map, context, m_config ? m_config->kvType : DType::BF16).layerBytes(layer));
    std::int64_t keys = 0;
    for (int head = 0; head < map.kvHeads(); ++head)
        keys += map.pattern(layer, head).slots(context);
    return static_cast<double>(keys);
}

double PlottedMaps::kv(const HeadMap &map, std::int64_t context) const
{
    if (hasBytes())
        return static_cast<double>(kvBytes(map, context, m_config ? m_config->kvType : DType::BF16));
    double sum = 0;
    for (int layer = 0; layer < map.layers(); ++layer)
        sum += layerKv(map, layer, context);
    return sum;
}

Comparison PlottedMaps::compare(Quantity quantity, std::int64_t context) const
{
    const HeadMap *current = map(Series::Current);
    const HeadMap *full = map(Series::Full);
    if (!current || !full)
        return {};
    if (quantity == Quantity::Kv) {
        const auto ofCurrent = shownKv(*current, context), ofFull = shownKv(*full, context);
        if (!ofCurrent || !ofFull)
            return {};
        return {{*ofCurrent, Figure::Source::Computed}, {*ofFull, Figure::Source::Computed}};
    }
    const Phase phase = quantity == Quantity::Ttft ? Phase::Prefill : Phase::Decode;
    const BenchRecord *currentRecord = m_measurements.find(*current, phase, context);
    const BenchRecord *fullRecord = m_measurements.find(*full, phase, context);
    if (currentRecord && fullRecord && m_conditions.isHere()) {
        const bool calm = !currentRecord->isDisturbed() && !fullRecord->isDisturbed();
        const auto source = calm ? Figure::Source::Measured : Figure::Source::Disturbed;
        return {{currentRecord->medianMs, source}, {fullRecord->medianMs, source}};
    }
    if (!hasTimes())
        return {};
    const auto source = isKept() ? Figure::Source::Kept : isUnreliable() ? Figure::Source::Unreliable : Figure::Source::Predicted;
    return {{estimate(*current, phase, context).ms, source}, {estimate(*full, phase, context).ms, source}};
}

QString PlottedMaps::keptText() const
{
    if (!isKept())
        return {};
    return tr("kept, measured on %1 at %2")
        .arg(QString::fromStdString(m_cost.machine().device), QString::fromStdString(m_cost.measured()));
}

Comparison PlottedMaps::compareNeedle() const
{
    Comparison comparison;
    const auto fill = [this](Series series, Figure &figure) {
        const HeadMap *of = map(series);
        if (const NeedleResult *result = of ? m_measurements.needle(*of) : nullptr; result && result->isComplete())
            figure = {result->accuracy, Figure::Source::Measured};
    };
    fill(Series::Current, comparison.current);
    fill(Series::Full, comparison.full);
    return comparison;
}

} // namespace zigzag
