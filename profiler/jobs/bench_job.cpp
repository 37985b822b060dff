// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/bench_job.h"

#include "profiler/measure/bench_share.h"

namespace zigzag::jobs {

Result<std::vector<BenchRecord>> benchPoints(const JobContext &context, const BenchPlan &plan, const RecordsTold &told)
{
    const MachineProfile &machine = context.machine();
    const BenchShare share(plan, context.config(), machine);
    const double begunAt = share.begunAt();
    context.tell({.part = JobPart::Bench, .fraction = begunAt, .begunAt = begunAt});
    return runBench(context.device, context.config(), machine, plan, context.cancel,
                    [&](int done, int all, const std::vector<BenchRecord> &records) {
                        context.tell({.part = JobPart::Bench,
                                      .fraction = share.of(records),
                                      .done = static_cast<double>(done),
                                      .all = all,
                                      .begunAt = begunAt});
                        if (told)
                            told(records);
                    });
}

Result<std::vector<BenchRecord>> bench(const JobContext &context, const BenchPlan &plan, const RecordsTold &told)
{
    ZIGZAG_TRY(records, benchPoints(context, plan, told));
    MachineProfile machine = context.machine();
    raiseCeilingsAfter(records, plan, context.config(), machine, *context.device->backend, context.cancel);
    context.known->take(machine);
    return records;
}

} // namespace zigzag::jobs
