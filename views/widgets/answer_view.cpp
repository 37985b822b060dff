// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/answer_view.h"

#include "views/models/colors.h"
#include "views/widgets/accessible_grid.h"

#include <QHelpEvent>
#include <QItemSelectionModel>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>

namespace zigzag {

AnswerView::AnswerView(QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_selection(new QItemSelectionModel(&m_model, this))
{
    makeAccessible(this,
                   {&m_model, m_selection,
                    [this](int row, int column) { return visibleToken(row, column).translated(viewport()->pos()); },
                    [](int row) { return tr("token %1").arg(row + 1); },
                    [this](int column) { return m_model.headerData(column, Qt::Horizontal).toString(); }});
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setAccessibleName(tr("Answers, token by token"));
    viewport()->setBackgroundRole(QPalette::Base);
    const auto changed = [this] {
        layOut();
        viewport()->update();
    };
    connect(&m_model, &QAbstractItemModel::modelReset, this, changed);
    connect(&m_model, &QAbstractItemModel::rowsInserted, this, [this, changed] {
        QScrollBar *bar = verticalScrollBar();
        const bool atEnd = bar->value() == bar->maximum();
        changed();
        if (atEnd && !m_selection->currentIndex().isValid()) // who reads along sees the newest words
            bar->setValue(bar->maximum());
    });
    connect(&m_model, &QAbstractItemModel::dataChanged, this, changed);
    connect(m_selection, &QItemSelectionModel::currentChanged, this, [this](const QModelIndex &current) {
        if (const QRect box = visibleToken(current.row(), current.column()); !box.isNull()) {
            if (box.top() < headingHeight())
                verticalScrollBar()->setValue(verticalScrollBar()->value() + box.top() - headingHeight());
            else if (box.bottom() > viewport()->height())
                verticalScrollBar()->setValue(verticalScrollBar()->value() + box.bottom() - viewport()->height() + 2);
        }
        viewport()->update();
    });
}

void AnswerView::setHint(const QString &hint)
{
    if (hint == m_hint)
        return;
    m_hint = hint;
    viewport()->update();
}

QSize AnswerView::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 36, headingHeight() + lineHeight() * 3};
}

int AnswerView::lineHeight() const
{
    return fontMetrics().height() * 3 / 2;
}

int AnswerView::headingHeight() const
{
    return fontMetrics().height() * 3 / 2 + 4;
}

int AnswerView::columnWidth() const
{
    return viewport()->width() / 2;
}

void AnswerView::layOut()
{
    m_height = 0;
    for (int column = 0; column < 2; ++column)
        layOutColumn(column);
    verticalScrollBar()->setRange(0, std::max(0, m_height - viewport()->height()));
    verticalScrollBar()->setSingleStep(lineHeight());
    verticalScrollBar()->setPageStep(std::max(lineHeight(), viewport()->height() - headingHeight()));
}

void AnswerView::layOutColumn(int column)
{
    std::vector<Place> &places = m_places[static_cast<std::size_t>(column)];
    places.clear();
    const QFontMetrics metrics = fontMetrics();
    const int gap = metrics.height() / 2, line = lineHeight();
    const int left = column * columnWidth() + gap, right = (column + 1) * columnWidth() - gap;
    int x = left, y = headingHeight();
    for (int row = 0; const jobs::AnsweredToken *token = m_model.token(row, column); ++row) {
        QString text = token->isEnd ? tr("end") : shownToken(token->bytes, token->token);
        int width = metrics.horizontalAdvance(text) + (token->isEnd ? metrics.height() : 2);
        if (x > left && x + width > right) {
            x = left;
            y += line;
        }
        if (x + width > right) { // longer than a line
            width = right - x;
            text = metrics.elidedText(text, Qt::ElideRight, width);
        }
        places.push_back({QRect(x, y, width, line - 3), text});
        x += width;
        if (const auto breaks = std::count(token->bytes.begin(), token->bytes.end(), '\n'); breaks > 0) {
            x = left;
            y += line;
        }
    }
    m_height = std::max(m_height, y + line + gap);
}

QRect AnswerView::visibleToken(int row, int column) const
{
    if (column < 0 || column > 1 || row < 0)
        return {};
    const std::vector<Place> &places = m_places[static_cast<std::size_t>(column)];
    return row < std::ssize(places) ? places[static_cast<std::size_t>(row)].box.translated(0, -verticalScrollBar()->value())
                                    : QRect();
}

void AnswerView::paintHeading(QPainter &painter, int column) const
{
    const int gap = fontMetrics().height() / 2;
    const QRect room(column * columnWidth() + gap, 0, columnWidth() - 2 * gap, headingHeight() - 4);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(palette().color(QPalette::Text));
    const QString name
        = painter.fontMetrics().elidedText(m_model.headerData(column, Qt::Horizontal).toString(), Qt::ElideRight, room.width());
    painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter, name);
    const int named = painter.fontMetrics().horizontalAdvance(name) + fontMetrics().height();
    painter.setFont(font());
    painter.setPen(mixed(palette().color(QPalette::Text), palette().color(QPalette::Base), 0.3));
    const QRect rest = room.adjusted(named, 0, 0, 0);
    if (rest.width() > 0)
        painter.drawText(rest, Qt::AlignLeft | Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(m_model.heading(column), Qt::ElideRight, rest.width()));
}

