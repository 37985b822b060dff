// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "profiler/base/run_types.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

// What a person asks of the program, once each, for command line and window: each job is one function over a JobContext. The
// programs choose plans, find words for progress, and show results.

namespace zigzag {

/// What a job is at.
enum class JobPart {
    Machine, ///< its ceilings
    Calibrate,
    TimePass, ///< a short run that tells how long the rest will take
    Bench,
    Score,
    Search,
    Sweep,
    Needle,
    Distill,
    Perplexity,
    Questions,
    Trace,
    Answer, ///< of two maps beside each other
    Carry, ///< stand-ins for sinks
    Check, ///< of a server that somebody runs
};

/// How far it is. Each part begins with a step of nothing done.
struct JobStep {
    JobPart part = JobPart::Machine;
    double fraction = 0; ///< of the part, 0 to 1
    double done = 0; ///< what is counted: 3.25 of 40; 0 of 0 where only the fraction is known
    int all = 0;
    double begunAt = 0; ///< the fraction that an earlier run had done
    std::string_view subject = {}; ///< the map or model that it is about, where there are several; valid during the call
};
using JobProgress = std::function<void(const JobStep &)>;

/// The machine as far as it is known: measured when a job first needs it, for the products of the model that it runs with.
class KnownMachine
{
public:
    KnownMachine() = default;
    /// One that was measured before.
    explicit KnownMachine(MachineProfile profile)
        : m_profile(std::move(profile))
    { }

    const MachineProfile &get(const DeviceModel &model, const std::atomic<bool> *cancel, const JobProgress &progress);
    /// It was seen to do more than was known.
    void take(const MachineProfile &raised) { m_profile = raised; }
    /// A job is over: what a cancel cut short counted for that job alone.
    void endJob();

private:
    std::optional<MachineProfile> m_profile;
    bool m_cutShort = false;
};

/// What every job runs with.
struct JobContext {
    std::shared_ptr<DeviceModel> device; ///< the model, on a backend
    KnownMachine *known = nullptr;
    const std::atomic<bool> *cancel = nullptr; ///< a job that hears it returns what it has, or fails as cancelled
    JobProgress progress; ///< called on the job's thread; may be empty
    std::shared_ptr<const Model> texts = {}; ///< whose tokenizer is the model's; null where the model has its own

    const Model &model() const { return *device->model; }
    const Model &textModel() const { return texts ? *texts : model(); }
    const ModelConfig &config() const { return device->config(); }
    bool isCancelled() const { return cancel && cancel->load(); }
    /// A second or two, the first time.
    const MachineProfile &machine() const { return known->get(*device, cancel, progress); }

    void tell(const JobStep &step) const
    {
        if (progress)
            progress(step);
    }
    void tell(JobPart part, double fraction) const { tell({.part = part, .fraction = fraction}); }
    /// Prompts, windows, steps: `done` of `all`.
    std::function<void(double done, int all)> counted(JobPart part, std::string_view subject = {}, double begunAt = 0) const;
};

} // namespace zigzag
