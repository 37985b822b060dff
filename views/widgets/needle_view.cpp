// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/needle_view.h"

#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/text.h"
#include "views/widgets/accessible_grid.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QItemSelectionModel>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

NeedleGrid::NeedleGrid(const QString &name, QWidget *parent)
    : QWidget(parent)
    , m_name(name)
    , m_selection(new QItemSelectionModel(&m_model, this))
{
    makeAccessible(this,
                   {&m_model, m_selection, [this](int row, int column) { return cell(row, column, size()); },
                    [this](int row) { return tr("depth %1").arg(m_model.headerData(row, Qt::Vertical).toString()); },
                    [this](int column) { return tr("context %1").arg(m_model.headerData(column, Qt::Horizontal).toString()); }});
    setAccessibleName(tr("Needle result: %1").arg(name));
    setFocusPolicy(Qt::StrongFocus);
    connect(&m_model, &QAbstractItemModel::modelReset, this, [this] {
        setAccessibleDescription(m_model.isEmpty()            ? tr("not asked yet")
                                     : m_model.isDifference() ? tr("%1 of keys").arg(signedPercentText(m_model.accuracy()))
                                                              : tr("%1 of keys found").arg(percentText(m_model.accuracy())));
        updateGeometry();
        update();
    });
}

QSize NeedleGrid::sizeHint() const
{
    const int em = fontMetrics().height();
    return {em * 18, em * 8};
}

QSize NeedleGrid::minimumSizeHint() const
{
    const int em = fontMetrics().height();
    return {em * 11, em * (3 + std::max(4, m_model.rowCount()))};
}

Exhibit NeedleGrid::exhibit(const QString &fileName)
{
    // As wide and high as its cells grow, and then as large as a document wants it.
    const auto natural = [this] {
        const int em = fontMetrics().height();
        return QSize(em * 5 + em * 7 * std::max(2, m_model.columnCount()), em * 4 + em * 2 * std::max(1, m_model.rowCount()));
    };
    return {tr("the needle grid of “%1”").arg(m_name), fileName,
            [natural] { return natural().scaled(documentSize, Qt::KeepAspectRatioByExpanding); },
            [this, natural](QPainter &painter, const QSize &size) {
                painter.fillRect(QRect(QPoint(), size), palette().color(QPalette::Base));
                const double scale = static_cast<double>(size.width()) / natural().width();
                painter.scale(scale, scale);
                paint(painter, natural());
            },
            [this] { return csvOf(m_model, tr("depth")); }};
}

void NeedleGrid::setName(const QString &name)
{
    if (name == m_name)
        return;
    m_name = name;
    update();
}

QRect NeedleGrid::cell(int row, int column, const QSize &room) const
{
    const int em = fontMetrics().height();
    const int left = em * 4, top = em * 3;
    const int columns = std::max(1, m_model.columnCount());
    const int rows = std::max(1, m_model.rowCount());
    const int across = std::min((room.width() - left - em / 2) / columns, em * 7);
    const int down = std::clamp((room.height() - top - em / 4) / rows, em, em * 2);
    return {left + column * across, top + row * down, across, down};
}

void NeedleGrid::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    paint(painter, size());
    const QModelIndex at = m_selection->currentIndex();
    if (!hasFocus() || !at.isValid())
        return;
    // A cell may have any colour, the highlight's among them.
    for (const auto &[role, width] : {std::pair(QPalette::Base, 5), std::pair(QPalette::Highlight, 2)}) {
        painter.setPen(QPen(palette().color(role), width));
        painter.drawRect(cell(at.row(), at.column(), size()));
    }
}

