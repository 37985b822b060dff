// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"
#include "profiler/evaluate/told_run.h"
#include "profiler/questions/question.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

/// What a model said to one question.
struct QuestionAnswer {
    std::string text; ///< behind Question::answerBegin, special tokens left out
    std::vector<int> tokens; ///< of it; no file keeps them
    double score = 0; ///< by the question's rule, 0 to 1
    std::int64_t promptTokens = 0;
    std::int64_t cut = 0; ///< tokens taken out of the prompt's middle, for which the model has no room
    bool isChat = false; ///< asked by the model's template
    bool isEnded = false; ///< by itself: not because its room was used up
};

/// Called after each question with its place among those asked.
using AnswerTold = std::function<void(std::size_t question, const QuestionAnswer &answer)>;

/// Greedy answers, each at most as long as its question has room for; prompts that the model's context has no room for are cut
/// from the middle (askedPrompt), to `longest` tokens where that is less (0: the model's context). `texts`: whose tokenizer and
/// template ask. Fails where a question cannot be asked at all. Cancelled, it returns the answers that there are, or the error
/// where there are none.
Result<std::vector<QuestionAnswer>> askQuestions(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                                 const HeadMap &map, std::span<const Question> questions, AskAs as,
                                                 const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {},
                                                 const AnswerTold &told = {}, std::int64_t longest = 0);

} // namespace zigzag
