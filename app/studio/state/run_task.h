// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"
#include "profiler/jobs/job.h"

#include <QString>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace zigzag {

/// What a task finds on the worker's thread. Everything but `deliver`'s argument runs there.
struct TaskContext {
    JobContext job; ///< model, machine and cancel flag, for the functions of profiler/jobs; it tells no progress
    std::function<void(double fraction, const QString &text)> progress;
    /// Hands a result over: the function is called on the window's thread, and dropped if the run was cancelled meanwhile.
    std::function<void(std::function<void()>)> deliver;
    /// How long the rest should take: counts until the run has a pace of its own.
    std::function<void(double seconds)> expect;
    std::string backendNote; ///< why the backend is not that of the GPU that is there; in the first run alone, else empty

    /// The job, with what puts its progress into words.
    JobContext told(JobProgress progressOfJob) const
    {
        JobContext telling = job;
        telling.progress = std::move(progressOfJob);
        return telling;
    }
};

/// A piece of work of a page or of the studio, which delivers its own result. Capture by value what it needs. An error of
/// Result shows as the message of a failed run.
using RunTask = std::function<Result<void>(const TaskContext &context)>;

/// A run of the worker's thread. Everything that it needs travels with it, by value.
struct RunRequest {
    int id = 0; ///< what is delivered under another id than the current one's is dropped
    std::string task; ///< its name; of those that wait, the last of a name runs
    QString title; ///< what a person calls it, translated
    std::string model; ///< to be loaded before the work, as the command line names it; the runs behind it need it
    std::optional<DType> kvType; ///< what that model keeps keys and values in; none: the weights' own type
    RunTask work;
    double expectedSeconds = 0; ///< what it should take, for the time left before it has a pace of its own; 0 = nobody knows
    /// The command that does the same, on a line; files of maps and scores are written where it names them. Empty: there is none.
    std::function<Result<std::string>()> commandLine;
    QString page; ///< whose page shows what it finds; empty: none
    std::string ofModel; ///< the model that was asked about; the controller's own runs leave it empty
    bool canRepeat = true; ///< with the same model: it goes on where it was stopped, or does all again
    bool background = false; ///< nobody asked for it: it makes no message out of date
    std::shared_ptr<std::atomic<bool>> cancel; ///< set by the window's thread, read by the engine

    bool isLoad() const { return !model.empty(); }
};

struct RunOutcome {
    enum class Kind { Done, Cancelled, Failed };
    Kind kind = Kind::Done;
    QString error; ///< one line, when it failed
};

} // namespace zigzag
