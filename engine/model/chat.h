// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"

#include <string>
#include <vector>

namespace zigzag {

struct ChatMessage {
    std::string role; ///< system, user or assistant
    std::string content;
};

/// A conversation as the model was trained to see it, by the template of its own files (Model::chat): chat_template.jinja, the
/// one of tokenizer_config.json, or a GGUF file's tokenizer.chat_template. Any template is applied that is written in what
/// engine/model/text/jinja.h understands; equal to transformers' apply_chat_template. `opensAnswer`: the model speaks next.
/// Fails where there is no template, it is not understood, or it refuses these messages, and names the way out.
Result<std::string> chatText(const Model &model, const std::vector<ChatMessage> &messages, bool opensAnswer);
/// The same as tokens. Special tokens are the template's alone: none is put before them a second time.
Result<std::vector<int>> chatTokens(const Model &model, const std::vector<ChatMessage> &messages, bool opensAnswer);

} // namespace zigzag
