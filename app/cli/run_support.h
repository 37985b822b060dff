// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/common_options.h"
#include "app/cli/job_lines.h"
#include "engine/base/result.h"
#include "engine/model/model.h"
#include "engine/run/session.h"
#include "profiler/base/run_types.h"

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// A model that is ready to run, for the commands that run one.
struct Loaded {
    std::shared_ptr<const Model> model;
    std::shared_ptr<Backend> backend;
    std::shared_ptr<DeviceModel> device;
    std::shared_ptr<KnownMachine> machine = std::make_shared<KnownMachine>(); ///< measured by the first job that needs it
    std::shared_ptr<const Model> texts = {}; ///< whose tokenizer is the model's, where it has none of its own

    /// What jobs take, stopped by the first interrupt.
    JobContext job(JobLines &lines) const;
};
Result<Loaded> loadForRun(const std::string &model, const std::string &backend = "auto", std::optional<DType> kvType = {});
/// By which maps heads are dealt to several GPUs; as --map and the options of its window name them.
struct DealtMaps {
    std::vector<std::string> names;
    int sink = defaultSink, recent = defaultRecent;
};
/// The same on several GPUs.
Result<Loaded> loadForRun(const std::string &model, const std::string &backend, std::optional<DType> kvType,
                          const GpuOptions &gpus, const DealtMaps &maps);
/// The config alone, for the commands that need no weights.
Result<ModelConfig> loadShape(const std::string &model, std::optional<DType> kvType = {});

/// What a model's files say and nobody uses, on stderr; each note once, however often the model is read. Both functions above
/// do it.
void sayNotes(const ModelConfig &config);

/// resolveHeadMap, with its note on stderr.
Result<HeadMap> resolveMap(const std::string &name, const ModelShape &model, int sink, int recent);
/// The maps of `--map`, each under the name that was given.
Result<std::vector<NamedMap>> resolveMaps(const std::vector<std::string> &names, const ModelShape &model, int sink, int recent);

/// Says on stderr where the longest of these contexts is beyond the model's (engine/model/context_limit.h).
void noteContexts(const ModelConfig &config, const std::vector<std::int64_t> &contexts);

/// The phases of `--phase`, prefill first.
std::vector<Phase> phasesNamed(const std::vector<std::string> &names);

/// Contexts to look at when none are asked for: a quarter, half and all of the model's.
std::vector<std::int64_t> defaultContexts(const ModelConfig &config);

/// Set by the first interrupt (Ctrl-C): the command stops soon and prints what it has. A second one ends the program.
const std::atomic<bool> &interruptFlag();

/// The folder that --out names, made where it is not there.
Result<void> makeFolder(const std::filesystem::path &folder);

} // namespace zigzag
