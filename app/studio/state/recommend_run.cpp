// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/recommend_run.h"

#include "app/studio/state/studio.h"
#include "profiler/jobs/recommend_files.h"
#include "profiler/jobs/recommend_job.h"
#include "profiler/jobs/recommend_record.h"
#include "views/models/recommend_text.h"

#include <algorithm>
#include <array>

namespace zigzag {

namespace {

using jobs::RecommendStage;

QString stageText(RecommendStage stage)
{
    switch (stage) {
    case RecommendStage::Plan:
        return Studio::tr("Timing the model");
    case RecommendStage::Times:
        return Studio::tr("Measuring what a token takes");
    case RecommendStage::Order:
        return Studio::tr("Step 1 of 3: ordering the layers");
    case RecommendStage::Try:
        return Studio::tr("Step 2 of 3: trying maps");
    case RecommendStage::Judge:
        break;
    }
    return Studio::tr("Step 3 of 3: judging the best");
}

/// Where the whole of it is. A stage has several rounds, by ways, windows or maps, each of which counts from nothing; how much of
/// the whole a stage is, the plan says.
class Progress
{
public:
    explicit Progress(const TaskContext &context)
        : m_context(context)
    { }

    void begin(RecommendStage stage)
    {
        m_base = std::min(1.0, m_base + m_share);
        m_stage = stage;
        m_round = 0;
        m_last = 0;
        m_share = 0;
        if (stage == RecommendStage::Order)
            m_share = shareOf(m_plan.seconds.scores + m_plan.seconds.standIns);
        if (stage == RecommendStage::Try)
            m_share = shareOf(m_plan.seconds.sweep);
        if (stage == RecommendStage::Judge)
            m_share = shareOf(m_plan.seconds.judging + m_plan.seconds.fitting);
        m_rounds = stage == RecommendStage::Order ? m_ways
            : stage == RecommendStage::Try        ? m_ways * static_cast<int>(std::max<std::size_t>(1, m_plan.windows.size()))
                                                  : std::max(1, m_plan.judgedMaps);
        tell(0);
    }
    void plan(const jobs::RecommendPlan &plan, int ways)
    {
        m_plan = plan;
        m_ways = std::max(1, ways);
    }
    void step(const JobStep &step)
    {
        if (step.part == JobPart::Carry) { // what stands in for sinks is made on the way, and has no share of its own
            constexpr double all = 100;
            const QString stage = stageText(m_stage);
            return m_context.progress(
                m_told,
                step.subject == "fit"
                    ? Studio::tr("%1 (what stands in for sinks is fitted: %2 %)").arg(stage).arg(all * step.fraction, 0, 'f', 0)
                    : Studio::tr("%1 (what stands in for sinks is calibrated)").arg(stage));
        }
        if (step.fraction < m_last)
            m_round = std::min(m_round + 1, m_rounds - 1);
        m_last = step.fraction;
        tell(std::min(1.0, (m_round + step.fraction) / m_rounds));
    }

private:
    double shareOf(double seconds) const
    {
        constexpr double writing = 0.98; // the rest of it
        const double all = m_plan.seconds.all();
        return all > 0 ? writing * seconds / all : 0;
    }
    void tell(double ofStage)
    {
        m_told = std::max(m_told, m_base + m_share * ofStage);
        m_context.progress(m_told, stageText(m_stage));
    }

    const TaskContext &m_context;
    jobs::RecommendPlan m_plan;
    RecommendStage m_stage = RecommendStage::Plan;
    double m_base = 0, m_share = 0, m_last = 0, m_told = 0;
    int m_ways = 1, m_round = 0, m_rounds = 1;
};

/// What there is by now, on its way to the window.
void deliver(const TaskContext &context, Studio &studio, const jobs::Recommendation &found, const jobs::RecommendPlaces &places,
             bool isDone)
{
    auto record = jobs::readRecord(jobs::recordText(found, places), found.model, "the recommendation");
    if (!record)
        return; // of a model whose numbers are none
    std::vector<FoundScores> scores;
    for (std::size_t way = 0; way < found.scores.size(); ++way)
        if (found.scores[way]) {
            FoundScores source;
            source.name = Studio::tr("Recommended order, %1").arg(QString::fromStdString(found.ways[way].name));
            source.scores = std::make_shared<const HeadScores>(*found.scores[way]);
            scores.push_back(std::move(source));
        }
    std::size_t way = 0;
    if (const jobs::TriedMap *map = found.map())
        way = map->way;
    context.deliver([&studio, scores = std::move(scores), way, isDone,
                     shared = std::make_shared<const jobs::RecommendRecord>(std::move(*record))] {
        studio.takeRecommendation(shared, isDone, scores, way < scores.size() ? scores[way].scores : nullptr);
    });
}

Result<void> recommendOnWorker(const TaskContext &context, Studio &studio, const RecommendAsked &asked, const std::string &name)
{
    std::error_code error;
    std::filesystem::create_directories(asked.request.progressFolder, error);
    if (error)
        return badInput(asked.request.progressFolder.string() + ": cannot be made (" + error.message()
                        + "); choose another folder");
    Progress progress(context);
    const JobContext told = context.told([&](const JobStep &step) { progress.step(step); });
    jobs::RecommendPlaces places{name, asked.request.progressFolder, {}, {}};
    jobs::RecommendJob job{.request = asked.request, .model = asked.model.get()};
    job.begins = [&](RecommendStage stage) { progress.begin(stage); };
    job.planned = [&](const jobs::RecommendPlan &plan, const std::vector<jobs::ServingWay> &ways) {
        progress.plan(plan, static_cast<int>(ways.size()));
        context.expect(plan.seconds.all());
        context.deliver([&studio, lines = planLines(asked.request, plan, ways)] { studio.takeRecommendPlan(lines); });
    };
    job.grown = [&](const jobs::Recommendation &soFar) { deliver(context, studio, soFar, {name, {}, {}, {}}, false); };
    ZIGZAG_TRY(found, jobs::recommend(told, job));
    context.progress(1, Studio::tr("Writing the map and its export"));
    const auto written = jobs::writeRecommended(told, found, asked.model.get(), places);
    deliver(context, studio, found, places, true);
    return written;
}

} // namespace

void recommendInStudio(Studio &studio, RecommendAsked asked)
{
    RunRequest request;
    request.task = RunName::Recommend;
    request.title = Studio::tr("Recommend a map for %1").arg(QString::fromStdString(asked.request.engine));
    request.ofModel = studio.modelName();
    request.page = QStringLiteral("recommend");
    request.expectedSeconds = asked.expectedSeconds;
    request.commandLine = [model = studio.lineModel(), asked]() -> Result<std::string> {
        return jobs::recommendLine(model, asked.request, asked.promptFiles, asked.request.progressFolder.string());
    };
    request.work = [&studio, asked = std::move(asked), name = studio.lineModel().name](const TaskContext &context) {
        return recommendOnWorker(context, studio, asked, name);
    };
    studio.beginRecommendation();
    studio.runs().enqueue(std::move(request));
}

} // namespace zigzag
