// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/run_support.h"
#include "app/cli/text_input.h"
#include "engine/model/chat.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace zigzag {

namespace {

struct TokenizeOptions {
    std::string model, format = "table";
    PromptOptions prompt;
    bool isBare = false;
};

Result<void> tokenize(const TokenizeOptions &options)
{
    ZIGZAG_TRY(model, describeModel(options.model));
    sayNotes(model->config);
    ZIGZAG_TRY(tokenizer, tokenizerOf(*model));
    std::string text = options.prompt.text.value_or("");
    const std::string file = text == "-" ? text : options.prompt.file;
    if (!options.prompt.text && options.prompt.file.empty())
        return badInput("there is no text; give it behind the model, or --file FILE");
    if (!file.empty()) {
        ZIGZAG_TRY(read, readTextInput(file));
        text = std::move(read);
    }
    std::vector<int> tokens;
    if (options.prompt.isChat) {
        PromptOptions asked = options.prompt;
        asked.file.clear();
        asked.text = std::move(text);
        ZIGZAG_TRY(chat, promptTokens(*model, asked));
        tokens = std::move(chat);
    } else {
        tokens = tokenizer->encode(text, !options.isBare);
    }
    if (options.format == "json") {
        nlohmann::ordered_json pieces = nlohmann::ordered_json::array();
        for (const int token : tokens)
            pieces.push_back(tokenizer->piece(token));
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"count", tokens.size()}, {"ids", tokens}, {"pieces", std::move(pieces)}}.dump(
                       1, ' ', false, anyBytes));
        return {};
    }
    // A piece as JSON writes it: what is invisible is seen.
    for (const int token : tokens)
        fmt::print("{:>8}  {}\n", token, nlohmann::json(tokenizer->piece(token)).dump(-1, ' ', false, anyBytes));
    fmt::print("{} token{}\n", tokens.size(), tokens.size() == 1 ? "" : "s");
    return {};
}

} // namespace

void addTokenize(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<TokenizeOptions>();
    CLI::App *command = app.add_subcommand("tokenize", "show a text as the model's tokens");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file or bundled:NAME")->required();
    auto *text = command->add_option("TEXT", options->prompt.text, "the text; - for standard input");
    auto *file = command->add_option("--file", options->prompt.file, "a file with it; - for standard input");
    text->excludes(file);
    auto *chat
        = command->add_flag("--chat", options->prompt.isChat, "the text is a user's message, in the model's chat template");
    command->add_option("--system", options->prompt.system, "with --chat: the message of the system")->needs(chat);
    command->add_flag("--bare", options->isBare, "without the tokens that begin or end a text")->excludes(chat);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return tokenize(*options); }; });
}

} // namespace zigzag
