// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What stands around a task's text: nothing, or the model's chat template. The text and its questions are then the user's
/// message, and the beginnings of the answers ("The pass key is ") are the model's own, so that what follows can still be
/// compared token by token.
struct TaskFrame {
    bool isChat = false;
    std::string before, after; ///< of the user's message

    /// Template texts have their special tokens in them; a plain text gets the tokenizer's.
    bool addsSpecial() const { return !isChat; }
};

/// Auto: by the template where the model has one that can be read. Chat fails where there is none; the error says why.
Result<TaskFrame> taskFrame(const Model &model, AskAs as);
/// What Auto means for this model: Chat or Text. Fails as taskFrame does.
Result<AskAs> askedAs(const Model &model, AskAs as);

/// Those of the contexts, which rise, in which the frame leaves a task some room; at least the last.
std::vector<std::int64_t> contextsWithRoom(const Model &model, AskAs as, std::vector<std::int64_t> contexts);

/// A question of the task grammar, "What is the pass key? The pass key is ", in its two parts; without a question mark all of it
/// is asked.
struct QuestionParts {
    std::string asked, begun;
};
QuestionParts partsOf(std::string_view question);

} // namespace zigzag
