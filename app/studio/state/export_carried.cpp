// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/export_carried.h"

#include "profiler/jobs/carry_job.h"
#include "views/widgets/export_dialog.h"

namespace zigzag {

double carryFraction(const JobStep &step, bool fits)
{
    // Calibration and measurement take about as long, and a fit some three times as long as both.
    const double fit = fits ? 0.75 : 0.0, other = (1 - fit) / 2;
    if (step.subject == "calibration")
        return other * step.fraction;
    if (step.subject == "fit")
        return other + fit * step.fraction;
    return 1 - other + other * step.fraction;
}

RunRequest requestFor(const CarriedExportRun &run)
{
    RunRequest request;
    request.task = "export " + run.out.string(); // several may wait, each to its place
    request.title = ExportDialog::tr("Export");
    // Shared by the runs of this request: one that was stopped goes on from what there is of its stand-ins.
    const auto soFar = std::make_shared<jobs::CarriedSoFar>();
    request.work = [run, soFar, title = request.title](const TaskContext &context) -> Result<void> {
        jobs::CarryPlan plan;
        ZIGZAG_TRY(texts, jobs::carryTexts(run.options.texts, context.job.textModel(), streamingWindowOf(run.map)));
        plan.texts = std::move(texts);
        if (run.options.fits)
            plan.fit = FitPlan{};
        const JobContext job
            = context.told([&](const JobStep &step) { context.progress(carryFraction(step, run.options.fits), title); });
        ZIGZAG_TRY(carried,
                   jobs::exportCarried(job, run.map, plan,
                                       {.target = run.target, .model = &run.model, .out = run.out, .files = run.options.files},
                                       soFar.get()));
        *soFar = {}; // asked again, all of it is made again
        context.deliver([written = run.written, quality = carried.quality()] { written(quality); });
        return {};
    };
    return request;
}

} // namespace zigzag
