// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "engine/run/device_model.h"
#include "profiler/machine/machine_profile.h"

#include <QString>
#include <atomic>
#include <functional>
#include <memory>

namespace zigzag {

/// What a task finds on the worker's thread. Everything but `deliver`'s argument runs there; test `cancel` often.
struct TaskContext {
    const Model &model;
    std::shared_ptr<DeviceModel> device;
    std::function<const MachineProfile &()> machine; ///< measured at the first call for a model: about a second
    const std::atomic<bool> &cancel;
    std::function<void(double fraction, const QString &text)> progress;
    /// Hands a result over: the function is called on the window's thread, and dropped if the run was cancelled meanwhile.
    std::function<void(std::function<void()>)> deliver;
    /// How long the rest should take: counts until the run has a pace of its own.
    std::function<void(double seconds)> expect;
};

/// A run that a page brings along (RunKind::Task): no new kind of request, no new signal. Capture by value what it needs.
/// An error of Result shows as the message of a failed run.
using RunTask = std::function<Result<void>(const TaskContext &context)>;

} // namespace zigzag
