// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/carried_target.h"
#include "profiler/carry/carry_quality.h"
#include "profiler/carry/sink_fit.h"
#include "profiler/jobs/job.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag::jobs {

/// What stand-ins are made from and judged by, as tokens.
struct CarryTexts {
    std::vector<std::vector<int>> calibration;
    std::vector<std::vector<int>> fit; ///< more of the same, where there is more
    std::vector<std::vector<int>> heldOut; ///< that neither has seen
};

/// Texts for a map's window from prompts that are made from two seeds, where nobody gives any; `fit` is `calibration` again.
/// Always the same ones. `model` has a tokenizer.
Result<CarryTexts> madeCarryTexts(const Model &model, StreamingWindow window);
/// The first two thirds of each file to make them from, the last third to judge them by. Without files, madeCarryTexts.
Result<CarryTexts> carryTexts(const std::vector<std::filesystem::path> &files, const Model &model, StreamingWindow window);

struct CarryPlan {
    CarryTexts texts;
    std::optional<FitPlan> fit; ///< absent: calibration alone
};

struct CarrySeconds {
    double calibration = 0, fit = 0, measurement = 0;
};

/// How far stand-ins are. A call with what an earlier one left ends as if that had not been stopped: whole texts and whole steps
/// of a fit are kept.
struct CarryState {
    CalibrationState calibration;
    std::optional<SinkCarrier> calibrated, fitted; ///< where that is done
    FitState fit;
    CarrySums sums;
    CarrySeconds seconds;
};
struct CarriedSoFar {
    CarryState state; ///< of the same map and plan
    std::function<void()> told; ///< hears that `state` has grown
};

struct Carried {
    SinkCarrier carrier; ///< the better one of both
    CarryQuality calibrated;
    std::optional<CarryQuality> fitted; ///< absent without a fit
    int steps = 0; ///< of the fit
    bool isFitted = false; ///< the fit is the one that was taken
    CarrySeconds seconds;

    const CarryQuality &quality() const { return isFitted ? *fitted : calibrated; }
};

/// Stand-ins for a map's sinks: calibrated, fitted where the plan says so, and measured. Of a fit that is no better than the
/// calibration, over the held-out texts and by the plan's weights, the calibration is taken. Steps have "calibration", "fit" and
/// "measurement" as their subjects.
Result<Carried> carry(const JobContext &context, const HeadMap &map, const CarryPlan &plan, CarriedSoFar *soFar = nullptr);

/// The calibration alone: what an export without a fit writes, and `--as-engine` runs.
Result<SinkCarrier> calibrateStandIns(const JobContext &context, const HeadMap &map, const CarryTexts &texts,
                                      CalibrationState *soFar = nullptr);
/// The model with stand-ins, on the context's backend.
Result<std::shared_ptr<DeviceModel>> withStandIns(const JobContext &context, const HeadMap &map, const SinkCarrier &carrier);

struct CarriedExport {
    const CarriedTarget *target = nullptr;
    const ExportModel *model = nullptr; ///< the context's model, as it lies on disk
    std::filesystem::path out;
    WeightFiles files = WeightFiles::Link;
};
/// The same, and writes the model with them. Refuses what the target refuses before anything runs.
Result<Carried> exportCarried(const JobContext &context, const HeadMap &map, const CarryPlan &plan, const CarriedExport &where,
                              CarriedSoFar *soFar = nullptr);
/// Writes the model with stand-ins that there are.
Result<void> writeCarried(const JobContext &context, const HeadMap &map, const Carried &carried, const CarriedExport &where);

/// Stand-ins for every layer (calibrateEveryLayer), from texts that are made, as a model beside the context's own on its backend:
/// what a search takes layers from for an engine that has such (ServedBy::standIns).
Result<std::shared_ptr<DeviceModel>> everyLayerCarried(const JobContext &context, StreamingWindow window,
                                                       CalibrationState *soFar = nullptr);

/// What the stand-ins of a map cost, before anything is written: calibrated and measured on texts that are made.
Result<CarryQuality> carryCost(const JobContext &context, const HeadMap &map, CarriedSoFar *soFar = nullptr);

} // namespace zigzag::jobs
