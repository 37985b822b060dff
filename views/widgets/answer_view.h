// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/side_by_side.h"

#include <QAbstractScrollArea>
#include <array>
#include <vector>

class QItemSelectionModel;

namespace zigzag {

/// Two answers beside each other, token by token: the token at which they part is marked, and what a map was less sure of is
/// tinted. Keys walk through tokens: left and right along a text, up and down by lines, Ctrl+left and Ctrl+right from one text to
/// the other, P to the parting.
class AnswerView : public QAbstractScrollArea
{
    Q_OBJECT
public:
    explicit AnswerView(QWidget *parent = nullptr);
    SideBySideModel &model() { return m_model; }
    QItemSelectionModel *selectionModel() { return m_selection; }
    void setHint(const QString &hint); ///< shown while there is nothing else
    /// Where a token is, in the viewport's coordinates; nothing where there is none.
    QRect visibleToken(int row, int column) const;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    struct Place {
        QRect box; ///< as if nothing were scrolled
        QString text;
    };
    void layOut();
    void layOutColumn(int column);
    void paintToken(QPainter &painter, int row, int column) const;
    void paintHeading(QPainter &painter, int column) const;
    void setCurrent(int row, int column);
    QModelIndex tokenAt(const QPoint &position) const;
    /// The nearest token a line above (−1) or below (1) this one.
    int lineAway(const QModelIndex &from, int lines) const;
    int columnWidth() const;
    int lineHeight() const;
    int headingHeight() const;

    SideBySideModel m_model;
    QItemSelectionModel *m_selection;
    QString m_hint;
    std::array<std::vector<Place>, 2> m_places; // [column][row]
    int m_height = 0; ///< of the higher column
};

} // namespace zigzag
