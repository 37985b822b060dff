// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "views/models/head_map_geometry.h"
#include "views/widgets/exhibit.h"
#include "views/widgets/head_map_painter.h"

#include <QAbstractScrollArea>
#include <QItemSelectionModel>
#include <QPointer>

namespace zigzag {

class HeadMapModel;
class ScoreLegend;

/// The head map: a row per layer with what the layer costs. A click or a drag flips heads as a brush does (all to the kind
/// that the first one gets); with Shift it selects instead. It edits nothing itself: it says what the hand did.
class HeadMapView : public QAbstractScrollArea
{
    Q_OBJECT
public:
    explicit HeadMapView(HeadMapModel *model, QWidget *parent = nullptr);

    QItemSelectionModel *selectionModel() const { return m_selection; }
    /// Selected cells, or the current one when none is selected: what R, S and Space act on.
    QModelIndexList targets() const;
    std::vector<int> targetLayers() const;
    /// Layers with a selected head.
    std::vector<int> selectedLayers() const;
    /// Selects all heads of these layers and brings the first into sight.
    void selectLayers(const std::vector<int> &layers);
    const HeadMapGeometry &geometryOfMap() const { return m_geometry; }
    /// Of the columns beside the cells, in content coordinates.
    std::vector<HeadMapPainter::Heading> headings() const;
    /// A cell in viewport coordinates, as it is scrolled now.
    QRect visibleCell(int layer, int head) const;
    QRect visibleLayer(int layer) const;
    /// Headings over the two bars, which say at which context and whether measured.
    void setCostTitles(const QString &kv, const QString &time);
    /// Every row, also those that are scrolled out of sight, under the legend; the numbers are a line per layer.
    Exhibit exhibit(const ScoreLegend *legend);
    QSize minimumSizeHint() const override;
    /// Layers from the highest score to the lowest, while there are scores; whatever is said of layers keeps their numbers.
    void setOrderedByScore(bool ordered);
    bool isOrderedByScore() const { return m_byScore; }
    /// Every cell wide enough for its score.
    void setNumbersShown(bool shown);
    bool areNumbersShown() const { return m_numbers; }
    void setEditable(bool editable) { m_editable = editable; }

Q_SIGNALS:
    void strokeBegan(HeadKind kind);
    void strokeTouched(int layer, int head);
    void strokeEnded();
    void strokeAbandoned();
    void layerToggled(int layer);

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    enum class Gesture { None, Brush, Select, Drag };

    QPoint offset() const;
    QPoint toContent(const QPoint &viewportPoint) const { return viewportPoint + offset(); }
    void layOut();
    void layOutIfOrderChanged();
    HeadMapGeometry geometryFor(const QSize &room) const;
    QString tipAt(const QPoint &viewportPoint) const;
    void reset();
    void describeCurrent();
    void flip(int layer, int head);
    void brushTo(const QPoint &cell);
    void selectTo(const QPoint &cell, QItemSelectionModel::SelectionFlags flags);
    /// Every cell between two, as they are seen: layers may be ordered by score.
    QItemSelection cellsBetween(const QPoint &one, const QPoint &other) const;
    void dragSelectionTo(const QPoint &cell);
    void moveCurrent(int layers, int heads, bool extend);
    void reveal(int layer, int head);

    HeadMapModel *m_model;
    QItemSelectionModel *m_selection;
    HeadMapGeometry m_geometry;
    QString m_kvTitle, m_timeTitle;
    Gesture m_gesture = Gesture::None;
    QPoint m_anchor; // where a selection began; x = head, y = layer
    QPoint m_last; // the cell that the brush touched last, or the drag reached
    QItemSelection m_before; // what a drag with Ctrl adds to
    bool m_editable = true, m_byScore = false, m_numbers = false;
};

} // namespace zigzag