void AnswerView::paintToken(QPainter &painter, int row, int column) const
{
    const jobs::AnsweredToken &token = *m_model.token(row, column);
    const Place &place = m_places[static_cast<std::size_t>(column)][static_cast<std::size_t>(row)];
    const QRect box = visibleToken(row, column);
    const QColor base = palette().color(QPalette::Base), ink = palette().color(QPalette::Text);
    const QColor alarm = differenceColor(-1, base); // vermilion
    // The less sure, the darker the ground; never so dark that the letters suffer.
    constexpr double darkest = 0.3;
    QColor ground = mixed(base, ink, darkest * (1 - token.probability) * 0.7);
    QColor letters = ink;
    if (row == m_model.partingRow()) {
        ground = alarm;
        letters = inkOn(alarm);
    }
    painter.fillRect(box, ground);
    painter.setPen(letters);
    painter.drawText(box, Qt::AlignCenter, place.text);
    if (token.isEnd) {
        painter.setPen(mixed(letters, ground, 0.4));
        painter.drawRect(box.adjusted(1, 1, -2, -2));
    }
    if (m_selection->currentIndex() == m_model.index(row, column)) {
        painter.setPen(QPen(standingOut(palette().color(QPalette::Highlight), {ground, base}), 2));
        painter.drawRect(box.adjusted(0, 0, -1, -1));
    }
}

void AnswerView::paintEvent(QPaintEvent *)
{
    QPainter painter(viewport());
    if (m_model.isEmpty()) {
        painter.setPen(palette().color(QPalette::Text));
        const int gap = fontMetrics().height();
        painter.drawText(viewport()->rect().adjusted(gap, 0, -gap, 0), Qt::AlignCenter | Qt::TextWordWrap, m_hint);
    } else {
        for (int column = 0; column < 2; ++column)
            for (int row = 0; row < std::ssize(m_places[static_cast<std::size_t>(column)]); ++row)
                if (visibleToken(row, column).intersects(viewport()->rect()))
                    paintToken(painter, row, column);
        painter.fillRect(0, 0, viewport()->width(), headingHeight() - 2, palette().color(QPalette::Base));
        painter.setPen(mixed(palette().color(QPalette::Base), palette().color(QPalette::Text), 0.25));
        painter.drawLine(columnWidth(), 0, columnWidth(), viewport()->height());
        for (int column = 0; column < 2; ++column)
            paintHeading(painter, column);
    }
}

void AnswerView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void AnswerView::changeEvent(QEvent *event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange)
        layOut();
}

void AnswerView::setCurrent(int row, int column)
{
    if (m_model.token(row, column))
        m_selection->setCurrentIndex(m_model.index(row, column), QItemSelectionModel::ClearAndSelect);
}

int AnswerView::lineAway(const QModelIndex &from, int lines) const
{
    const std::vector<Place> &places = m_places[static_cast<std::size_t>(from.column())];
    const QPoint middle = places[static_cast<std::size_t>(from.row())].box.center();
    int best = from.row();
    double nearest = std::numeric_limits<double>::max();
    for (int row = 0; row < std::ssize(places); ++row) {
        const QPoint other = places[static_cast<std::size_t>(row)].box.center();
        const int away = (other.y() - middle.y()) * lines; // pixels in the asked direction
        if (away <= 0)
            continue;
        // The line counts first, and the place in it second.
        if (const double far = 1e4 * away + std::abs(other.x() - middle.x()); far < nearest) {
            nearest = far;
            best = row;
        }
    }
    return best;
}

void AnswerView::keyPressEvent(QKeyEvent *event)
{
    const QModelIndex current = m_selection->currentIndex();
    if (m_model.isEmpty())
        return QAbstractScrollArea::keyPressEvent(event);
    if (event->key() == Qt::Key_P && event->modifiers() == Qt::NoModifier)
        return setCurrent(std::max(0, m_model.partingRow()), current.isValid() ? current.column() : 0);
    if (!current.isValid()) {
        const bool walks = event->key() >= Qt::Key_Home && event->key() <= Qt::Key_Down;
        return walks ? setCurrent(std::max(0, m_model.partingRow()), 0) : QAbstractScrollArea::keyPressEvent(event);
    }
    const int row = current.row(), column = current.column();
    const bool crosses = event->modifiers() == Qt::ControlModifier;
    const int length = static_cast<int>(m_places[static_cast<std::size_t>(column)].size());
    switch (event->key()) {
    case Qt::Key_Left:
        return crosses ? setCurrent(row, 0) : setCurrent(row - 1, column);
    case Qt::Key_Right:
        return crosses ? setCurrent(row, 1) : setCurrent(row + 1, column);
    case Qt::Key_Up:
        return setCurrent(lineAway(current, -1), column);
    case Qt::Key_Down:
        return setCurrent(lineAway(current, 1), column);
    case Qt::Key_Home:
        return setCurrent(0, column);
    case Qt::Key_End:
        return setCurrent(length - 1, column);
    default:
        QAbstractScrollArea::keyPressEvent(event);
    }
}

QModelIndex AnswerView::tokenAt(const QPoint &position) const
{
    if (position.y() < headingHeight() - 2)
        return {};
    for (int column = 0; column < 2; ++column)
        for (int row = 0; row < std::ssize(m_places[static_cast<std::size_t>(column)]); ++row)
            if (visibleToken(row, column).contains(position))
                return m_model.index(row, column);
    return {};
}

void AnswerView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return QAbstractScrollArea::mousePressEvent(event);
    if (const QModelIndex index = tokenAt(event->position().toPoint()); index.isValid())
        setCurrent(index.row(), index.column());
}

bool AnswerView::viewportEvent(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QAbstractScrollArea::viewportEvent(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    if (const QModelIndex index = tokenAt(help->pos()); index.isValid())
        QToolTip::showText(help->globalPos(), index.data(Qt::ToolTipRole).toString(), viewport(),
                           visibleToken(index.row(), index.column()));
    else
        QToolTip::hideText();
    return true;
}

} // namespace zigzag
