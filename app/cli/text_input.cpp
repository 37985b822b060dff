// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/text_input.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/model/chat.h"
#include "profiler/questions/documents.h"

#include <array>
#include <cstdio>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::uint64_t largestText = 64 << 20;

} // namespace

Result<std::string> readTextInput(const std::string &file)
{
    if (file != "-")
        return readTextFile(file, largestText);
    std::string text;
    std::array<char, 1 << 16> piece{};
    while (const std::size_t read = std::fread(piece.data(), 1, piece.size(), stdin)) {
        text.append(piece.data(), read);
        if (text.size() > largestText)
            return badInput(fmt::format("standard input: more than {} bytes; give a part of it", largestText));
    }
    if (std::ferror(stdin))
        return badInput("standard input could not be read; give a file");
    return text;
}

Result<std::string> readTextInputs(const std::vector<std::string> &files)
{
    std::string all;
    for (const std::string &file : files) {
        ZIGZAG_TRY(documents, documentsOf(file));
        for (const std::filesystem::path &document : documents) {
            ZIGZAG_TRY(text, readTextInput(document.string()));
            if (const FileContent content = contentOf(text); !isReadable(content))
                return wrongContent(document.string(), {content, false}, "a text");
            all += (all.empty() ? "" : "\n\n") + text;
            if (all.size() > largestText)
                return badInput(fmt::format("{}: with it there are more than {} bytes of text; give fewer texts",
                                            document.string(), largestText));
        }
    }
    return all;
}

void addPromptOptions(CLI::App &command, PromptOptions &options)
{
    auto *text = command.add_option("--prompt", options.text, "the text to continue");
    auto *file = command.add_option("--prompt-file", options.file, "a file with it; - for standard input");
    text->excludes(file);
    auto *chat = command.add_flag("--chat", options.isChat, "the text is a user's message, put into the model's chat template");
    command.add_option("--system", options.system, "with --chat: the message of the system")->needs(chat);
}

Result<std::vector<int>> promptTokens(const Model &model, const PromptOptions &options)
{
    std::string text = options.text.value_or("");
    if (!options.file.empty()) {
        ZIGZAG_TRY(read, readTextInput(options.file));
        text = std::move(read);
    } else if (!options.text) {
        return badInput("there is nothing to continue; give --prompt TEXT or --prompt-file FILE");
    }
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    if (options.isChat) {
        std::vector<ChatMessage> messages;
        if (!options.system.empty())
            messages.push_back({"system", options.system});
        messages.push_back({"user", std::move(text)});
        return chatTokens(model, messages, true);
    }
    std::vector<int> tokens = tokenizer->encode(text, true);
    if (tokens.empty())
        return badInput("the prompt gives no tokens; write something");
    return tokens;
}

} // namespace zigzag
