// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "engine/model/token_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace zigzag {

namespace {

struct LogitsOptions {
    std::string model, tokens, map = "full", backend = "auto", out;
    int sink = defaultSink, recent = defaultRecent;
    std::int64_t chunk = 512;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    EngineOptions engine;
};

/// NumPy's format 1.0: magic, header, then the rows.
std::string npyHeader(std::size_t rows, std::size_t columns)
{
    std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    constexpr std::size_t prefix = 10, alignment = 64;
    header.append(alignment - (prefix + header.size() + 1) % alignment, ' ');
    header += '\n';
    std::string result("\x93NUMPY\x01\x00", 8);
    result += static_cast<char>(header.size() & 0xff);
    result += static_cast<char>(header.size() >> 8);
    return result + header;
}

Result<void> logits(const LogitsOptions &options)
{
    // What the user gave is checked before the model is loaded.
    ZIGZAG_TRY(config, loadModelConfig(options.model));
    ZIGZAG_TRY(text, readTextFile(options.tokens, 64 << 20));
    ZIGZAG_TRY(tokens, parseTokens(text, config.vocabulary, options.tokens));
    noteContexts(config, {static_cast<std::int64_t>(tokens.size())});
    ZIGZAG_TRY(output, AtomicFile::create(options.out));
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    ZIGZAG_TRY(map, resolveMap(options.map, loaded.model->shape(), options.sink, options.recent));
    SessionOptions sessionOptions;
    sessionOptions.maxContext = static_cast<std::int64_t>(tokens.size());
    sessionOptions.chunk = std::min(options.chunk, sessionOptions.maxContext);
    ZIGZAG_TRY(run, asEngine(loaded, options.model, map, options.engine));
    ZIGZAG_TRY(session, Session::create(run.loaded.device, run.map, sessionOptions));
    session->setCancelFlag(&interruptFlag());
    ZIGZAG_CHECK(output.write(npyHeader(tokens.size(), static_cast<std::size_t>(config.vocabulary))));
    // A chunk at a time: all rows of a long text over a large vocabulary would not fit into memory.
    for (std::span<const int> rest = tokens; !rest.empty();) {
        const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(sessionOptions.chunk));
        ZIGZAG_TRY(rows, session->run(rest.first(count), Session::Logits::All)); // [count, vocabulary]
        ZIGZAG_CHECK(output.write({reinterpret_cast<const char *>(rows.data()), rows.size() * sizeof(float)}));
        rest = rest.subspan(count);
    }
    return output.commit();
}

} // namespace

void addLogits(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<LogitsOptions>();
    CLI::App *command = app.add_subcommand("logits", "run tokens and write the logits of every position as a NumPy file");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME")->required();
    command->add_option("--tokens", options->tokens, "file of whitespace-separated token ids")->required();
    command->add_option("--map", options->map, "head-map file, full or streaming")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addEngineOptions(*command, options->engine);
    command->add_option("--chunk", options->chunk, "tokens of one forward pass")
        ->check(integerIn(1, 1 << 20))
        ->capture_default_str();
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    command->add_option("--out", options->out, "the .npy file: float32, tokens x vocabulary")->required();
    command->callback([options, &chosen] { chosen.run = [options] { return logits(*options); }; });
}

} // namespace zigzag