void NeedleGrid::paint(QPainter &painter, const QSize &room) const
{
    const int em = fontMetrics().height();
    const QColor ink = palette().color(QPalette::Text);
    const QColor quiet = mixed(ink, palette().color(QPalette::Base), 0.3);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(ink);
    const QRect title(em / 2, em / 4, room.width() - em, em + em / 4);
    painter.drawText(title, Qt::AlignLeft | Qt::AlignVCenter, m_name);
    const int named = painter.fontMetrics().horizontalAdvance(m_name) + em;
    painter.setFont(font());
    if (m_model.isEmpty()) {
        painter.setPen(quiet);
        painter.drawText(title.adjusted(named, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, tr("not asked yet"));
        return;
    }
    painter.drawText(title.adjusted(named, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                     m_model.isDifference() ? tr("%1 of keys").arg(signedPercentText(m_model.accuracy()))
                                            : (m_model.isPartial() ? tr("%1 found (%2/%3 so far)") : tr("%1 found (%2/%3)"))
                                                  .arg(percentText(m_model.accuracy()))
                                                  .arg(m_model.found())
                                                  .arg(m_model.trials()));
    painter.setPen(quiet);
    painter.drawText(QRect(em / 2, em * 3 / 2, em * 4, em * 3 / 2), Qt::AlignLeft | Qt::AlignBottom, tr("depth"));
    for (int column = 0; column < m_model.columnCount(); ++column)
        painter.drawText(QRect(cell(0, column, room).left(), em * 3 / 2, cell(0, column, room).width(), em * 3 / 2),
                         Qt::AlignHCenter | Qt::AlignBottom, m_model.headerData(column, Qt::Horizontal).toString());
    for (int row = 0; row < m_model.rowCount(); ++row) {
        painter.setPen(quiet);
        painter.drawText(QRect(em / 2, cell(row, 0, room).top(), em * 3, cell(row, 0, room).height()),
                         Qt::AlignRight | Qt::AlignVCenter, m_model.headerData(row, Qt::Vertical).toString());
        for (int column = 0; column < m_model.columnCount(); ++column) {
            const QModelIndex index = m_model.index(row, column);
            const QVariant accuracy = index.data(NeedleModel::AccuracyRole);
            if (!accuracy.isValid()) { // not asked yet
                painter.setPen(quiet);
                painter.drawText(cell(row, column, room), Qt::AlignCenter, index.data().toString());
                continue;
            }
            const QColor color = m_model.isDifference() ? differenceColor(accuracy.toDouble(), palette().color(QPalette::Base))
                                                        : scoreColor(accuracy.toDouble());
            const QRect box = cell(row, column, room).adjusted(1, 1, -1, -1);
            painter.fillRect(box, color);
            painter.setPen(inkOn(color));
            painter.drawText(box, Qt::AlignCenter, index.data().toString());
        }
    }
}

bool NeedleGrid::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    for (int row = 0; row < m_model.rowCount(); ++row)
        for (int column = 0; column < m_model.columnCount(); ++column)
            if (cell(row, column, size()).contains(help->pos())) {
                QToolTip::showText(help->globalPos(), m_model.index(row, column).data(Qt::ToolTipRole).toString(), this);
                return true;
            }
    QToolTip::hideText();
    return true;
}

void NeedleGrid::mouseDoubleClickEvent(QMouseEvent *event)
{
    for (int row = 0; row < m_model.rowCount(); ++row)
        for (int column = 0; column < m_model.columnCount(); ++column)
            if (cell(row, column, size()).contains(event->position().toPoint()))
                Q_EMIT cellChosen(m_model.contextAt(column), m_model.depthAt(row));
}

QModelIndex NeedleGrid::reached()
{
    if (m_selection->currentIndex().isValid())
        return m_selection->currentIndex();
    QModelIndex worst;
    for (int row = 0; row < m_model.rowCount(); ++row)
        for (int column = 0; column < m_model.columnCount(); ++column) {
            const QModelIndex index = m_model.index(row, column);
            const QVariant found = index.data(NeedleModel::AccuracyRole);
            if (found.isValid() && (!worst.isValid() || found.toDouble() < worst.data(NeedleModel::AccuracyRole).toDouble()))
                worst = index;
        }
    m_selection->setCurrentIndex(worst, QItemSelectionModel::NoUpdate);
    return worst;
}

void NeedleGrid::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    reached();
}

void NeedleGrid::keyPressEvent(QKeyEvent *event)
{
    const QModelIndex at = reached();
    const int key = event->key();
    const int across = key == Qt::Key_Right ? 1 : key == Qt::Key_Left ? -1 : 0;
    const int down = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
    if (!at.isValid())
        return QWidget::keyPressEvent(event);
    if (key == Qt::Key_Return || key == Qt::Key_Enter)
        Q_EMIT cellChosen(m_model.contextAt(at.column()), m_model.depthAt(at.row()));
    else if (const QModelIndex next = m_model.index(at.row() + down, at.column() + across); (across || down) && next.isValid())
        m_selection->setCurrentIndex(next, QItemSelectionModel::NoUpdate);
    else if (!across && !down)
        return QWidget::keyPressEvent(event);
    update();
}

NeedleView::NeedleView(QWidget *parent)
    : QWidget(parent)
    , m_grids(new QWidget(this))
    , m_current(new NeedleGrid(tr("This map"), m_grids))
    , m_full(new NeedleGrid(tr("Full"), m_grids))
    , m_difference(new NeedleGrid(tr("Difference"), m_grids))
    , m_hint(new QLabel(this))
{
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    m_hint->setWordWrap(true);
    m_hint->setAlignment(Qt::AlignCenter);
    m_hint->setObjectName(QStringLiteral("needleHint"));
    auto *row = new QHBoxLayout(m_grids);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_current, 1);
    row->addWidget(m_full, 1);
    row->addWidget(m_difference, 1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_grids, 1);
    column->addWidget(m_hint, 1);
}

QSize NeedleView::minimumSizeHint() const
{
    return m_current->minimumSizeHint();
}

void NeedleView::show(const NeedleResult *current, const NeedleResult *full, const QString &hint, const QString &servedAs)
{
    m_current->setName(servedAs.isEmpty() ? tr("This map") : tr("This map, %1").arg(servedAs));
    m_current->model().show(current);
    m_full->model().show(full);
    m_difference->model().showDifference(current, full);
    m_difference->setVisible(current && full);
    m_grids->setVisible(current || full);
    m_hint->setVisible(!current && !full);
    m_hint->setText(hint);
}

} // namespace zigzag
