// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/assign_page.h"

#include "engine/map/criterion.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/cost/time_budget.h"
#include "views/models/text.h"
#include "views/widgets/assign_panel.h"

#include <QScrollArea>
#include <QVBoxLayout>

#include <cmath>

namespace zigzag {

namespace {

/// Numbers of streaming layers that vLLM does not fill its groups up for; empty where somebody else serves the map.
QString groupingText(const ServingChoice &serving, const HeadMap &map)
{
    const auto found = serving.serving(map);
    if (!found || !*found || (*found)->counted != "vLLM")
        return {};
    const auto layers = engineLayers((*found)->asRun(map));
    if (!layers)
        return {};
    const int local = map.model().localLayers();
    if (layers->sliding == 0 || vllmGroups(*layers).padding(*layers) == 0)
        return AssignPage::tr("vLLM reserves nothing beside this map's layers.");
    const UnpaddedCounts counts = vllmUnpadded(*layers);
    QStringList without;
    for (const int count : {counts.below, counts.above})
        if (count > local)
            without << QString::number(count - local);
    const QString filled = AssignPage::tr("vLLM fills this map's groups up by %n layers that do not exist", nullptr,
                                          vllmGroups(*layers).padding(*layers));
    return without.isEmpty() ? filled + QLatin1Char('.')
                             : filled + AssignPage::tr("; by none with %1.").arg(without.join(AssignPage::tr(" or ")));
}

} // namespace

AssignPage::AssignPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("assign"), tr("Assign"), parent)
    , m_panel(new AssignPanel(this))
{
    setGuidePage(QStringLiteral("edit#assign"));
    setBackgroundRole(QPalette::Window);
    auto *scroll = new QScrollArea(this); // a small screen scrolls rather than squeezes
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus); // what is in it takes the focus, and is scrolled into sight
    scroll->setWidget(m_panel);
    scroll->setMinimumWidth(m_panel->minimumSizeHint().width() + fontMetrics().height());
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(scroll);

    connect(m_panel, &AssignPanel::assignAsked, this, [this](const QString &criterion, double sparsity) {
        this->studio().report(this->studio().document().assign(criterion, sparsity));
    });
    connect(m_panel, &AssignPanel::targetAsked, this, &AssignPage::assignTo);
    connect(m_panel, &AssignPanel::patternAsked, this,
            [this](const LayerPattern &pattern) { this->studio().report(this->studio().document().assignByPattern(pattern)); });
    connect(m_panel, &AssignPanel::windowAsked, &studio.document(), &Document::setWindow);
    connect(m_panel, &AssignPanel::exclusiveAsked, this,
            [this] { this->studio().report(this->studio().document().makeExclusive()); });
    connect(m_panel, &AssignPanel::editingEnded, &studio.document(), &Document::endSeries);
    connect(m_panel, &AssignPanel::scoreAsked, this, [this] { this->studio().scoreModel(true); });
    connect(m_panel, &AssignPanel::importAsked, this, &AssignPage::importAsked);
}

void AssignPage::assignTo(const QString &criterion, AssignBy kind, double value)
{
    const HeadMap &map = studio().document().map();
    const PlottedMaps &plotted = studio().plotted();
    const std::int64_t context = studio().context();
    Target target;
    if (kind == AssignBy::Layers)
        target = LayerTarget{static_cast<int>(value)};
    else if (kind == AssignBy::KvBudget)
        target = KvBudget{std::llround(value), context, plotted.config() ? plotted.config()->kvType : DType::BF16};
    else if (plotted.conditions().batch > 1 || plotted.conditions().gpus > 1)
        return studio().say(MessageBar::Kind::Error,
                            tr("A TPOT budget is of one sequence on one GPU: set batch and GPUs of the plots to 1"));
    else if (plotted.hasTimes() && !plotted.isKept()) // a budget is one of this machine
        target = timeBudget(plotted.cost(), value, context, map);
    else
        return studio().say(MessageBar::Kind::Error, studio().whyNoTimes());
    studio().report(studio().document().assign(criterion, target));
}

void AssignPage::refresh()
{
    const DocumentState &state = studio().document().state();
    AssignView view;
    if (state.scores) {
        view.scores = QString::fromStdString(state.scores->method);
        if (!state.scores->model.name.empty())
            view.scores += tr(", for %1").arg(QString::fromStdString(state.scores->model.name));
        for (const std::string &note : state.scores->notes)
            view.scoresTip += QString::fromStdString(note) + QLatin1Char('\n');
        view.lost = sacrificed(state.map, *state.scores).total;
    }
    view.criterion = state.criterion;
    view.sparsity = state.sparsity;
    view.window = state.map.oneWindow();
    const PlottedMaps &plotted = studio().plotted();
    view.layers = state.map.model().mappableLayers();
    view.localLayers = state.map.model().localLayers();
    view.context = contextText(studio().context());
    if (plotted.hasBytes())
        view.kvBytes = plotted.kv(state.map, studio().context());
    if (plotted.hasTimes())
        view.tpotMs = plotted.cost().estimate(state.map, Phase::Decode, studio().context()).ms;
    view.heads = state.map.model().mappableHeads();
    view.grouping = groupingText(studio().serving(), state.map);
    view.mixedLayers = state.map.mixedLayers();
    view.streamingHeads = state.map.streamingHeads();
    view.ties = state.ties;
    const bool scores = studio().runs().isRunning(RunName::Score), waits = studio().runs().isWaiting(RunName::Score);
    view.canScore = studio().canScore() && !scores && !waits;
    view.whyNoScore = scores           ? tr("The heads are being scored.")
        : waits                        ? tr("Scoring waits for another run.")
        : studio().modelName().empty() ? tr("To score, open the model.")
        : studio().loaded()            ? tr("Scoring needs a trained model with its tokenizer.")
                                       : QString();
    m_panel->show(view);
}

} // namespace zigzag
