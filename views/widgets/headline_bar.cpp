// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/headline_bar.h"

#include "views/models/glossary.h"
#include "views/models/text.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QTextDocumentFragment>

namespace zigzag {

HeadlineBar::HeadlineBar(QWidget *parent)
    : QWidget(parent)
    , m_label(new QLabel(this))
{
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(fontMetrics().height() / 3, 0, 0, 0);
    row->addWidget(m_label);
    m_label->setObjectName(QStringLiteral("headline"));
    m_label->setTextFormat(Qt::RichText);
    m_label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); // a long line does not widen the window
}

void HeadlineBar::show(const PlottedMaps &plotted, std::int64_t context, const QString &served)
{
    const auto source = [](const Figure &figure) {
        return figure.source == Figure::Source::Measured  ? tr("measured")
            : figure.source == Figure::Source::Disturbed  ? tr("disturbed")
            : figure.source == Figure::Source::Predicted  ? tr("predicted")
            : figure.source == Figure::Source::Kept       ? tr("predicted, kept")
            : figure.source == Figure::Source::Unreliable ? tr("predicted, disturbed")
                                                          : tr("computed");
    };
    QStringList parts;
    const auto add = [&](const QString &name, const Comparison &comparison, auto &&text) {
        if (comparison.current.source == Figure::Source::Unknown)
            return;
        parts << tr("<b>%1 %2</b> (%3, %4)")
                     .arg(name, text(comparison.current.value), changeText(comparison.current.value, comparison.full.value),
                          source(comparison.current));
    };
    add(tr("TPOT"), plotted.compare(Quantity::Tpot, context), timeText);
    add(tr("TTFT"), plotted.compare(Quantity::Ttft, context), timeText);
    add(tr("KV"), plotted.compare(Quantity::Kv, context),
        [&](double value) { return plotted.hasBytes() ? bytesText(value) : tr("%1 keys").arg(keysText(value)); });
    const Comparison needle = plotted.compareNeedle();
    const HeadMap *map = plotted.map(Series::Current);
    const NeedleResult *asked = map ? plotted.measurements().needle(*map) : nullptr;
    if (asked && !asked->isComplete())
        parts << tr("<b>Needle %1 so far</b>").arg(percentText(asked->accuracy));
    else if (needle.current.source != Figure::Source::Unknown)
        parts << (needle.full.source != Figure::Source::Unknown
                      ? tr("<b>Needle %1</b> (full %2, measured)")
                            .arg(percentText(needle.current.value), percentText(needle.full.value))
                      : tr("<b>Needle %1</b> (measured)").arg(percentText(needle.current.value)));
    QString line = parts.isEmpty()
        ? QString()
        : tr("At %1 tokens, against full: ").arg(contextText(context)) + parts.join(QStringLiteral(" · "));
    if (!served.isEmpty()) // what was asked for stands first, apart from what is of ours
        line = served.toHtmlEscaped() + (line.isEmpty() ? QString() : QStringLiteral(" ‖ ") + line);
    m_label->setText(line);
    const bool disturbed = text().contains(tr("disturbed"));
    QString tip = text();
    if (disturbed)
        tip += QLatin1Char('\n') + explained(Term::Disturbed);
    if (plotted.isKept())
        tip += QLatin1Char('\n') + tr("Times are %1, until this machine has been calibrated.").arg(plotted.keptText());
    m_label->setToolTip(tip);
}

QString HeadlineBar::text() const
{
    return QTextDocumentFragment::fromHtml(m_label->text()).toPlainText();
}

} // namespace zigzag
