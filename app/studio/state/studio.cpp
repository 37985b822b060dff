// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/studio.h"

#include "app/studio/state/quality_records.h"
#include "engine/model/model.h"
#include "profiler/cost/profile_file.h"
#include "profiler/cost/tensor_parallel.h"
#include "profiler/timing/others_load.h"
#include "views/models/native_path.h"

namespace zigzag {

Studio::Studio(std::unique_ptr<RunWorker> worker, std::unique_ptr<UserPrompts> prompts)
    : m_prompts(std::move(prompts))
    , m_runs(std::move(worker))
    , m_qualities(std::make_unique<QualityRecords>())
    , m_watch([load = OthersLoad()]() mutable { return load.look(); })
{
    m_refresh.setSingleShot(true);
    m_refresh.setInterval(0); // the edits of one turn of the event loop are one refresh
    connect(&m_refresh, &QTimer::timeout, this, &Studio::refreshNow);
    connect(&m_document, &Document::changed, this, &Studio::refreshSoon);
    connect(&m_document, &Document::variantsChanged, this, &Studio::refreshSoon);
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
    m_partOfScores.reset(); // of the model before
    m_runs.cancelAll();
    m_loaded.reset();
    m_modelName.clear();
    m_serving.setModel({});
    m_whyNotLoaded.clear();
    m_selection.clear();
    m_scoreSources.clear();
    m_calibration.reset();
    m_here = {};
    m_isDescribed = false;
    m_keptCost = {};
    m_keptScores.reset();
    m_recommendation.reset();
    m_isRecommendationKept = false;
    m_recommendPlan.clear();
    m_plotted.setModel(shape, config);
    if (const int gpus = m_plotted.conditions().gpus; gpus > 1 && !(config && checkDealing(*config, gpus)))
        report(setConditions(m_plotted.conditions().batch, 1, m_link));
    applyCost();
    applyServing();
    m_document.setModel(shape);
    m_context = m_plotted.contexts().back();
    Q_EMIT contextsChanged();
}

void Studio::showKept(const std::string &name)
{
    const auto &config = m_plotted.config();
    if (!config)
        return;
    if (CostModel cost = m_kept.times(name, *config); cost.isFitted()) {
        m_keptCost = std::move(cost);
        applyCost();
    }
    m_recommendation = m_kept.recommendation(name, *config);
    m_isRecommendationKept = m_recommendation != nullptr;
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
    request.canRepeat = false;
    request.work = [this, name](const TaskContext &context) -> Result<void> {
        const Model &model = context.job.model();
        LoadedModel loaded{name, model.config, model.shape(), model.tokenizer.has_value(),
                           context.job.device->backend->device().name};
        loaded.hasChat = !model.chat.text.empty();
        if (!context.backendNote.empty()) // shown with what the model's files give rise to
            loaded.config.notes.push_back(context.backendNote);
        context.deliver([this, loaded] { onLoaded(loaded); });
        return {};
    };
    m_runs.enqueue(std::move(request));
}

void Studio::describe(const std::string &name)
{
    m_modelName = name;
    m_serving.setModel(name);
    m_isDescribed = true;
    m_whyNotLoaded = tr("the model is open without its weights");
    applyServing();
}

void Studio::applyCost()
{
    const bool isKept = !m_profile && !m_here.isFitted() && m_keptCost.isFitted();
    CostModel cost = isKept ? m_keptCost : m_here;
    if (m_profile && m_plotted.config())
        cost = CostModel(*m_profile, *m_plotted.config());
    m_link.measured = cost.link.measured; // of the machine that is predicted for
    cost.link = m_link;
    Conditions conditions = m_plotted.conditions();
    conditions.isElsewhere = m_profile.has_value();
    m_plotted.setConditions(conditions);
    m_plotted.setCost(std::move(cost), isKept);
    refreshSoon();
}

Result<void> Studio::chooseProfile(const std::filesystem::path &file)
{
    ZIGZAG_TRY(calibration, readProfile(file));
    if (m_plotted.config() && !CostModel(calibration, *m_plotted.config()).isFitted())
        return badInput(tr("%1 has no samples to predict from: calibrate anew").arg(shownPath(textOfPath(file))).toStdString());
    m_profile = std::move(calibration);
    std::error_code none;
    m_profileFile = std::filesystem::absolute(file, none);
    applyCost();
    return {};
}

void Studio::useThisMachine()
{
    m_profile.reset();
    m_profileFile.clear();
    applyCost();
}

Result<void> Studio::setConditions(int batch, int gpus, const Link &link)
{
    if (gpus > 1 && !m_plotted.config())
        return badInput(tr("How heads are dealt out to GPUs depends on the model: open it").toStdString());
    if (gpus > 1)
        ZIGZAG_CHECK(checkDealing(*m_plotted.config(), gpus));
    Conditions conditions = m_plotted.conditions();
    conditions.batch = batch;
    conditions.gpus = gpus;
    m_link = link;
    m_plotted.setConditions(conditions);
    applyCost();
    return {};
}

void Studio::applyServing()
{
    EngineKv engine;
    if (!m_serving.isOurs() && m_plotted.config())
        engine = {QString::fromStdString(m_serving.engine()), [this](const HeadMap &map, std::int64_t context) {
                      return m_serving.memoryBytes(map, m_plotted.config(), context);
                  }};
    m_plotted.setEngineKv(std::move(engine));
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
    m_here = {};
    m_plotted.setModel(m_document.model(), *config);
    applyCost();
    applyServing();
    if (m_isDescribed)
        describe(m_modelName);
    else
        loadInBackground(m_modelName);
    refreshSoon();
}

void Studio::setServedBy(const std::string &engine)
{
    m_serving.setEngine(engine);
    applyServing();
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
    if (m_isDescribed)
        return tr("opened without weights:\nchoose a machine profile above");
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
    std::vector<PlottedMaps::Variant> others;
    for (int index = 0; m_drawsVariants && index < m_document.variants(); ++index)
        if (index != m_document.variant())
            others.push_back({m_document.variantName(index), m_document.variantMap(index)});
    m_plotted.setVariants(std::move(others));
    m_watch.update(m_loaded && m_here.isFitted() && !m_here.isReliable(), m_runs.isBusy());
    Q_EMIT refreshed();
}

} // namespace zigzag
