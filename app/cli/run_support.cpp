// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/run_support.h"

#include "engine/map/map_io.h"
#include "engine/model/context_limit.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

namespace zigzag {
namespace {

std::atomic<bool> interrupted{false};

void onInterrupt(int)
{
    interrupted = true;
    std::signal(SIGINT, SIG_DFL);
}

} // namespace

Result<Loaded> loadForRun(const std::string &model, const std::string &backend)
{
    Loaded loaded;
    ZIGZAG_TRY(weights, loadModel(model));
    ZIGZAG_TRY(chosen, createBackend(backend));
    loaded.model = std::move(weights);
    loaded.backend = std::move(chosen);
    std::optional<Progress> progress; // only where weights are copied at all
    ZIGZAG_TRY(device, uploadModel(loaded.model, loaded.backend, [&](std::int64_t done, std::int64_t all) {
                   if (!progress)
                       progress.emplace("loading, MiB");
                   (*progress)(static_cast<int>(done >> 20), static_cast<int>(all >> 20));
               }));
    loaded.device = std::move(device);
    return loaded;
}

Result<std::vector<NamedMap>> resolveMaps(const std::vector<std::string> &names, const ModelShape &model, int sink, int recent)
{
    std::vector<NamedMap> maps;
    for (const std::string &name : names) {
        ZIGZAG_TRY(map, resolveHeadMap(name, model, sink, recent));
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

std::vector<std::int64_t> defaultContexts(const ModelConfig &config)
{
    std::vector<std::int64_t> contexts;
    for (const std::int64_t part : {4, 2, 1})
        contexts.push_back(std::max<std::int64_t>(1, config.maxContext / part));
    contexts.erase(std::unique(contexts.begin(), contexts.end()), contexts.end());
    return contexts;
}

const std::atomic<bool> &interruptFlag()
{
    static const bool installed = (std::signal(SIGINT, onInterrupt), true);
    (void)installed;
    return interrupted;
}

Progress::Progress(std::string what)
    : m_what(std::move(what))
    , m_terminal(isatty(STDERR_FILENO) == 1)
    , m_begin(std::chrono::steady_clock::now())
{ }

Progress::~Progress()
{
    if (m_terminal)
        fmt::print(stderr, "\r\x1b[K");
}

void Progress::operator()(int done, int all)
{
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count();
    if (m_terminal) {
        fmt::print(stderr, "\r\x1b[K{}: {} of {}, {:.0f} s", m_what, done, all, seconds);
        std::fflush(stderr);
    } else if (all > 0 && 4 * done / all > m_quarter) {
        m_quarter = 4 * done / all;
        fmt::print(stderr, "{}: {} of {}, {:.0f} s\n", m_what, done, all, seconds);
    }
}

} // namespace zigzag
