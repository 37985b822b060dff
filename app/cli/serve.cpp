// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/map/map_io.h"
#include "profiler/serve/http_server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <thread>

namespace zigzag {

namespace {

constexpr std::int64_t usualContext = 8192;

struct ServeOptions {
    std::string model, map = "full", backend = "auto";
    int sink = defaultSink, recent = defaultRecent;
    std::int64_t context = 0; ///< 0: the model's, up to the usual one
    serve::SchedulerOptions scheduler;
    serve::ServerOptions server;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    EngineOptions engine;
};

volatile std::sig_atomic_t terminated = 0;

void onTerminate(int)
{
    terminated = 1;
    std::signal(SIGTERM, SIG_DFL);
}

Result<void> serveModel(ServeOptions options)
{
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    ZIGZAG_TRY(map, resolveMap(options.map, loaded.model->shape(), options.sink, options.recent));
    ZIGZAG_TRY(run, asEngine(loaded, options.model, map, options.engine));
    const ModelConfig &config = loaded.model->config;
    options.scheduler.context = options.context > 0 ? options.context : std::min<std::int64_t>(config.maxContext, usualContext);
    noteContexts(config, {options.scheduler.context});
    options.server.name = config.name;
    ZIGZAG_TRY(scheduler, serve::BatchScheduler::create(run.loaded.device, run.map, options.scheduler));
    ZIGZAG_TRY(server, serve::HttpServer::start(loaded.model, *scheduler, options.server));
    const std::atomic<bool> &interrupted = interruptFlag();
    std::signal(SIGTERM, onTerminate);
    fmt::print("http://{}:{}/v1 serves {}: {} sequences at a time, up to {} tokens each; Ctrl-C ends it\n", options.server.host,
               server->port(), config.name, scheduler->batch(), scheduler->context());
    std::fflush(stdout);
    while (!interrupted && terminated == 0 && server->isRunning())
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const bool wasAsked = interrupted || terminated != 0;
    scheduler->stop(); // so that answers end, which the server waits for
    server.reset();
    if (!wasAsked)
        return failed("the server has stopped taking connections; start it again");
    return {};
}

} // namespace

void addServe(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ServeOptions>();
    CLI::App *command = app.add_subcommand("serve", "answer over HTTP, in the form of OpenAI's API");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file or bundled:NAME")->required();
    command->add_option("--map", options->map, "head-map file, full or streaming")->capture_default_str();
    command->add_option("--host", options->server.host, "address to listen at; 127.0.0.1 is reached from this machine alone")
        ->capture_default_str();
    command->add_option("--port", options->server.port, "0 takes any that is free, and says which")
        ->check(integerIn(0, 65535))
        ->capture_default_str();
    command->add_option("--key", options->server.key, "that requests must carry as Authorization: Bearer KEY");
    command->add_option("--batch", options->scheduler.batch, "sequences that are continued together")
        ->check(integerIn(1, 64))
        ->capture_default_str();
    command->add_option("--context", options->context, "tokens of a prompt and its answer (default: the model's, up to 8192)")
        ->check(longIntegerFrom(1));
    addWindowOptions(*command, options->sink, options->recent);
    addEngineOptions(*command, options->engine);
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    command->callback([options, &chosen] { chosen.run = [options] { return serveModel(*options); }; });
}

} // namespace zigzag
