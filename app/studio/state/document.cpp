// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/document.h"

#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/map_io.h"

#include <algorithm>

namespace zigzag {

/// A step from one state to another. Steps of one series merge, so that a slider's journey is one undo.
class StateCommand : public QUndoCommand
{
public:
    StateCommand(Document &document, DocumentState before, DocumentState after, const QString &text, int series)
        : QUndoCommand(text)
        , m_document(document)
        , m_before(std::move(before))
        , m_after(std::move(after))
        , m_series(series)
    { }
    void undo() override { m_document.apply(m_before); }
    void redo() override { m_document.apply(m_after); }
    int id() const override { return m_series; }
    bool mergeWith(const QUndoCommand *other) override
    {
        m_after = static_cast<const StateCommand *>(other)->m_after; // QUndoStack asks only for equal ids
        setObsolete(m_before == m_after);
        return true;
    }

private:
    Document &m_document;
    DocumentState m_before, m_after;
    int m_series;
};

namespace {

/// What the assign panel shows of a map that was not assigned here: its share of streaming heads and, where it says so, the
/// criterion that made it.
void describeMap(DocumentState &state)
{
    state.sparsity = state.map.sparsity();
    if (findCriterion(state.map.provenance().criterion))
        state.criterion = QString::fromStdString(state.map.provenance().criterion);
}

/// After an edit by hand: the map is no longer what was assigned.
void noteEdit(DocumentState &state)
{
    state.sparsity = state.map.sparsity();
    state.ties.reset();
}

} // namespace

Document::Document(QObject *parent)
    : QObject(parent)
{
    m_variants.push_back(keptFrom({tr("map"), {}, {}, {}, {}}));
    takeFront(0);
}

void Document::begin(HeadMap map, std::filesystem::path path, std::shared_ptr<const HeadScores> scores)
{
    DocumentState state;
    state.locked.assign(static_cast<std::size_t>(map.layers()), false);
    state.map = std::move(map);
    describeMap(state);
    state.scores = std::move(scores);
    m_path = std::move(path);
    beginFrom(state);
    Q_EMIT pathChanged(); // to who then reads the new state
}

void Document::beginFrom(const DocumentState &state)
{
    m_beforeStroke.reset();
    const HeadMap &before = m_state.map;
    if (m_variants.size() > 1 && (state.map.layers() != before.layers() || state.map.kvHeads() != before.kvHeads())) {
        Kept front = std::move(m_variants[m_variant]);
        m_variants.clear();
        m_variants.push_back(std::move(front));
        m_variant = 0;
        Q_EMIT variantsChanged();
    }
    undoStack().clear();
    m_shape = state.map.model();
    m_saved = state.map;
    apply(state);
}

void Document::setModel(const ModelShape &model)
{
    m_shape = model;
    if (model.layers == m_saved.layers() && model.kvHeads == m_saved.kvHeads())
        m_saved.setModel(model);
    for (std::size_t index = 0; index < m_variants.size(); ++index)
        for (HeadMap *map : {&m_variants[index].state.map, &m_variants[index].saved})
            if (index != m_variant && map->layers() == model.layers && map->kvHeads() == model.kvHeads)
                map->setModel(model);
    apply(m_state);
}

void Document::apply(const DocumentState &state)
{
    m_state = state;
    if (m_shape.layers == m_state.map.layers() && m_shape.kvHeads == m_state.map.kvHeads())
        m_state.map.setModel(m_shape);
    Q_EMIT changed();
    if (m_wasModified != isModified()) {
        m_wasModified = isModified();
        Q_EMIT modifiedChanged(m_wasModified);
    }
}

void Document::push(DocumentState next, const QString &text, Series series)
{
    if (inStroke())
        endStroke();
    if (next == m_state)
        return;
    // Ids of series are positive and differ with every series; −1 never merges.
    const int id = series == Series::None ? -1 : m_series * 4 + static_cast<int>(series);
    if (series == Series::None)
        endSeries();
    undoStack().push(new StateCommand(*this, m_state, std::move(next), text, id));
}

Result<void> Document::save(const std::filesystem::path &path)
{
    if (inStroke())
        endStroke();
    ZIGZAG_CHECK(writeHeadMap(m_state.map, path));
    m_path = path;
    m_saved = m_state.map;
    Q_EMIT pathChanged();
    apply(m_state);
    return {};
}

/// True, and said, where all of what is to be edited is in local layers.
bool Document::refusesLocal(const std::vector<Cell> &cells)
{
    const auto isLocal = [this](const Cell &cell) { return m_state.map.isLocal(cell.layer); };
    if (cells.empty() || !std::all_of(cells.begin(), cells.end(), isLocal))
        return false;
    Q_EMIT localLayerAsked(cells.front().layer);
    return true;
}

void Document::setKind(const std::vector<Cell> &cells, HeadKind kind)
{
    if (refusesLocal(cells))
        return;
    DocumentState next = m_state;
    for (const Cell &cell : cells)
        next.map.set(cell.layer, cell.head, kind);
    if (next.map != m_state.map)
        noteEdit(next);
    push(std::move(next), kind == HeadKind::Streaming ? tr("let heads stream") : tr("let heads retrieve"));
}

void Document::toggle(const std::vector<Cell> &cells)
{
    if (refusesLocal(cells))
        return;
    DocumentState next = m_state;
    for (const Cell &cell : cells)
        next.map.set(cell.layer, cell.head,
                     m_state.map.at(cell.layer, cell.head) == HeadKind::Streaming ? HeadKind::Retrieval : HeadKind::Streaming);
    if (!cells.empty())
        noteEdit(next);
    push(std::move(next), tr("flip heads"));
}

void Document::toggleLayer(int layer)
{
    if (refusesLocal({{layer, 0}}))
        return;
    DocumentState next = m_state;
    next.map.setLayer(layer, m_state.map.layerKind(layer) == LayerKind::Streaming ? HeadKind::Retrieval : HeadKind::Streaming);
    noteEdit(next);
    push(std::move(next), tr("flip layer %1").arg(layer));
}

void Document::applyMap(const HeadMap &map)
{
    if (map.layers() != m_state.map.layers() || map.kvHeads() != m_state.map.kvHeads())
        return;
    DocumentState next = m_state;
    next.map = map;
    next.map.setModel(m_state.map.model());
    next.ties.reset();
    describeMap(next);
    push(std::move(next), tr("apply a map"));
}

void Document::setWindow(int sink, int recent)
{
    DocumentState next = m_state;
    next.map.setWindow(sink, recent);
    push(std::move(next), tr("change sink and recent"), Series::Window);
}

void Document::setScores(std::shared_ptr<const HeadScores> scores)
{
    DocumentState next = m_state;
    next.scores = std::move(scores);
    next.ties.reset();
    push(std::move(next), tr("change scores"));
}

void Document::toggleLocks(const std::vector<int> &asked)
{
    std::vector<int> layers;
    for (const int layer : asked)
        if (!m_state.map.isLocal(layer))
            layers.push_back(layer);
    if (layers.empty() && !asked.empty()) {
        Q_EMIT localLayerAsked(asked.front());
        return;
    }
    DocumentState next = m_state;
    const bool all
        = std::all_of(layers.begin(), layers.end(), [&](int layer) { return next.locked[static_cast<std::size_t>(layer)]; });
    for (const int layer : layers)
        next.locked[static_cast<std::size_t>(layer)] = !all;
    push(std::move(next), all ? tr("unlock layers") : tr("lock layers"));
}

Result<DocumentState> Document::assigned(const QString &criterion, const Target &target) const
{
    if (!m_state.scores)
        return badInput(tr("There are no scores to assign by: score the model, or import a score file").toStdString());
    AssignRequest request;
    request.criterion = criterion.toStdString();
    request.target = target;
    request.windows = m_state.map.windows();
    request.locked = m_state.locked;
    request.base = &m_state.map;
    HeadScores scores = *m_state.scores; // a score file may know less of the model than we do
    scores.model.fileWindows = m_state.map.model().fileWindows;
    ZIGZAG_TRY(assignment, assignHeads(scores, request));
    DocumentState next = m_state;
    next.map = std::move(assignment.map);
    next.map.setModel(m_state.map.model());
    next.criterion = criterion;
    const auto *wanted = std::get_if<SparsityTarget>(&target);
    next.sparsity = wanted ? wanted->sparsity : next.map.sparsity();
    next.ties = assignment.ties;
    return next;
}

Result<void> Document::assign(const QString &criterion, double sparsity)
{
    return assign(criterion, Target(SparsityTarget{sparsity}));
}

Result<void> Document::assign(const QString &criterion, const Target &target)
{
    ZIGZAG_TRY(next, assigned(criterion, target));
    push(std::move(next), tr("assign by %1").arg(criterion), Series::Assign);
    return {};
}

Result<void> Document::assignByPattern(const LayerPattern &pattern)
{
    ZIGZAG_TRY(map, zigzag::assignByPattern(m_state.map.model(), {pattern, m_state.map.windows(), m_state.locked, &m_state.map}));
    DocumentState next = m_state;
    next.map = std::move(map);
    noteEdit(next);
    push(std::move(next), tr("assign by place"));
    return {};
}

Result<void> Document::makeExclusive()
{
    ZIGZAG_TRY(next, assigned(QStringLiteral("zigzag"), SparsityTarget{m_state.map.sparsity()}));
    push(std::move(next), tr("make exclusive"));
    return {};
}

void Document::beginStroke(HeadKind kind)
{
    m_beforeStroke = m_state;
    m_stroke = kind;
}

void Document::touch(int layer, int head)
{
    if (inStroke() && m_state.map.isLocal(layer)) {
        if (m_state.map == m_beforeStroke->map) // else the brush only passes by
            Q_EMIT localLayerAsked(layer);
        return;
    }
    if (!inStroke() || m_state.map.at(layer, head) == m_stroke)
        return;
    DocumentState next = m_state;
    next.map.set(layer, head, m_stroke);
    next.ties.reset();
    apply(next);
}

void Document::endStroke()
{
    if (!inStroke())
        return;
    DocumentState after = m_state;
    if (after.map != m_beforeStroke->map)
        noteEdit(after);
    m_state = *m_beforeStroke;
    m_beforeStroke.reset();
    push(std::move(after), m_stroke == HeadKind::Streaming ? tr("let heads stream") : tr("let heads retrieve"));
}

void Document::abandonStroke()
{
    if (!inStroke())
        return;
    const DocumentState before = *m_beforeStroke;
    m_beforeStroke.reset();
    apply(before);
}

} // namespace zigzag
