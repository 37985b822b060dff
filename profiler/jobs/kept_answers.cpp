// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/kept_answers.h"

#include "engine/base/json_input.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/search/search_progress.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace zigzag::jobs {

namespace {

constexpr std::string_view methodName = "questions";
constexpr const char *where = "the answers that are kept";
constexpr std::size_t mostMaps = 256;
constexpr std::int64_t mostTokens = std::int64_t{1} << 40;

std::string keyOf(const HeadMap &map, const std::string &engine)
{
    return fingerprintOf(map) + (engine.empty() ? "" : " " + engine);
}

json::Value answerJson(std::size_t question, const QuestionAnswer &answer)
{
    return {{"question", question}, {"text", answer.text},   {"score", answer.score},  {"prompt_tokens", answer.promptTokens},
            {"cut", answer.cut},    {"chat", answer.isChat}, {"ended", answer.isEnded}};
}

Result<QuestionAnswer> readAnswer(const json::Value &value)
{
    ZIGZAG_TRY(text, json::stringIn(value, "text", where));
    ZIGZAG_TRY(score, json::numberIn(value, "score", 0, 1, where));
    ZIGZAG_TRY(prompt, json::integerIn(value, "prompt_tokens", 0, mostTokens, where));
    ZIGZAG_TRY(cut, json::integerIn(value, "cut", 0, mostTokens, where));
    ZIGZAG_TRY(chat, json::booleanOr(value, "chat", false, where));
    ZIGZAG_TRY(ended, json::booleanOr(value, "ended", false, where));
    QuestionAnswer answer;
    answer.text = std::move(text);
    answer.score = score;
    answer.promptTokens = prompt;
    answer.cut = cut;
    answer.isChat = chat;
    answer.isEnded = ended;
    return answer;
}

std::string planJson(const JobContext &context, std::span<const Question> questions, AskAs as)
{
    const json::Value plan = {{"model", context.config().name},
                              {"fingerprint", context.model().weights.fingerprint},
                              {"backend", context.device->backend->name()},
                              {"kv_type", nameOf(context.config().kvType)},
                              {"as", nameOf(as)},
                              {"questions", questions.size()},
                              {"questions_hash", hashOf(questions)}};
    return plan.dump(-1, ' ', false, json::Value::error_handler_t::replace); // a folder's name need not be UTF-8
}

} // namespace

Result<KeptAnswers> KeptAnswers::open(const std::filesystem::path &file, const JobContext &context,
                                      std::span<const Question> questions, AskAs as, Begin begin)
{
    KeptAnswers kept;
    kept.m_file = file;
    kept.m_plan = planJson(context, questions, as);
    kept.m_questionsHash = hashOf(questions);
    if (!file.empty() && begin == Begin::GoOn) {
        ZIGZAG_TRY(state, loadProgress(file, methodName, kept.m_plan));
        if (state)
            ZIGZAG_CHECK(kept.read(*state, questions.size()));
    }
    return kept;
}

std::vector<std::optional<QuestionAnswer>> KeptAnswers::of(const HeadMap &map, const std::string &engine,
                                                           std::size_t questions) const
{
    const auto found = m_answers.find(keyOf(map, engine));
    return found != m_answers.end() && found->second.size() == questions ? found->second
                                                                         : std::vector<std::optional<QuestionAnswer>>{};
}

void KeptAnswers::take(const HeadMap &map, const std::string &engine, std::size_t questions, std::size_t question,
                       const QuestionAnswer &answer)
{
    std::vector<std::optional<QuestionAnswer>> &answers = m_answers[keyOf(map, engine)];
    answers.resize(questions);
    answers[question] = answer;
    constexpr std::chrono::seconds seldom(1);
    if (!m_file.empty() && std::chrono::steady_clock::now() - m_saved >= seldom)
        (void)save(); // what cannot be written now is tried again; at the end it is an error
}

int KeptAnswers::count() const
{
    std::ptrdiff_t count = 0;
    for (const auto &[key, answers] : m_answers)
        count += std::count_if(answers.begin(), answers.end(), [](const auto &each) { return each.has_value(); });
    return static_cast<int>(count);
}

std::string KeptAnswers::stateJson() const
{
    json::Value maps = json::Value::object();
    for (const auto &[key, answers] : m_answers) {
        json::Value &list = maps[key] = json::Value::array();
        for (std::size_t question = 0; question < answers.size(); ++question)
            if (answers[question])
                list.push_back(answerJson(question, *answers[question]));
    }
    return json::Value{{"maps", std::move(maps)}}.dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

Result<void> KeptAnswers::read(const std::string &state, std::size_t questions)
{
    ZIGZAG_TRY(root, json::parse(state, where));
    ZIGZAG_TRY(maps, json::objectIn(root, "maps", where));
    if (maps->size() > mostMaps)
        return badInput(fmt::format("{} are of more than {} maps: begin anew", where, mostMaps));
    for (const auto &[key, list] : maps->items()) {
        if (!list.is_array() || list.size() > questions)
            return badInput(fmt::format("{} are more than there are questions: begin anew", where));
        std::vector<std::optional<QuestionAnswer>> &answers = m_answers[key];
        answers.resize(questions);
        for (const json::Value &each : list) {
            ZIGZAG_TRY(question, json::integerIn(each, "question", 0, static_cast<std::int64_t>(questions) - 1, where));
            ZIGZAG_TRY(answer, readAnswer(each));
            answers[static_cast<std::size_t>(question)] = std::move(answer);
        }
    }
    return {};
}

Result<void> KeptAnswers::save()
{
    m_saved = std::chrono::steady_clock::now();
    if (m_file.empty() || m_answers.empty())
        return {};
    return saveProgress(m_file, methodName, m_plan, stateJson());
}

void KeptAnswers::removeFile() const
{
    std::error_code ignored;
    if (!m_file.empty())
        std::filesystem::remove(m_file, ignored);
}

} // namespace zigzag::jobs
