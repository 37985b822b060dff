// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/server_checking.h"

#include "app/studio/state/studio.h"
#include "engine/map/run_alike.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/jobs/check_job.h"
#include "profiler/jobs/served_job.h"
#include "profiler/measure/bench_file.h"
#include "views/models/native_path.h"
#include "views/widgets/check_dialog.h"

#include <QDateTime>
#include <QPointer>

namespace zigzag {

namespace {

constexpr const char *taskName = "check";

QString title()
{
    return CheckDialog::tr("Check a server");
}

/// The plan as far as the window's thread knows it.
Result<jobs::CheckPlan> planOf(const CheckDialog::Choice &choice, Studio &studio)
{
    jobs::CheckPlan plan;
    ZIGZAG_TRY(server, check::parseServerAddress(choice.server));
    plan.server = std::move(server);
    plan.key = choice.key;
    plan.servedName = choice.servedName;
    const std::filesystem::path &path = studio.document().path();
    plan.map = {path.empty() ? "this map" : path.filename().string(), studio.document().map()};
    plan.times.contexts = choice.contexts;
    if (studio.plotted().hasTimes() && !studio.plotted().isKept())
        plan.cost = studio.plotted().cost();
    return plan;
}

/// The export of the recommendation, where this is its map and it has stand-ins, which may be fitted; empty where there is none.
std::string recommendedStandIns(const Studio &studio, const HeadMap &map, const std::string &engine)
{
    const auto &record = studio.recommendation();
    std::error_code none;
    const bool isIt = record && record->map() && record->map()->judged->standIns && engine == carriedFormat
        && runAlike(record->map()->map, map) && std::filesystem::exists(record->exported, none);
    return isIt ? record->exported : std::string();
}

/// With the model: the map as the engine behind the server runs it.
Result<void> putMeant(jobs::CheckPlan &plan, const JobContext &context, const std::string &model, const std::string &engine,
                      const std::string &standIns)
{
    if (engine.empty())
        return {};
    ZIGZAG_TRY(exported, loadExportModel(model));
    ZIGZAG_TRY(serving, engineServing(engine, exported, plan.map.map));
    ZIGZAG_TRY(run,
               standIns.empty() ? jobs::servedRun(context, plan.map.map, serving)
                                : jobs::exportedRun(context, plan.map.map, standIns));
    plan.meant = {"the map, as " + engine + " runs it", run.context.device, run.map};
    plan.costMap = serving.asRun(plan.map.map); // what stands in for sinks takes no time
    return {};
}

void listTimes(Studio &studio, const std::string &model, const jobs::ServerCheck &check)
{
    if (check.records.empty())
        return;
    const BenchFile file{model, check.machine, check.records, false};
    studio.runList().addFile(CheckDialog::tr("server %1").arg(QString::fromStdString(check.server)), QDateTime::currentDateTime(),
                             file);
    studio.refreshSoon();
}

RunRequest requestFor(const jobs::CheckPlan &asked, const std::string &engine, Studio &studio,
                      const QPointer<CheckDialog> &dialog)
{
    RunRequest request;
    request.task = taskName;
    request.canRepeat = false; // its dialog shows what it finds
    request.title = title();
    const std::string standIns = recommendedStandIns(studio, asked.map.map, engine);
    request.commandLine = [&studio, asked, engine, standIns]() -> Result<std::string> {
        ZIGZAG_TRY(word, studio.mapWord(asked.map.map));
        return jobs::checkLine(studio.lineModel(), word, asked, engine, standIns);
    };
    request.work
        = [asked, engine, standIns, dialog, &studio, model = studio.modelName()](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            const bool times = step.subject == "times";
            const QString what = step.part == JobPart::Carry ? CheckDialog::tr("calibrating what stands in for sinks")
                : times                                      ? CheckDialog::tr("taking times")
                                                             : CheckDialog::tr("comparing answers");
            context.progress(step.fraction, what);
        };
        const JobContext telling = context.told(tell);
        jobs::CheckPlan plan = asked;
        ZIGZAG_CHECK(putMeant(plan, telling, model, engine, standIns));
        ZIGZAG_TRY(found, jobs::checkServer(telling, plan));
        context.deliver([dialog, &studio, model, shown = found] {
            listTimes(studio, model, shown);
            if (dialog)
                dialog->showFound(shown);
        });
        return {};
    };
    return request;
}

} // namespace

void joinChecking(CheckDialog &dialog, Studio &studio)
{
    RunController &runs = studio.runs();
    QObject::connect(&dialog, &CheckDialog::checkAsked, &studio, [&studio, shown = QPointer<CheckDialog>(&dialog)] {
        const CheckDialog::Choice choice = shown->choice();
        const auto plan = planOf(choice, studio);
        if (!plan)
            return shown->endChecking(QString::fromStdString(plan.error().message));
        studio.runs().enqueue(requestFor(*plan, choice.engine, studio, shown));
    });
    QObject::connect(&dialog, &CheckDialog::checkCancelled, &runs, [&runs] { runs.drop(taskName); });
    QObject::connect(&dialog, &QDialog::finished, &runs, [&runs] { runs.drop(taskName); });
    QObject::connect(&runs, &RunController::progressed, &dialog, [&dialog, &runs](double fraction, const QString &text) {
        if (runs.isRunning(taskName))
            dialog.showProgress(fraction, text);
    });
    QObject::connect(&runs, &RunController::finished, &dialog, [&dialog](const std::string &task, const RunOutcome &outcome) {
        if (task == taskName && dialog.isChecking())
            dialog.endChecking(outcome.error);
    });
}

} // namespace zigzag
