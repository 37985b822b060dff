// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/score_legend.h"

#include "views/models/colors.h"
#include "views/models/op_colors.h"

#include <QPainter>

namespace zigzag {

ScoreLegend::ScoreLegend(QWidget *parent)
    : QWidget(parent)
{
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("Legend of the head map"));
}

void ScoreLegend::setScored(bool scored)
{
    m_scored = scored;
    update();
}

void ScoreLegend::setMeasured(bool measured)
{
    m_measured = measured;
    update();
}

QSize ScoreLegend::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 60, fontMetrics().height() * 4};
}

QSize ScoreLegend::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 30, sizeHint().height()};
}

void ScoreLegend::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const QFontMetrics metrics = fontMetrics();
    const int em = metrics.height();
    const QColor ink = palette().color(QPalette::Text);
    const QColor quiet = mixed(ink, palette().color(QPalette::Base), 0.3);
    int x = em / 2;
    const int y = em / 4;
    const auto write = [&](const QString &text, const QColor &color) {
        painter.setPen(color);
        painter.drawText(QRect(x, y, width() - x, em + em / 4), Qt::AlignLeft | Qt::AlignVCenter, text);
        x += metrics.horizontalAdvance(text) + em / 2;
    };
    if (m_scored) {
        write(tr("score 0"), ink);
        const int span = 5 * em;
        for (int pixel = 0; pixel < span; ++pixel)
            painter.fillRect(x + pixel, y + em / 6, 1, em, scoreColor(static_cast<double>(pixel) / (span - 1)));
        x += span + em / 2;
        write(tr("1"), ink);
        x += em / 2;
    }
    const QColor block = m_scored ? scoreColor(0.25) : mixed(palette().color(QPalette::Base), ink, 0.55);
    const auto glyph = [&](const QString &letter, bool hollow) {
        const QRect cell(x, y + em / 8, em + em / 3, em);
        painter.fillRect(cell, block);
        if (hollow)
            painter.fillRect(cell.adjusted(2, 2, -2, -2), palette().color(QPalette::Base));
        painter.setPen(hollow ? ink : inkOn(block));
        painter.drawText(cell, Qt::AlignCenter, letter);
        x += cell.width() + em / 3;
    };
    glyph(tr("R"), false);
    write(tr("keeps all tokens"), ink);
    x += em / 2;
    glyph(tr("S"), true);
    write(tr("keeps sink + recent"), ink);
    if (m_measured) {
        x += em * 2;
        for (const auto &[group, name] :
             {std::pair(OpGroup::Attention, tr("attention")), std::pair(OpGroup::Projections, tr("projections")),
              std::pair(OpGroup::Mlp, tr("MLP")), std::pair(OpGroup::Pointwise, tr("norms and the like"))}) {
            painter.fillRect(QRect(x, y + em / 3, em * 2 / 3, em * 2 / 3), groupColor(group));
            x += em;
            write(name, ink);
        }
    }

    painter.setPen(quiet);
    const QString hint
        = tr("Click or drag flips heads · Shift-drag selects · Space, R, S set · double-click a layer number for its whole row");
    painter.drawText(QRect(em / 2, y + em + em / 2, width() - em, 2 * em), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, hint);
}

} // namespace zigzag
