// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/chat.h"

#include "engine/model/text/jinja.h"

#include <fmt/format.h>

namespace zigzag {

Result<std::string> chatText(const Model &model, const std::vector<ChatMessage> &messages, bool opensAnswer)
{
    constexpr auto wayOut = "ask it without a chat template: write the whole prompt yourself";
    if (!model.chat.refusal.empty())
        return badInput(fmt::format("{}; {}", model.chat.refusal, wayOut));
    if (model.chat.text.empty())
        return badInput(fmt::format("{}: this model's files have no chat template; {}", model.config.name, wayOut));
    nlohmann::ordered_json names = {{"tools", nullptr}, {"documents", nullptr}, {"add_generation_prompt", opensAnswer}};
    names["messages"] = nlohmann::ordered_json::array();
    for (const ChatMessage &message : messages)
        names["messages"].push_back({{"role", message.role}, {"content", message.content}});
    for (const auto &[name, token] : model.chat.tokens)
        names[name] = token;
    auto text = renderJinja(model.chat.text, names);
    if (!text)
        return badInput(fmt::format("{}: {}; {}", model.config.name, text.error().message, wayOut));
    return text;
}

Result<std::vector<int>> chatTokens(const Model &model, const std::vector<ChatMessage> &messages, bool opensAnswer)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    ZIGZAG_TRY(text, chatText(model, messages, opensAnswer));
    return tokenizer->encode(text, false);
}

} // namespace zigzag
