// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/base/job_time.h"
#include "profiler/timing/pace_meter.h"

#include <atomic>
#include <functional>
#include <memory>

namespace zigzag {

/// A time, and what is known of the machine while it was taken.
struct Sample {
    double ms = 0;
    double paceMs = 0; ///< PaceMeter's, before and after, the greater; infinite where patience was used up, 0 without a meter
    bool interrupted = false; ///< threads waited for a processor, which had been given to another program
};

/// Takes samples while the machine is left alone: waits for its full pace, times, looks again, and takes a sample that was
/// disturbed once more. Looking, waiting and taking again last `patience` seconds at most, over all samples. Where that is used
/// up, or every try was disturbed, the median of the tries counts, marked as disturbed: nothing is chosen by its time. Without
/// patience, and on a GPU, the pace is not looked at.
class Sampler
{
public:
    /// `model`: whose steps tell the pace. `fullPaceMs`: what an earlier process knew as the full pace; 0 where none did.
    /// `time`: of the job that the samples belong to: once it has run out nothing is waited for or taken again.
    Sampler(const std::shared_ptr<DeviceModel> &model, double patienceSeconds, const std::atomic<bool> *cancel,
            double fullPaceMs = 0, const JobTime &time = {});

    /// `once` runs what is timed, and gives its milliseconds.
    Result<Sample> take(const std::function<Result<double>()> &once, int tries = 4);
    /// Interrupted, or not at the full pace as far as it is known now.
    bool isDisturbed(const Sample &sample) const;

private:
    std::unique_ptr<PaceMeter> m_meter; ///< none without patience, and on a GPU
    double patienceLeft() const; ///< seconds
    double m_patience, m_waited = 0; ///< seconds
    JobTime m_time;
    const std::atomic<bool> *m_cancel;
};

} // namespace zigzag
