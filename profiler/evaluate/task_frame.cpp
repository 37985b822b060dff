// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/task_frame.h"

#include "engine/model/chat.h"

#include <algorithm>

namespace zigzag {

namespace {

Result<TaskFrame> chatFrame(const Model &model)
{
    constexpr std::string_view mark = "ZIGZAG-TASK-TEXT"; // in no template
    ZIGZAG_CHECK(tokenizerOf(model));
    ZIGZAG_TRY(text, chatText(model, {{"user", std::string(mark)}}, true));
    const std::size_t at = text.find(mark);
    if (at == std::string::npos || text.find(mark, at + 1) != std::string::npos)
        return badInput(
            "the model's chat template does not give a user's message once and as it is, so that no task can be asked "
            "by it: ask as text");
    return TaskFrame{true, text.substr(0, at), text.substr(at + mark.size())};
}

} // namespace

Result<TaskFrame> taskFrame(const Model &model, AskAs as)
{
    if (as == AskAs::Text)
        return TaskFrame{};
    auto frame = chatFrame(model);
    return frame || as == AskAs::Chat ? std::move(frame) : Result<TaskFrame>(TaskFrame{});
}

Result<AskAs> askedAs(const Model &model, AskAs as)
{
    ZIGZAG_TRY(frame, taskFrame(model, as));
    return frame.isChat ? AskAs::Chat : AskAs::Text;
}

std::vector<std::int64_t> contextsWithRoom(const Model &model, AskAs as, std::vector<std::int64_t> contexts)
{
    constexpr std::int64_t ofTask = 128; // tokens of a short needle, its question and some filler
    const auto frame = taskFrame(model, as);
    if (!frame || !frame->isChat)
        return contexts;
    const auto framed = static_cast<std::int64_t>(model.tokenizer->encode(frame->before + frame->after, false).size());
    while (contexts.size() > 1 && contexts.front() < framed + ofTask)
        contexts.erase(contexts.begin());
    return contexts;
}

QuestionParts partsOf(std::string_view question)
{
    const std::size_t mark = question.rfind('?');
    if (mark == std::string_view::npos)
        return {std::string(question), {}};
    const std::size_t begun = std::min(question.find_first_not_of(' ', mark + 1), question.size());
    return {std::string(question.substr(0, mark + 1)), std::string(question.substr(begun))};
}

} // namespace zigzag
