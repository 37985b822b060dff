// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/plots_page.h"

#include "views/models/native_path.h"
#include "views/widgets/conditions_bar.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"

#include <QVBoxLayout>

namespace zigzag {

PlotsPage::PlotsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("plots"), tr("Latency and memory"), parent)
    , m_conditions(new ConditionsBar(this))
    , m_plots(new PlotsPanel(this))
{
    setGuidePage(QStringLiteral("plots"));
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_conditions);
    column->addWidget(m_plots, 1);
    for (CostPlot *plot : m_plots->plots())
        exhibit(plot->exhibit(), plot);
    connect(m_conditions, &ConditionsBar::profileAsked, this, &PlotsPage::askProfile);
    connect(m_conditions, &ConditionsBar::thisMachineAsked, this, [this] { this->studio().useThisMachine(); });
    connect(m_conditions, &ConditionsBar::changed, this, &PlotsPage::apply);
    offer(PageMenu::File, QStringLiteral("chooseProfile"), tr("Predict for another &machine…"), {}, [this] { askProfile(); });
    m_copyLine = offer(PageMenu::File, QStringLiteral("copyPredictLine"), tr("Copy the predictions as command &line"), {},
                       [this] { copyLine(); });
    m_copyLine->setEnabled(false);
}

void PlotsPage::copyLine()
{
    studio().copyLine([this]() -> Result<std::string> {
        const PlottedMaps &plotted = studio().plotted();
        std::vector<std::string> words{"full"};
        ZIGZAG_TRY(own, studio().mapWord(studio().document().map()));
        if (own != words.front())
            words.push_back(std::move(own));
        const jobs::PredictPlan plan{.maps = {},
                                     .contexts = plotted.contexts(),
                                     .phases = {Phase::Prefill, Phase::Decode},
                                     .batches = {plotted.conditions().batch},
                                     .gpus = plotted.conditions().gpus};
        return jobs::predictLine(studio().lineModel(), words, plan, studio().profile(), studio().link());
    });
}

void PlotsPage::askProfile()
{
    const QString path = studio().prompts().fileToOpen(this, tr("Open a machine profile of zigzag calibrate"));
    if (!path.isEmpty())
        studio().report(studio().chooseProfile(pathOf(path)));
    studio().refreshSoon(); // the box stands at what there is, whatever was chosen
}

void PlotsPage::apply()
{
    studio().report(studio().setConditions(m_conditions->batch(), m_conditions->gpus(), m_conditions->link()));
    studio().refreshSoon();
}

void PlotsPage::refresh()
{
    const PlottedMaps &plotted = studio().plotted();
    m_conditions->show({.profile = studio().profile().empty() ? QString() : shownFileName(textOfPath(studio().profile())),
                        .batch = plotted.conditions().batch,
                        .gpus = plotted.conditions().gpus,
                        .link = studio().link()});
    m_copyLine->setEnabled(!studio().modelName().empty());
    m_plots->show(plotted, studio().whyNoTimes());
    m_plots->markContext(studio().context());
}

} // namespace zigzag
