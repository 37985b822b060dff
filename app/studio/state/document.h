// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"
#include "engine/map/layer_pattern.h"
#include "engine/map/target.h"

#include <QObject>
#include <QString>
#include <QUndoGroup>
#include <QUndoStack>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag {

/// Everything that an edit can change and an undo brings back.
struct DocumentState {
    HeadMap map;
    std::shared_ptr<const HeadScores> scores; ///< null = none
    std::vector<bool> locked; ///< [layers]: kept as they are by an assignment
    QString criterion = QStringLiteral("zigzag"); ///< what the assign panel stands at
    double sparsity = 0.0; ///< what was asked of the assignment that made the map; of any other map, what it has
    std::optional<int> ties; ///< of the assignment that made the map; gone with the next edit

    bool operator==(const DocumentState &) const = default;
};

struct Cell {
    int layer = 0;
    int head = 0;
};

/// One of several maps that a person works out for one model.
struct MapVariant {
    QString name;
    QString notes; ///< a person's own words
    DocumentState state;
    HeadMap saved; ///< as its file has it, or as it began
    std::filesystem::path path; ///< of its file; empty: none
};

/// The map being edited, its scores, and their history. Each edit is one step of undo. There may be several variants of the map,
/// one of which is being edited; each has a history of its own.
class Document : public QObject
{
    Q_OBJECT
public:
    explicit Document(QObject *parent = nullptr);

    const DocumentState &state() const { return m_state; }
    const HeadMap &map() const { return m_state.map; }
    QUndoStack &undoStack() { return *m_variants[m_variant].undo; }
    /// Whose active stack is the history of the variant in front.
    QUndoGroup &undoGroup() { return m_undoGroup; }
    const std::filesystem::path &path() const { return m_path; }
    const ModelShape &model() const { return m_shape; }
    /// What is known of the map's model by now, for every step of the history: its fingerprint comes with its weights.
    void setModel(const ModelShape &model);
    /// Whether the map differs from its file, or from what it began as: an edit that is taken back leaves no trace.
    bool isModified() const { return m_state.map != m_saved; }
    /// Nobody has changed anything yet, and it comes from no file.
    bool isUntouched() const { return m_path.empty() && m_variants[m_variant].undo->count() == 0 && !isModified(); }

    // Variants; there is always one. Names differ.
    int variants() const { return static_cast<int>(m_variants.size()); }
    int variant() const { return static_cast<int>(m_variant); }
    MapVariant variantAt(int index) const;
    /// Without a copy; valid until the next edit.
    const HeadMap &variantMap(int index) const
    {
        return index == variant() ? m_state.map : m_variants[static_cast<std::size_t>(index)].state.map;
    }
    QString variantName(int index) const { return m_variants[static_cast<std::size_t>(index)].name; }
    /// A copy of the variant in front, which is edited from now on; history begins anew. Returns its index.
    int duplicateVariant(const QString &name);
    void showVariant(int index);
    void renameVariant(int index, const QString &name);
    void setVariantNotes(int index, const QString &notes);
    /// Not the last one.
    void removeVariant(int index);
    /// `name`, or with a number behind where a variant has it.
    QString freeVariantName(const QString &name) const;
    /// All of them anew, as a file has them; at least one, and all of one model. Histories are forgotten.
    void beginVariants(const std::vector<MapVariant> &variants, int current);

    /// Begins anew with another map; history is forgotten. Other variants stay where they are of the same layers and KV heads.
    void begin(HeadMap map, std::filesystem::path path, std::shared_ptr<const HeadScores> scores = {});
    /// What a start-up decides by itself: no step of undo, and nothing to save.
    void beginFrom(const DocumentState &state);
    Result<void> save(const std::filesystem::path &path);

    // Heads of local layers (HeadMap::isLocal) are left as they are; what was asked of such heads alone is refused
    // (localLayerAsked).
    void setKind(const std::vector<Cell> &cells, HeadKind kind);
    void toggle(const std::vector<Cell> &cells);
    /// The whole layer to one kind: streaming unless it streams already.
    void toggleLayer(int layer);
    void setWindow(int sink, int recent); ///< of all layers
    /// Another map of the same model, window and all, as one step; locks do not hold against a map that was chosen whole.
    void applyMap(const HeadMap &map);
    void setScores(std::shared_ptr<const HeadScores> scores);
    void toggleLocks(const std::vector<int> &layers);
    /// By criterion; locked layers keep their heads.
    Result<void> assign(const QString &criterion, double sparsity);
    Result<void> assign(const QString &criterion, const Target &target);
    /// By the layers' places; scores are neither asked nor lost. Locked layers keep their heads.
    Result<void> assignByPattern(const LayerPattern &pattern);
    /// By zigzag, at the sparsity that the map has.
    Result<void> makeExclusive();

    // A stroke of the brush: seen at once, one step of undo when it ends.
    void beginStroke(HeadKind kind);
    void touch(int layer, int head);
    void endStroke();
    void abandonStroke();
    bool inStroke() const { return m_beforeStroke.has_value(); }

    /// Ends a series of edits that count as one step, such as the moves of a slider.
    void endSeries() { ++m_series; }

Q_SIGNALS:
    void changed();
    void modifiedChanged(bool modified);
    void pathChanged();
    /// Their number, their names, or which of them is in front.
    void variantsChanged();
    /// An edit was asked of layers that the model's own file makes local, this one and perhaps others: nothing was done.
    void localLayerAsked(int layer);

private:
    friend class StateCommand;
    enum class Series { None, Window, Assign };
    void apply(const DocumentState &state);
    void push(DocumentState next, const QString &text, Series series = Series::None);
    bool refusesLocal(const std::vector<Cell> &cells);
    Result<DocumentState> assigned(const QString &criterion, const Target &target) const;

    struct Kept {
        QString name, notes;
        std::unique_ptr<QUndoStack> undo;
        // Of the variant in front, these are the members below.
        DocumentState state = {};
        HeadMap saved = {};
        std::filesystem::path path = {};
    };
    Kept keptFrom(const MapVariant &variant);
    void putAside();
    void takeFront(std::size_t index);

    QUndoGroup m_undoGroup;
    std::vector<Kept> m_variants;
    std::size_t m_variant = 0;
    ModelShape m_shape;
    DocumentState m_state;
    HeadMap m_saved;
    std::filesystem::path m_path;
    std::optional<DocumentState> m_beforeStroke;
    HeadKind m_stroke = HeadKind::Streaming;
    int m_series = 0;
    bool m_wasModified = false;
};

} // namespace zigzag
