// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/score_legend.h"

#include "views/models/colors.h"
#include "views/models/op_colors.h"

#include <QPainter>

#include <algorithm>
#include <functional>
#include <vector>

namespace zigzag {

namespace {

/// One sign of the legend with its words; breaks to the next line as a whole.
struct Entry {
    QString text;
    int signWidth = 0;
    std::function<void(QPainter &, const QRect &)> sign;
};

QString hint()
{
    return ScoreLegend::tr(
        "Click or drag flips heads · Shift-drag selects · Space, R, S set · double-click a layer number for its whole row");
}

} // namespace

ScoreLegend::ScoreLegend(QWidget *parent)
    : QWidget(parent)
{
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setAccessibleName(tr("Legend of the head map"));
    setAccessibleDescription(tr("R: keeps all tokens. S: keeps sink + recent. %1").arg(hint()));
}

void ScoreLegend::setScored(bool scored)
{
    if (scored == m_scored)
        return;
    m_scored = scored;
    updateGeometry();
    update();
}

void ScoreLegend::setTimes(bool predicted, bool measured)
{
    if (predicted == m_predicted && measured == m_measured)
        return;
    m_predicted = predicted;
    m_measured = measured;
    updateGeometry();
    update();
}

QSize ScoreLegend::sizeHint() const
{
    const int width = fontMetrics().averageCharWidth() * 60;
    return {width, layOut(nullptr, width, true)};
}

QSize ScoreLegend::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 30, fontMetrics().height() * 3};
}

int ScoreLegend::layOut(QPainter *painter, int width, bool withHint) const
{
    const QFontMetrics metrics = fontMetrics();
    const int em = metrics.height();
    const QColor ink = palette().color(QPalette::Text), base = palette().color(QPalette::Base);
    const QColor quiet = mixed(ink, base, 0.3);
    const QColor block = m_scored ? scoreColor(0.25) : mixed(base, ink, 0.55);
    const auto glyph = [&](const QString &letter, bool hollow) {
        return [=](QPainter &to, const QRect &cell) {
            to.fillRect(cell, hollow ? standingOut(block, {base}) : block);
            if (hollow)
                to.fillRect(cell.adjusted(2, 2, -2, -2), base);
            to.setPen(hollow ? ink : inkOn(block));
            to.drawText(cell, Qt::AlignCenter, letter);
        };
    };
    std::vector<Entry> entries;
    if (m_scored)
        entries.push_back({tr("score 0 to 1"), 5 * em, [](QPainter &to, const QRect &box) {
                               for (int pixel = 0; pixel < box.width(); ++pixel)
                                   to.fillRect(box.left() + pixel, box.top(), 1, box.height(),
                                               scoreColor(static_cast<double>(pixel) / (box.width() - 1)));
                           }});
    entries.push_back({tr("keeps all tokens"), em + em / 3, glyph(tr("R"), false)});
    entries.push_back({tr("keeps sink + recent"), em + em / 3, glyph(tr("S"), true)});
    if (m_predicted || m_measured)
        for (const auto &[group, name] :
             {std::pair(OpGroup::Attention, tr("attention")), std::pair(OpGroup::Projections, tr("projections")),
              std::pair(OpGroup::Mlp, tr("MLP")), std::pair(OpGroup::Pointwise, tr("norms and the like"))})
            entries.push_back({name, em * 3 / 4, [color = groupColor(group)](QPainter &to, const QRect &box) {
                                   const QRect chip(box.left(), box.center().y() - box.width() / 2, box.width(), box.width());
                                   to.fillRect(chip, color);
                               }});

    const int left = em / 2, line = em + em / 4;
    int x = left, y = em / 4;
    for (const Entry &entry : entries) {
        const int wide = entry.signWidth + em / 3 + metrics.horizontalAdvance(entry.text);
        if (x > left && x + wide > width) {
            x = left;
            y += line;
        }
        if (painter) {
            entry.sign(*painter, QRect(x, y + em / 8, entry.signWidth, em));
            painter->setPen(ink);
            painter->drawText(QRect(x + entry.signWidth + em / 3, y, width, line), Qt::AlignLeft | Qt::AlignVCenter, entry.text);
        }
        x += wide + em * 3 / 4;
    }
    y += line;
    // In a narrow window the map needs the room; the list of keys says the same.
    const bool isNarrow = metrics.horizontalAdvance(hint()) > 2 * (width - em);
    if (!withHint || isNarrow)
        return y + em / 4;
    const int flags = Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap;
    const QRect room(left, y, std::max(1, width - em), 1 << 12);
    if (painter) {
        painter->setPen(quiet);
        painter->drawText(room, flags, hint());
    }
    return y + metrics.boundingRect(room, flags, hint()).height() + em / 4;
}

void ScoreLegend::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    layOut(&painter, width(), true);
}

} // namespace zigzag
