// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// The text of a file, or of standard input where it is "-"; at most 64 MiB of either.
Result<std::string> readTextInput(const std::string &file);
/// The texts of files, of folders (documentsOf) and of standard input, one behind another with an empty line between them, at
/// most 64 MiB in all. Fails where one of them is no text.
Result<std::string> readTextInputs(const std::vector<std::string> &files);

/// What a model is asked, and as what: `--prompt`, `--prompt-file`, `--chat` and `--system`.
struct PromptOptions {
    std::optional<std::string> text; ///< "" is a prompt too: the beginning of a text
    std::string file, system;
    bool isChat = false;
};
void addPromptOptions(CLI::App &command, PromptOptions &options);
/// The prompt as tokens: text as the tokenizer begins it, or one message of a user in the model's own chat template.
Result<std::vector<int>> promptTokens(const Model &model, const PromptOptions &options);

} // namespace zigzag
