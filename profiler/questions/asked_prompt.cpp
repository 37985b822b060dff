// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/asked_prompt.h"

#include "engine/model/chat.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace zigzag {
namespace {

constexpr std::string_view blank = " \t\n\r\f\v";

/// All that is put to the model as one text, and where the asker's own words stand in it.
struct AskedText {
    std::string text;
    std::size_t begin = 0, end = 0; ///< bytes; npos where they are not to be found
    bool isChat = false;
};

std::string nameOf(const Question &question)
{
    std::string name = question.source;
    for (const std::string *part : {&question.task, &question.id})
        if (!part->empty())
            name += (name.empty() ? "" : " ") + *part;
    return name.empty() ? "the question" : "the question " + name;
}

/// Templates strip what surrounds a message.
std::string_view stripped(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(blank);
    return begin == text.npos ? std::string_view() : text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

bool isReadable(const Model &model)
{
    return model.chat.refusal.empty() && !model.chat.text.empty() && chatText(model, {{"user", "x"}}, true);
}

Result<AskedText> chatOf(const Model &model, const Question &question)
{
    std::vector<ChatMessage> messages = question.messages;
    if (messages.empty()) {
        if (!question.system.empty())
            messages.push_back({"system", question.system});
        messages.push_back({"user", question.prompt});
    }
    ZIGZAG_TRY(text, chatText(model, messages, true));
    const auto first
        = std::find_if(messages.begin(), messages.end(), [](const ChatMessage &message) { return message.role != "system"; });
    std::size_t from = 0;
    if (first != messages.begin() && first != messages.end()) {
        const std::string_view before = stripped(std::prev(first)->content);
        const std::size_t at = text.find(before);
        from = at == text.npos ? 0 : at + before.size();
    }
    const std::string_view begins = stripped((first == messages.end() ? messages.front() : *first).content);
    const std::string_view ends = stripped(messages.back().content);
    const std::size_t begin = text.find(begins, from), last = text.rfind(ends);
    return AskedText{std::move(text), begin, last == std::string::npos ? last : last + ends.size(), true};
}

AskedText plainOf(const Question &question)
{
    AskedText asked;
    if (question.messages.empty()) {
        if (!question.system.empty())
            asked.text = question.system + "\n\n";
        asked.begin = asked.text.size();
        asked.text += question.prompt;
        asked.end = asked.text.size();
        return asked;
    }
    bool hasBegun = false;
    for (const ChatMessage &message : question.messages) {
        std::string role = message.role;
        if (!role.empty() && role.front() >= 'a' && role.front() <= 'z')
            role.front() = static_cast<char>(role.front() - 'a' + 'A');
        asked.text += role + ": ";
        if (!hasBegun && message.role != "system") {
            asked.begin = asked.text.size();
            hasBegun = true;
        }
        asked.text += message.content;
        asked.end = asked.text.size();
        asked.text += "\n\n";
    }
    asked.text += "Assistant:";
    return asked;
}

/// The tokens of the text but for what is cut out of the asker's own words, so that `room` are left.
Result<AskedPrompt> cutToFit(const Tokenizer &tokenizer, const AskedText &asked, std::vector<int> tokens, std::int64_t room,
                             const Question &question)
{
    if (asked.begin == std::string::npos || asked.end == std::string::npos || asked.begin > asked.end)
        return badInput(fmt::format("{} has {} tokens and there is room for {}, and the model's chat template changes what it is "
                                    "given, so that nothing can be cut from it: choose a longer context or ask as text",
                                    nameOf(question), tokens.size(), room));
    // Where the tokens of two texts part is the tokenizer's business; a token across the seam counts as the asker's.
    const std::vector<int> before = tokenizer.encode(std::string_view(asked.text).substr(0, asked.begin), !asked.isChat);
    const std::vector<int> behind = tokenizer.encode(std::string_view(asked.text).substr(asked.end), false);
    const auto front = std::mismatch(before.begin(), before.end(), tokens.begin(), tokens.end()).first - before.begin();
    const auto back = std::mismatch(behind.rbegin(), behind.rend(), tokens.rbegin(), tokens.rend()).first - behind.rbegin();
    const auto kept = room - front - back;
    if (kept < 2)
        return badInput(
            fmt::format("{} finds room for {} tokens, and {} are needed besides what it says: choose a longer context "
                        "or a shorter answer",
                        nameOf(question), std::max<std::int64_t>(0, room), front + back));
    const auto cut = static_cast<std::int64_t>(tokens.size()) - room;
    const auto middle = tokens.begin() + front + kept / 2;
    tokens.erase(middle, middle + cut);
    return AskedPrompt{std::move(tokens), cut, asked.isChat};
}

} // namespace

Result<AskedPrompt> askedPrompt(const Model &model, const Question &question, AskAs as, std::int64_t longest)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    const bool asChat = as == AskAs::Chat || (as == AskAs::Auto && question.isTemplated && isReadable(model));
    AskedText asked;
    if (asChat) {
        ZIGZAG_TRY(chat, chatOf(model, question));
        asked = std::move(chat);
    } else {
        asked = plainOf(question);
    }
    asked.text += question.answerBegin;
    // Special tokens are the template's alone; a text begins as the tokenizer begins one.
    std::vector<int> tokens = tokenizer->encode(asked.text, !asChat);
    if (tokens.empty())
        return badInput(fmt::format("{} gives no tokens: it must ask something", nameOf(question)));
    const std::int64_t room = longest - std::max(0, question.answerTokens);
    if (static_cast<std::int64_t>(tokens.size()) <= room)
        return AskedPrompt{std::move(tokens), 0, asChat};
    return cutToFit(*tokenizer, asked, std::move(tokens), room, question);
}

} // namespace zigzag
