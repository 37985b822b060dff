// SPDX-License-Identifier: GPL-3.0-or-later
// A chat template, over a conversation of three turns.
#include "engine/model/text/jinja.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(chat_template)
{
    using Json = nlohmann::ordered_json;
    static const Json names = {{"messages",
                                Json::array({Json{{"role", "system"}, {"content", "s"}},
                                             Json{{"role", "user"}, {"content", " <think>\n\xc3\xa9</think> "}},
                                             Json{{"role", "assistant"}, {"content", "a"}}})},
                               {"tools", nullptr},
                               {"bos_token", "<s>"},
                               {"add_generation_prompt", true}};
    const auto text = zigzag::renderJinja(input, names);
    if (text)
        zigzag::test::require(text->size() <= 64u << 20);
    else
        zigzag::test::require(!text.error().message.empty() && text.error().message.find('\n') == std::string::npos);
}
