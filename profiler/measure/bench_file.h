// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Includes nlohmann/json: for .cpp files that print or read records.

#include "profiler/measure/bench.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace zigzag {

/// What `bench` printed as JSON, and what a sweep keeps: `zigzag-bench`, version 1.
struct BenchFile {
    std::string model; ///< the name it was asked for
    MachineProfile machine;
    std::vector<BenchRecord> records;
    int gpus = 1; ///< that the model was dealt to
    std::string deal = "order"; ///< how (BenchPlan::deal)
    bool predicted = false; ///< `zigzag-prediction`: medians are predicted, and there is no spread
};

nlohmann::ordered_json benchJson(const std::string &model, const MachineProfile &machine, const BenchPlan &plan,
                                 const std::vector<BenchRecord> &records);
Result<void> writeBenchFile(const std::filesystem::path &file, const std::string &model, const MachineProfile &machine,
                            const BenchPlan &plan, const std::vector<BenchRecord> &records);
/// The same without settings but the number of GPUs, for a file that was read says nothing of others. Not of predictions.
nlohmann::ordered_json benchJson(const BenchFile &bench);
/// A bench, or a prediction.
Result<BenchFile> readBenchFile(const std::filesystem::path &file);
Result<BenchFile> benchFrom(std::string_view text, const std::string &where);

/// The same records as predictions: `predicted_ms` and no samples.
nlohmann::ordered_json predictionJson(const BenchFile &prediction);

/// The earlier records of a sweep that goes on; empty when there is no such file. Refused where it speaks of another model,
/// machine, build or type of keys and values, or of other numbers of GPUs or ways to deal heads to them (`gpus` and `deal` of
/// `plan`), for these are not to be compared.
Result<std::vector<BenchRecord>> resumeFrom(const std::filesystem::path &file, const std::string &model,
                                            const MachineProfile &machine, const ModelConfig &config, const BenchPlan &plan = {});

/// Tokens per second: of a prefill the whole context, of decode one token a step, of every sequence.
double tokensPerSecond(const BenchRecord &record);

} // namespace zigzag
