// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_support.h"

#include "engine/map/map_io.h"
#include "engine/model/context_limit.h"
#include "engine/run/dealing.h"
#include "engine/run/device_model.h"
#include "engine/run/rank_group.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <functional>
#include <set>

namespace zigzag {
namespace {

std::atomic<bool> interrupted{false};

void onInterrupt(int)
{
    interrupted = true;
    std::signal(SIGINT, SIG_DFL);
}

} // namespace

void sayNotes(const ModelConfig &config)
{
    static std::set<std::string> said;
    for (const std::string &note : config.notes)
        if (said.insert(note).second)
            fmt::print(stderr, "note: {}\n", note);
}

Result<ModelConfig> loadShape(const std::string &model, std::optional<DType> kvType)
{
    auto config = loadModelConfig(model, kvType);
    if (config)
        sayNotes(*config);
    return config;
}

namespace {

/// On the devices of a group: heads dealt by the first of the maps that has layers of both kinds, where balance is asked for.
Result<void> uploadToGroup(Loaded &loaded, const std::string &backend, const GpuOptions &gpus, const DealtMaps &maps,
                           const UploadProgress &progress)
{
    std::optional<HeadMap> mixed;
    for (const std::string &name : gpus.deal == DealBy::Balance ? maps.names : std::vector<std::string>()) {
        ZIGZAG_TRY(map, resolveHeadMap(name, loaded.model->shape(), maps.sink, maps.recent));
        if (!mixed && map.mixedLayers() > 0)
            mixed = std::move(map);
    }
    ZIGZAG_TRY(dealing, Dealing::create(loaded.model->config, gpus.gpus, gpus.deal, mixed ? &*mixed : nullptr));
    ZIGZAG_TRY(group, createRankGroup(backend, gpus.gpus));
    ZIGZAG_TRY(device, uploadDealt(loaded.model, group, std::move(dealing), progress));
    loaded.device = std::move(device);
    loaded.backend = loaded.device->backend;
    return {};
}

} // namespace

Result<Loaded> loadForRun(const std::string &model, const std::string &backend, std::optional<DType> kvType)
{
    return loadForRun(model, backend, kvType, {}, {});
}

Result<Loaded> loadForRun(const std::string &model, const std::string &backend, std::optional<DType> kvType,
                          const GpuOptions &gpus, const DealtMaps &maps)
{
    Loaded loaded;
    std::string note;
    {
        Progress progress("loading, MiB");
        const auto told
            = [&](std::int64_t done, std::int64_t all) { progress(static_cast<int>(done >> 20), static_cast<int>(all >> 20)); };
        ZIGZAG_TRY(weights, loadModel(model, {}, kvType));
        loaded.model = std::move(weights);
        if (gpus.gpus > 1) {
            ZIGZAG_CHECK(uploadToGroup(loaded, backend, gpus, maps, told));
        } else {
            ZIGZAG_TRY(chosen, createBackend(backend, &note));
            loaded.backend = std::move(chosen);
            ZIGZAG_TRY(device, uploadModel(loaded.model, loaded.backend, told));
            loaded.device = std::move(device);
        }
    }
    if (!note.empty())
        fmt::print(stderr, "note: {}\n", note);
    for (const std::string &line : loaded.device->notes)
        fmt::print(stderr, "note: {}\n", line);
    sayNotes(loaded.model->config); // behind the line of progress, which is gone
    return loaded;
}

JobContext Loaded::job(JobLines &lines) const
{
    return {device, machine.get(), &interruptFlag(), std::ref(lines), texts};
}

Result<HeadMap> resolveMap(const std::string &name, const ModelShape &model, int sink, int recent)
{
    std::string note;
    auto map = resolveHeadMap(name, model, sink, recent, &note);
    if (map && !note.empty())
        fmt::print(stderr, "note: {}\n", note);
    return map;
}

Result<std::vector<NamedMap>> resolveMaps(const std::vector<std::string> &names, const ModelShape &model, int sink, int recent)
{
    std::vector<NamedMap> maps;
    for (const std::string &name : names) {
        ZIGZAG_TRY(map, resolveMap(name, model, sink, recent));
        maps.push_back({name, std::move(map)});
    }
    return maps;
}

void noteContexts(const ModelConfig &config, const std::vector<std::int64_t> &contexts)
{
    if (contexts.empty())
        return;
    if (const std::string note = noteBeyondMaximum(config, *std::max_element(contexts.begin(), contexts.end())); !note.empty())
        fmt::print(stderr, "note: {}\n", note);
}

std::vector<Phase> phasesNamed(const std::vector<std::string> &names)
{
    std::vector<Phase> phases;
    for (const Phase phase : {Phase::Prefill, Phase::Decode})
        if (std::find(names.begin(), names.end(), nameOf(phase)) != names.end())
            phases.push_back(phase);
    return phases;
}

std::vector<std::int64_t> defaultContexts(const ModelConfig &config)
{
    return usualContexts(config.maxContext);
}

const std::atomic<bool> &interruptFlag()
{
    static const bool installed = (std::signal(SIGINT, onInterrupt), true);
    (void)installed;
    return interrupted;
}

Result<void> makeFolder(const std::filesystem::path &folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error || !std::filesystem::is_directory(folder))
        return badInput(fmt::format("{}: the folder cannot be made ({}): choose another place with --out", folder.string(),
                                    error ? error.message() : "a file is in its place"));
    return {};
}

} // namespace zigzag
