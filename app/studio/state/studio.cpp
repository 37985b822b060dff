// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/studio.h"

#include "engine/model/model.h"
#include "profiler/timing/others_load.h"

namespace zigzag {

Studio::Studio(std::unique_ptr<RunWorker> worker, std::unique_ptr<UserPrompts> prompts)
    : m_prompts(std::move(prompts))
    , m_runs(std::move(worker))
    , m_watch([load = OthersLoad()]() mutable { return load.look(); })
{
    m_refresh.setSingleShot(true);
    m_refresh.setInterval(0); // the edits of one turn of the event loop are one refresh
    connect(&m_refresh, &QTimer::timeout, this, &Studio::refreshNow);
    connect(&m_document, &Document::changed, this, &Studio::refreshSoon);
    connect(&m_document, &Document::localLayerAsked, this, [this](int layer) {
        say(MessageBar::Kind::Note,
            tr("Layer %1 is local: the model's own file gives it a window, which no map changes, so it is not edited.")
                .arg(layer));
    });
    connectRuns();
}

Studio::~Studio() = default;

void Studio::adopt(const ModelShape &shape, const std::optional<ModelConfig> &config)
{
    m_runs.cancelAll();
    m_loaded.reset();
    m_modelName.clear();
    m_serving.setModel({});
    m_whyNotLoaded.clear();
    m_selection.clear();
    m_scoreSources.clear();
    m_keptScores.reset();
    m_plotted.setModel(shape, config);
    m_document.setModel(shape);
    m_context = m_plotted.contexts().back();
    Q_EMIT contextsChanged();
}

void Studio::showKept(const std::string &name)
{
    const auto &config = m_plotted.config();
    if (!config)
        return;
    if (CostModel cost = m_kept.times(name, *config); cost.isFitted())
        m_plotted.setCost(std::move(cost), true);
    m_keptScores = m_kept.scores(name, *config);
    if (m_keptScores)
        takeScores(m_keptScores);
}

void Studio::loadInBackground(const std::string &name)
{
    m_modelName = name;
    m_serving.setModel(name);
    RunRequest request;
    request.task = RunName::Load;
    request.title = tr("Load %1").arg(QString::fromStdString(name));
    request.model = name;
    request.kvType = m_kvType;
    request.work = [this, name](const TaskContext &context) -> Result<void> {
        const Model &model = context.job.model();
        LoadedModel loaded{name, model.config, model.shape(), model.tokenizer.has_value(),
                           context.job.device->backend->device().name};
        if (!context.backendNote.empty()) // shown with what the model's files give rise to
            loaded.config.notes.push_back(context.backendNote);
        context.deliver([this, loaded] { onLoaded(loaded); });
        return {};
    };
    m_runs.enqueue(std::move(request));
}

void Studio::setKvType(std::optional<DType> type)
{
    if (type == m_kvType)
        return;
    m_kvType = type;
    if (m_modelName.empty())
        return;
    const auto config = loadModelConfig(m_modelName, type);
    if (!config)
        return say(config.error());
    m_runs.cancelAll();
    m_loaded.reset();
    m_whyNotLoaded.clear();
    m_plotted.setModel(m_document.model(), *config);
    loadInBackground(m_modelName);
    refreshSoon();
}

void Studio::setServedBy(const std::string &engine)
{
    m_serving.setEngine(engine);
    refreshSoon();
}

QString Studio::doing(const std::string &task) const
{
    if (m_runs.isRunning(task))
        return tr("Running: the tool bar shows how far it is.");
    return m_runs.isWaiting(task) ? tr("Waits for another run.") : QString();
}

QString Studio::whyNoTimes() const
{
    if (m_plotted.hasTimes() && !m_plotted.isKept())
        return {};
    if (m_modelName.empty())
        return tr("Times need the model:\nopen its folder, a preset\nor a bundled model");
    if (!m_whyNotLoaded.isEmpty())
        return m_whyNotLoaded;
    if (!m_loaded)
        return tr("loading the model…");
    return m_runs.isRunning(RunName::Calibrate) ? tr("calibrating…")
        : m_runs.isWaiting(RunName::Calibrate)  ? tr("calibration waits for another run")
                                                : tr("not calibrated: Run › Calibrate (F8)");
}

void Studio::setContext(std::int64_t context)
{
    m_context = context;
    refreshSoon();
}

void Studio::setPhase(Phase phase)
{
    m_phase = phase;
    refreshSoon();
}

void Studio::report(const Result<void> &result)
{
    if (!result)
        say(result.error());
}

void Studio::refreshNow()
{
    m_refresh.stop();
    const DocumentState &state = m_document.state();
    if (state.map.layers() > 0)
        m_plotted.setMaps(state.map, state.scores, state.sparsity);
    m_watch.update(m_loaded && m_plotted.hasTimes() && !m_plotted.isKept() && !m_plotted.cost().isReliable(), m_runs.isBusy());
    Q_EMIT refreshed();
}

} // namespace zigzag
