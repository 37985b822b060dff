// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/needle_model.h"
#include "views/widgets/exhibit.h"

#include <QWidget>

class QItemSelectionModel;
class QLabel;

namespace zigzag {

/// One needle grid: context across, depth down, the share of keys found as colour and number.
class NeedleGrid : public QWidget
{
    Q_OBJECT
public:
    NeedleGrid(const QString &name, QWidget *parent = nullptr);
    NeedleModel &model() { return m_model; }
    void setName(const QString &name);
    Exhibit exhibit(const QString &fileName);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void cellChosen(std::int64_t context, double depth); ///< by a double click, or by Enter where the arrows have walked to

protected:
    void paintEvent(QPaintEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    bool event(QEvent *event) override;

private:
    QRect cell(int row, int column, const QSize &room) const;
    void paint(QPainter &painter, const QSize &room) const;
    /// The cell that the keys are at; where there is none yet, the one where least was found.
    QModelIndex reached();

    QString m_name;
    NeedleModel m_model;
    QItemSelectionModel *m_selection; ///< its current cell is that of the keys
};

/// The current map's needle result beside that of full attention, and the difference.
class NeedleView : public QWidget
{
    Q_OBJECT
public:
    explicit NeedleView(QWidget *parent = nullptr);
    QSize minimumSizeHint() const override;
    NeedleGrid &currentGrid() { return *m_current; }
    NeedleGrid &fullGrid() { return *m_full; }
    NeedleGrid &differenceGrid() { return *m_difference; }
    /// Null = not asked yet; `hint` says how to ask, or why that is not possible. A result may be one that still grows: what was
    /// not asked yet is shown as such.
    /// `servedAs`: who ran the current map, such as "as vllm runs it"; empty: zigzag's engine.
    void show(const NeedleResult *current, const NeedleResult *full, const QString &hint, const QString &servedAs = {});

private:
    QWidget *m_grids;
    NeedleGrid *m_current;
    NeedleGrid *m_full;
    NeedleGrid *m_difference;
    QLabel *m_hint;
};

} // namespace zigzag
