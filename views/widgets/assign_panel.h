// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"
#include "engine/map/layer_pattern.h"

#include <QWidget>
#include <optional>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;
class QStackedWidget;

namespace zigzag {

class PatternPanel;

/// How much streams is asked for in one of these ways.
enum class AssignBy { Sparsity, Layers, KvBudget, TpotBudget };

/// What the assign panel shows of the document.
struct AssignView {
    QString scores; ///< where the scores come from; empty = there are none
    QString scoresTip; ///< what an import changed
    QString criterion;
    double sparsity = 0;
    std::optional<StreamingWindow> window = StreamingWindow{}; ///< of all layers; nothing where they differ
    int layers = 0; ///< that a map decides, as the heads
    int localLayers = 0; ///< besides: those that keep the window of the model's own file
    int heads = 0;
    QString context; ///< at which budgets hold, as "2K"
    std::optional<double> kvBytes; ///< of this map there; nothing while the head size is not known
    std::optional<double> tpotMs; ///< predicted there; nothing while there are no times
    QString grouping; ///< how its number of streaming layers suits the engine that will serve it; empty: nothing to say
    int mixedLayers = 0;
    int streamingHeads = 0;
    std::optional<Sacrifice> lost; ///< nothing without scores
    std::optional<int> ties; ///< of the last assignment, while the map is still what it decided
    bool canScore = false; ///< a model is loaded that can be scored
    QString whyNoScore;
};

/// Chooses which heads stream by criterion and sparsity, and shows what that costs. Says what was asked; changes nothing.
class AssignPanel : public QWidget
{
    Q_OBJECT
public:
    explicit AssignPanel(QWidget *parent = nullptr);
    void show(const AssignView &view);

Q_SIGNALS:
    void assignAsked(const QString &criterion, double sparsity);
    /// Another target than a sparsity: layers, bytes or milliseconds.
    void targetAsked(const QString &criterion, zigzag::AssignBy kind, double value);
    void patternAsked(const zigzag::LayerPattern &pattern);
    void windowAsked(int sink, int recent);
    void exclusiveAsked();
    void scoreAsked();
    void importAsked();
    void editingEnded(); ///< what follows is another undo step

private:
    void build();
    void ask();
    AssignBy kind() const;
    void chooseKind();
    void beginTargetsAt(const AssignView &view);
    void explainCriterion();
    void showTarget(const AssignView &view);

    QLabel *m_scores;
    QPushButton *m_score;
    QPushButton *m_import;
    QComboBox *m_criterion;
    QComboBox *m_kind;
    QStackedWidget *m_target; ///< a page for each AssignBy
    QSlider *m_slider;
    QDoubleSpinBox *m_sparsity;
    QSpinBox *m_layers;
    QDoubleSpinBox *m_kv;
    QDoubleSpinBox *m_tpot;
    QLabel *m_now; ///< what the map takes, beside what is asked of it
    AssignView m_shown;
    bool m_asked = false; ///< what is shown next is the answer to what was asked here
    QSpinBox *m_sink;
    QSpinBox *m_recent;
    QPushButton *m_assign;
    QPushButton *m_exclusive;
    PatternPanel *m_pattern;
    struct {
        QLabel *streaming, *mixed, *flipped, *demoted, *transport, *ties;
    } m_outcome;
};

} // namespace zigzag
