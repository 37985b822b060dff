// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/needle_page.h"

#include "views/widgets/needle_view.h"

#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

NeedlePage::NeedlePage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("needle"), tr("Needle"), parent)
    , m_needle(new NeedleView(this))
{
    setGuidePage(QStringLiteral("quality#needles"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_needle);
    for (NeedleGrid *grid : {&m_needle->currentGrid(), &m_needle->fullGrid(), &m_needle->differenceGrid()})
        connect(grid, &NeedleGrid::cellChosen, this, &NeedlePage::answersAsked);
    exhibit(m_needle->currentGrid().exhibit(QStringLiteral("needle-this-map")), &m_needle->currentGrid());
    exhibit(m_needle->fullGrid().exhibit(QStringLiteral("needle-full")), &m_needle->fullGrid());
    exhibit(m_needle->differenceGrid().exhibit(QStringLiteral("needle-difference")), &m_needle->differenceGrid());
    QAction *worst = offer(PageMenu::Run, QStringLiteral("answersOfWorst"), tr("Show the answers to the &worst needle"), {},
                           [this] { askWorst(); });
    for (NeedleGrid *grid : {&m_needle->currentGrid(), &m_needle->fullGrid(), &m_needle->differenceGrid()})
        grid->addAction(worst);
}

void NeedlePage::askWorst()
{
    const NeedleResult *result = studio().plotted().measurements().needle(studio().document().map(), studio().serving().engine());
    const auto worst = result
        ? std::min_element(result->grid.begin(), result->grid.end(),
                           [](const NeedleCell &a, const NeedleCell &b) { return a.accuracy() < b.accuracy(); })
        : decltype(result->grid.begin())();
    if (!result || worst == result->grid.end())
        return studio().say(MessageBar::Kind::Note, tr("No needle was asked of this map yet: Run › Needle (F6)."));
    Q_EMIT answersAsked(worst->context, worst->depth);
}

void NeedlePage::refresh()
{
    const PlottedMaps &plotted = studio().plotted();
    const HeadMap *full = plotted.map(Series::Full);
    const QString doing = studio().doing(RunName::Needle);
    const ServingChoice &serving = studio().serving();
    m_needle->show(plotted.measurements().needle(studio().document().map(), serving.engine()),
                   full ? plotted.measurements().needle(*full) : nullptr,
                   !doing.isEmpty()                        ? doing
                       : studio().canScore()               ? tr("Does this map still find the key? Ask with Run › Needle (F6).")
                       : studio().modelName().empty()      ? tr("The needle question needs the model: open it.")
                       : studio().loaded()                 ? tr("The needle question needs a trained model with its tokenizer.")
                       : studio().whyNotLoaded().isEmpty() ? tr("loading the model…")
                                                           : studio().whyNotLoaded(),
                   serving.asText());
}

} // namespace zigzag
