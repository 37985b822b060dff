// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model.h"
#include "profiler/questions/ruler.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::test {

/// A model of which only text becomes tokens.
inline Model modelWithTokenizer(const std::string &name)
{
    Model model;
    model.tokenizer = *Tokenizer::load(sourceDir() + "/tests/fixtures/tokenizers/" + name + "/tokenizer.json");
    return model;
}

inline constexpr const char *chatTemplate
    = "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }} [end]\n"
      "{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}";

inline RulerPlan rulerPlan(const std::vector<std::string_view> &tasks, std::int64_t context, int trials)
{
    RulerPlan plan;
    plan.tasks.assign(tasks.begin(), tasks.end());
    plan.contexts = {context};
    plan.trials = trials;
    return plan;
}

/// Files in the form of SQuAD and of HotpotQA, with documents of different lengths.
class RulerFiles
{
public:
    RulerFiles()
    {
        std::mt19937_64 random(3);
        nlohmann::json squad = {{"version", "v2.0"}, {"data", nlohmann::json::array()}};
        for (int article = 0; article < 4; ++article) {
            nlohmann::json paragraphs = nlohmann::json::array();
            for (int i = 0; i < 5; ++i) {
                const std::string name = "Article " + std::to_string(article) + " part " + std::to_string(i);
                paragraphs.push_back(
                    {{"context", name + " says: " + prose(random)},
                     {"qas",
                      {{{"question", "What is said in " + name + "?"},
                        {"is_impossible", false},
                        {"answers", {{{"text", "says"}}, {{"text", name}}, {{"text", "says"}}}}},
                       {{"question", "Unanswerable?"}, {"is_impossible", true}, {"answers", nlohmann::json::array()}}}}});
            }
            squad["data"].push_back({{"title", "t"}, {"paragraphs", paragraphs}});
        }
        writeText(m_folder / "squad.json", squad.dump());
        nlohmann::json hotpot = nlohmann::json::array();
        for (int i = 0; i < 4; ++i) {
            nlohmann::json context = nlohmann::json::array();
            for (int j = 0; j < 3; ++j)
                context.push_back({"Title " + std::to_string(3 * i + j), {"First sentence.", " " + prose(random)}});
            hotpot.push_back({{"question", "Which of " + std::to_string(i) + "?"},
                              {"answer", "Title " + std::to_string(3 * i)},
                              {"context", context}});
        }
        writeText(m_folder / "hotpot.json", hotpot.dump());
    }
    std::string squad() const { return (m_folder / "squad.json").string(); }
    std::string hotpot() const { return (m_folder / "hotpot.json").string(); }
    std::string file(const std::string &name, const std::string &content) const
    {
        writeText(m_folder / name, content);
        return (m_folder / name).string();
    }

private:
    static std::string prose(std::mt19937_64 &random)
    {
        const char *const words[] = {"stone", "river", "Größe", "people", "counted", "in", "the", "winter", "and", "wrote"};
        std::string text;
        for (std::uint64_t i = 0, count = 40 + random() % 60; i < count; ++i)
            text += (i == 0 ? "" : " ") + std::string(words[random() % 10]);
        return text + ".";
    }

    TempFolder m_folder;
};

} // namespace zigzag::test
