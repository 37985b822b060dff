// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/export_measuring.h"

#include "app/studio/state/export_carried.h"
#include "profiler/jobs/carry_job.h"
#include "views/widgets/export_dialog.h"

#include <QPointer>
#include <utility>

namespace zigzag {

namespace {

constexpr const char *taskName = "export cost";

/// `soFar`: of this dialog's map; measured again, what was stopped goes on.
RunRequest requestFor(const HeadMap &map, const QPointer<ExportDialog> &dialog, const std::shared_ptr<jobs::CarriedSoFar> &soFar)
{
    RunRequest request;
    request.task = taskName;
    request.canRepeat = false; // its dialog shows what it finds
    request.title = ExportDialog::tr("Cost without sinks");
    request.work = [map, dialog, soFar, title = request.title](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) { context.progress(carryFraction(step, false), title); };
        ZIGZAG_TRY(cost, jobs::carryCost(context.told(tell), map, soFar.get()));
        context.deliver([dialog, shown = cost] {
            if (dialog)
                dialog->showCost(shown);
        });
        return {};
    };
    return request;
}

} // namespace

void joinMeasuring(ExportDialog &dialog, RunController &runs, const HeadMap &map)
{
    dialog.offerMeasuring();
    QObject::connect(&dialog, &ExportDialog::measureAsked, &runs,
                     [&runs, map, shown = QPointer<ExportDialog>(&dialog), soFar = std::make_shared<jobs::CarriedSoFar>()] {
                         runs.enqueue(requestFor(map, shown, soFar));
                     });
    QObject::connect(&dialog, &ExportDialog::measureCancelled, &runs, [&runs] { runs.drop(taskName); });
    QObject::connect(&dialog, &QDialog::finished, &runs, [&runs] { runs.drop(taskName); });
    QObject::connect(&runs, &RunController::progressed, &dialog, [&dialog, &runs](double fraction, const QString &) {
        if (runs.isRunning(taskName))
            dialog.showProgress(fraction);
    });
    QObject::connect(&runs, &RunController::finished, &dialog, [&dialog](const std::string &task, const RunOutcome &outcome) {
        if (task == taskName && dialog.isMeasuring())
            dialog.endMeasuring(outcome.error);
    });
}

} // namespace zigzag
