// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// A question as a model gets it.
struct AskedPrompt {
    std::vector<int> tokens;
    std::int64_t cut = 0; ///< tokens taken out of its middle, for which there was no room
    bool isChat = false; ///< by the model's template
};

/// The prompt's tokens, at most `longest` less the room of the answer: what is too much is cut from the middle, as LongBench does
/// (arXiv 2308.14508, section 4.1), of the message's own tokens, so that template and question stay whole; then they are exactly
/// so many. Of a conversation its middle goes, from the first message's beginning to the last one's end, the system's left out.
/// As plain text, a system's message stands before the prompt with an empty line between, and a conversation is written
/// "User: …", "Assistant: …" with empty lines between, as far as "Assistant:".
/// Fails where the model has no tokenizer, a template is asked for and there is none, or nothing is left.
Result<AskedPrompt> askedPrompt(const Model &model, const Question &question, AskAs as, std::int64_t longest);

} // namespace zigzag
