// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"
#include "profiler/evaluate/told_run.h"
#include "profiler/questions/question.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

/// Called after each answer with its question's place among those asked.
using AnswerTold = std::function<void(std::size_t question, const QuestionAnswer &answer)>;

struct AskPlan {
    AskAs as = AskAs::Auto;
    std::int64_t longest = 0; ///< tokens of a prompt and its answer's room; 0, and at most: the model's context
    /// Questions whose answers are continued together, 1 to 64; 0: usualAnswers, or as few as keep their keys and values within
    /// half of the free memory.
    int batch = 0;
    /// Answers of an earlier run of the same questions, map and model, which was stopped: they are not asked again, and `told`
    /// hears of the others alone. [questions], or empty: none.
    std::vector<std::optional<QuestionAnswer>> known = {};
};

/// As many answers at once as leave each of them the arithmetic of one alone: 8 on a processor, which rounds otherwise beside
/// weights of 16 bits from the ninth on (engine/cpu/matmul.cpp); 16 elsewhere, where a kernel for few rows serves as many.
int usualAnswers(const Backend &backend);

/// Greedy answers, each at most as long as its question has room for; prompts that the model's context has no room for are cut
/// from the middle (askedPrompt). Prompts are run one by one, and answers continued together: who is done leaves, and the next
/// question takes the place. `texts`: whose tokenizer and template ask. Fails where a question cannot be asked at all. Cancelled,
/// it returns the answers up to the first question that has none, or the error where there are none. `told` hears of answers as
/// they come, which is not always in the questions' order.
Result<std::vector<QuestionAnswer>> askQuestions(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                                 const HeadMap &map, std::span<const Question> questions, const AskPlan &plan,
                                                 const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {},
                                                 const AnswerTold &told = {});

} // namespace zigzag
