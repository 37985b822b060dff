// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"
#include "views/models/trace_lane.h"

#include <QObject>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag {

/// Which lanes the host's spans are laid into.
enum class LaneOrder {
    Nested, ///< forward pass, layer, op, what runs inside an op
    ByOp, ///< a lane per op
};

/// Consecutive spans of one layer within one pass, which the trace itself has no span for.
struct LayerRun {
    std::int64_t beginNs = 0, endNs = 0;
    std::uint16_t row = 0; ///< of the trace
    std::int16_t layer = 0;
    LayerKind kind = LayerKind::Retrieval;
};

/// A trace laid out for a timeline, without a widget: lanes of spans above, of several ranks each rank's, with one in which it
/// waits for the others and exchanges with them; of GPU kernels below; what a search or a selection
/// emphasises, and what can be said of an item. Linear in the number of spans when the trace or the emphasis changes; what a
/// frame asks is logarithmic.
class TraceModel : public QObject
{
    Q_OBJECT
public:
    struct Item {
        int lane = -1;
        std::int32_t entry = -1;
        bool isValid() const { return lane >= 0; }
        bool operator==(const Item &) const = default;
    };

    using QObject::QObject;

    /// Null = nothing to see.
    void show(std::shared_ptr<const Trace> trace);
    void setOrder(LaneOrder order);
    /// Emphasises what holds every word in its op, layer or kind, or as a kernel in its name or in the span that launched it;
    /// without words, the layers and the ops; without any, everything is alike.
    void setSearch(const QString &text);
    void setLayers(const std::vector<int> &layers);
    void setOps(const std::vector<Op> &ops);

    const Trace *trace() const { return m_trace.get(); }
    LaneOrder order() const { return m_order; }
    const QString &search() const { return m_search; }
    bool hasEmphasis() const { return !m_search.isEmpty() || !m_layers.empty() || !m_ops.empty(); }
    const std::vector<TraceLane> &lanes() const { return m_lanes; }
    const LayerRun &layerRun(std::int32_t index) const { return m_layerRuns[static_cast<std::size_t>(index)]; }

    const TraceLane::Entry &entry(const Item &item) const;
    /// The span of an item; of a kernel the one that launched it; null for a layer, and where it is not known.
    const TraceSpan *span(const Item &item) const;
    std::optional<Op> opOf(const Item &item) const;
    int layerOf(const Item &item) const; ///< −1: none
    std::optional<LayerKind> kindOf(const Item &item) const; ///< of its layer
    /// What stands in the box, and its shorter form.
    QString label(const Item &item) const;
    /// Several lines: layer, kind, duration, bytes, rate against the floor.
    QString describe(const Item &item) const;

    /// Items that the search and the selection emphasise, over the lanes of spans (or kernels) that are not summaries.
    int matches() const { return m_matches; }
    /// The next emphasised item after `from` in time (or before it), over all lanes; the first one when `from` is invalid.
    Item nextMatch(const Item &from, bool backwards) const;

Q_SIGNALS:
    void changed(); ///< another trace or other lanes
    void emphasisChanged();

private:
    void layOut();
    void layOutSpans(std::uint16_t row);
    QString laneName(const QString &name, std::uint16_t row) const;
    /// Of an item in a lane of collectives: which one, and whether the item is its wait.
    const CollectiveSpan &collectiveOf(std::int32_t source, bool &isWait) const;
    void emphasise();
    bool matchesSearch(const QString &text) const;

    std::shared_ptr<const Trace> m_trace;
    LaneOrder m_order = LaneOrder::Nested;
    std::vector<TraceLane> m_lanes;
    std::vector<LayerRun> m_layerRuns;
    QString m_search;
    QStringList m_words;
    std::vector<int> m_layers;
    std::vector<Op> m_ops;
    int m_matches = 0;
};

QString nameOfOp(Op op);
/// "1.2 GB/s", "85 GFLOP/s".
QString rateText(double perSecond, const QString &unit);

} // namespace zigzag
