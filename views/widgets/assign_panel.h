// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"

#include <QWidget>
#include <optional>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;

namespace zigzag {

/// What the assign panel shows of the document.
struct AssignView {
    QString scores; ///< where the scores come from; empty = there are none
    QString scoresTip; ///< what an import changed
    QString criterion;
    double sparsity = 0;
    int sink = 0;
    int recent = 0;
    int heads = 0;
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
    void windowAsked(int sink, int recent);
    void exclusiveAsked();
    void scoreAsked();
    void importAsked();
    void editingEnded(); ///< what follows is another undo step

private:
    void build();
    void ask();

    QLabel *m_scores;
    QPushButton *m_score;
    QPushButton *m_import;
    QComboBox *m_criterion;
    QSlider *m_slider;
    QDoubleSpinBox *m_sparsity;
    QSpinBox *m_sink;
    QSpinBox *m_recent;
    QPushButton *m_assign;
    QPushButton *m_exclusive;
    struct {
        QLabel *streaming, *mixed, *flipped, *demoted, *transport, *ties;
    } m_outcome;
};

} // namespace zigzag
