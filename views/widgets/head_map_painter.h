// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/head_map_geometry.h"

#include <QCoreApplication>
#include <QHash>
#include <QItemSelectionModel>
#include <QPainter>
#include <QPalette>
#include <QStaticText>

#include <vector>

namespace zigzag {

class HeadMapModel;

/// Draws a head map into content coordinates; holds nothing between two paintings.
class HeadMapPainter
{
    Q_DECLARE_TR_FUNCTIONS(zigzag::HeadMapPainter)
public:
    HeadMapPainter(QPainter &painter, const HeadMapModel &model, const HeadMapGeometry &geometry,
                   const QItemSelectionModel &selection, const QPalette &palette, bool focused);

    /// A heading stands over its column and breaks into lines there.
    struct Heading {
        QRect column;
        QString title;
        Qt::Alignment alignment;
    };
    /// Of the columns beside the cells.
    static std::vector<Heading> headings(const HeadMapModel &model, const HeadMapGeometry &geometry, const QString &kvTitle,
                                         const QString &timeTitle);
    static QString layerTitle() { return tr("Layer"); }
    static QString lostTitle() { return tr("Flipped / demoted"); }
    static int widestWord(const QString &title, const QFontMetrics &metrics);
    /// Of the highest one.
    static int linesOf(const std::vector<Heading> &headings, const QFontMetrics &metrics);

    void drawRow(int layer);
    /// Between the layers that retrieve and those that stream, by the scores of layers; over the rows.
    void drawCut();
    /// The headings, `top` below the content's origin, so that they stay while rows scroll.
    void drawHeadings(int top, const QString &kvTitle, const QString &timeTitle);

private:
    void drawLayer(int layer);
    void drawCell(int layer, int head);
    void drawKind(int layer);
    void drawScore(int layer);
    void drawLost(int layer);
    void drawLoss(int layer);
    void drawKv(int layer);
    void drawTime(int layer);
    QRect scoreBar(int layer, double score) const;
    QRect bar(const QRect &column, double share) const;
    void label(const QRect &column, const QString &text);
    int labelWidth() const;

    QPainter &m_painter;
    const HeadMapModel &m_model;
    const HeadMapGeometry &m_geometry;
    const QItemSelectionModel &m_selection;
    const QPalette &m_palette;
    QColor m_quiet; ///< ink of what matters less
    bool m_focused;

    // Many cells of a painting are alike, and what they look like takes longer to find out than to draw.
    struct Look {
        QColor frame, ink; ///< of a block in one colour
    };
    const Look &lookOf(const QColor &color);
    void drawWord(const QRect &cell, const QString &word, bool bold);
    QHash<QRgb, Look> m_looks;
    QHash<QString, QStaticText> m_words[2]; ///< plain, bold
    QFont m_fonts[2];
    int m_roomForScore = 0; ///< pixels of a letter with a score beside it
};

} // namespace zigzag
