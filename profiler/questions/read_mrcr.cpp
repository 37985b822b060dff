// SPDX-License-Identifier: GPL-3.0-or-later
// OpenAI MRCR (https://huggingface.co/datasets/openai/mrcr), whose Parquet files are first written as JSON Lines: a long
// conversation with several alike requests, the last of which asks for the answer to one of them.
#include "profiler/questions/question_readers.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::questions {
namespace {

bool isMrcr(const json::Value &record)
{
    return hasText(record, "prompt") && hasText(record, "answer") && hasText(record, "random_string_to_prepend");
}

/// The share of the conversation's bytes before a message.
double depthOf(const std::vector<ChatMessage> &messages, std::int64_t index)
{
    if (index < 0 || index >= static_cast<std::int64_t>(messages.size()))
        return -1;
    double before = 0, all = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto bytes = static_cast<double>(messages[i].content.size());
        all += bytes;
        before += static_cast<std::int64_t>(i) < index ? bytes : 0;
    }
    return all > 0 ? before / all : -1;
}

Result<std::optional<Question>> readMrcr(const json::Value &record, const std::string &where)
{
    // A list of messages, as JSON within JSON.
    ZIGZAG_TRY(prompt, json::stringIn(record, "prompt", where));
    ZIGZAG_TRY(list, json::parse(prompt, where + ", \"prompt\""));
    ZIGZAG_TRY(messages, conversationOf(list, where));
    ZIGZAG_TRY(answer, json::stringIn(record, "answer", where));
    ZIGZAG_TRY(random, json::stringIn(record, "random_string_to_prepend", where));
    ZIGZAG_TRY(needles, json::integerOr(record, "n_needles", 0, 0, 1000, where));
    ZIGZAG_TRY(index, json::integerOr(record, "desired_msg_index", -1, -1, static_cast<std::int64_t>(mostMessages), where));
    if (random.empty() || answer.size() > longestReference || !answer.starts_with(random))
        return badInput(
            fmt::format("{}: \"answer\" must begin with \"random_string_to_prepend\" and have at most {} bytes; fetch "
                        "the file anew",
                        where, longestReference));
    Question question;
    question.source = "mrcr";
    question.task = needles > 0 ? fmt::format("{}needle", needles) : std::string("needles");
    question.depth = depthOf(messages, index);
    question.messages = std::move(messages);
    question.rule = ScoringRule::Mrcr;
    // Its publishers set no end. Twice as long an answer as the right one (some four bytes a token) is wrong enough.
    constexpr std::size_t atLeast = 64;
    question.answerTokens = static_cast<int>(std::min<std::size_t>(mostAnswerTokens, answer.size() / 2 + atLeast));
    question.references = {std::move(answer), std::move(random)};
    return question;
}

Result<RecordReader> openMrcr(const std::filesystem::path &)
{
    return
        [](const json::Value &record, const std::string &where, std::vector<std::string> &) { return readMrcr(record, where); };
}

} // namespace

Format mrcr()
{
    return {"MRCR", "prompt, answer, random_string_to_prepend", isMrcr, openMrcr};
}

} // namespace zigzag::questions
