// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/gguf/gguf_file.h"
#include "engine/model/model.h"
#include "engine/model/tokenizer.h"

#include <string>
#include <vector>

namespace zigzag {

/// The tokenizer in a GGUF file's metadata: byte-level BPE ("gpt2"), whose way of cutting text into words is named by
/// tokenizer.ggml.pre, and SentencePiece's BPE ("llama"). Words are cut as by the tokenizer that the model was trained with;
/// where llama.cpp only comes near its expressions, the two differ in rare texts. Others are refused by name.
Result<Tokenizer> readGgufTokenizer(const GgufFile &file, std::vector<std::string> &notes);

/// The tokens that end a text: those that the metadata names, and those that llama.cpp takes for ends by their spelling.
Result<std::vector<int>> ggufEndTokens(const GgufFile &file);

/// tokenizer.chat_template, and the tokens that it may name; nothing where the metadata has none.
Result<ChatTemplate> readGgufChatTemplate(const GgufFile &file);

} // namespace zigzag
