// SPDX-License-Identifier: GPL-3.0-or-later
// Chat templates against what transformers makes of them (tests/fixtures/make_chat_templates.py), and hostile ones.
#include "engine/model/text/jinja.h"

#include "engine/model/chat.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::ordered_json;

TEST(ChatTemplate, WritesWhatTransformersWrites)
{
    std::ifstream stream(test::sourceDir() + "/tests/fixtures/chat_templates.json");
    const Json fixtures = Json::parse(stream);
    int texts = 0, refusals = 0;
    for (const Json &fixture : fixtures) {
        for (const Json &one : fixture["cases"]) {
            Json names = {{"tools", nullptr}, {"documents", nullptr}, {"add_generation_prompt", one["opens"]}};
            names["messages"] = one["messages"];
            names.update(fixture["tokens"]);
            const auto text = renderJinja(fixture["template"].get<std::string>(), names);
            const std::string where = fixture["name"].get<std::string>() + ": " + one["messages"].dump();
            if (one.contains("refused")) {
                EXPECT_FALSE(text) << where;
                ++refusals;
                continue;
            }
            ASSERT_TRUE(text) << where << ": " << text.error().message;
            EXPECT_EQ(*text, one["text"].get<std::string>()) << where;
            ++texts;
        }
    }
    EXPECT_GT(texts, 100);
    EXPECT_GT(refusals, 1);
}

std::string faultOf(const std::string &text)
{
    const auto rendered = renderJinja(text, Json{{"messages", Json::array({Json{{"role", "user"}, {"content", "x"}}})}});
    return rendered ? "none: " + rendered->substr(0, 40) : rendered.error().message;
}

TEST(ChatTemplate, RefusesByName)
{
    EXPECT_NE(faultOf("{% include 'x' %}").find("\"include\" is a tag that is not supported"), std::string::npos);
    EXPECT_NE(faultOf("{{ messages | shout }}").find("the filter \"shout\""), std::string::npos);
    EXPECT_NE(faultOf("{{ messages | map }}").find("map needs a text"), std::string::npos);
    EXPECT_NE(faultOf("{{ messages.append(1) }}").find("\"append\" of array"), std::string::npos);
    EXPECT_NE(faultOf("{{ open('/etc/passwd') }}").find("there is no function \"open\""), std::string::npos);
    EXPECT_NE(faultOf("{{ raise_exception('only two turns') }}").find("only two turns"), std::string::npos);
    EXPECT_NE(faultOf("{% if true %}").find("endif"), std::string::npos);
    EXPECT_NE(faultOf("{{ messages").find("has no }}"), std::string::npos);
    EXPECT_NE(faultOf("{{ missing.part }}").find("undefined"), std::string::npos);
}

TEST(ChatTemplate, BoundsWhatATemplateMayTake)
{
    EXPECT_NE(
        faultOf("{% for a in range(4000) %}{% for b in range(4000) %}{{ b }}{% endfor %}{% endfor %}").find("too many steps"),
        std::string::npos);
    EXPECT_NE(faultOf("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").find("too deeply"), std::string::npos);
    EXPECT_NE(faultOf("{{ " + std::string(100'000, '(') + " }}").find("nests too deeply"), std::string::npos);
    EXPECT_NE(faultOf("{{ " + std::string(100'000, '-') + "1 }}").find("nests too deeply"), std::string::npos);
    std::string blocks;
    for (int i = 0; i < 1000; ++i)
        blocks += "{% if true %}";
    EXPECT_NE(faultOf(blocks).find("nest too deeply"), std::string::npos);
    EXPECT_NE(faultOf("{% set ns = namespace(t='0123456789') %}{% for i in range(40) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}")
                  .find("too large"),
              std::string::npos);
    EXPECT_NE(faultOf("{% set ns = namespace(t=[1, 2, 3]) %}{% for i in range(40) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}")
                  .find("too many steps"),
              std::string::npos);
}

class ChatModel : public testing::Test
{
protected:
    std::shared_ptr<const Model> load()
    {
        auto loaded = loadModel(m_folder.path().string());
        EXPECT_TRUE(loaded) << loaded.error().message;
        return loaded ? *loaded : nullptr;
    }
    void write(const std::string &file, const std::string &text) { std::ofstream(m_folder.path() / file) << text; }
    void SetUp() override { test::writeTinyModel(m_folder.path()); }

    test::TempFolder m_folder;
};

TEST_F(ChatModel, SpecialTokensAreTheTemplates)
{
    write("tokenizer_config.json", R"({"bos_token": "<|begin|>", "eos_token": {"content": "<|end|>"},
        "chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"})");
    const auto model = load();
    const auto tokens = chatTokens(*model, {{"user", "ab"}, {"assistant", "c"}}, true);
    ASSERT_TRUE(tokens) << tokens.error().message;
    EXPECT_EQ(*tokens, (std::vector<int>{256, 'a', 'b', 257, 'c', 257}));
}

TEST_F(ChatModel, AFileOfItsOwnHasItsWay)
{
    write("tokenizer_config.json",
          R"({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]})");
    EXPECT_EQ(load()->chat.text, "d");
    write("chat_template.jinja", "file");
    EXPECT_EQ(load()->chat.text, "file");
}

TEST_F(ChatModel, WithoutATemplateTheWayOutIsNamed)
{
    const auto text = chatText(*load(), {{"user", "x"}}, true);
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message.find("no chat template; ask it without"), std::string::npos) << text.error().message;
}

} // namespace
} // namespace zigzag
