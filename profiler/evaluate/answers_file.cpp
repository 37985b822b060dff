// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answers_file.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "engine/base/sha256.h"
#include "profiler/machine/machine_json.h"
#include "profiler/questions/scoring.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view answersFormat = "zigzag-answers";
constexpr int answersVersion = 1;
constexpr std::uint64_t largestFile = 256ull << 20;
constexpr std::size_t mostQuestions = 1 << 20, mostMaps = 256, mostReferences = 1 << 20, keptBytes = 400;
constexpr std::int64_t mostTokens = std::int64_t{1} << 40;

/// The last bytes, from the beginning of a character.
std::string endOf(std::string_view text)
{
    if (text.size() <= keptBytes)
        return std::string(text);
    std::size_t begin = text.size() - keptBytes;
    while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80)
        ++begin;
    return std::string(text.substr(begin));
}

nlohmann::ordered_json answerJson(const QuestionAnswer &answer)
{
    return {{"score", answer.score},   {"prompt_tokens", answer.promptTokens},
            {"cut", answer.cut},       {"chat", answer.isChat},
            {"ended", answer.isEnded}, {"text", answer.text}};
}

nlohmann::ordered_json questionJson(const AskedQuestion &question)
{
    nlohmann::ordered_json json{
        {"source", question.source},         {"task", question.task}, {"id", question.id}, {"context", question.context},
        {"references", question.references}, {"end", question.end}};
    if (question.depth >= 0)
        json["depth"] = question.depth;
    return json;
}

Result<AskedQuestion> readQuestion(const json::Value &value, const std::string &where)
{
    AskedQuestion question;
    ZIGZAG_TRY(source, json::stringIn(value, "source", where));
    ZIGZAG_TRY(task, json::stringIn(value, "task", where));
    ZIGZAG_TRY(id, json::stringIn(value, "id", where));
    ZIGZAG_TRY(context, json::integerOr(value, "context", 0, 0, mostTokens, where));
    ZIGZAG_TRY(depth, json::numberOr(value, "depth", -1, -1, 1, where));
    ZIGZAG_TRY(references, json::arrayIn(value, "references", where));
    ZIGZAG_TRY(end, json::stringOr(value, "end", {}, where));
    if (references->size() > mostReferences)
        return badInput(fmt::format("{}: more than {} references; ask anew", where, mostReferences));
    for (const json::Value &each : *references) {
        ZIGZAG_TRY(reference, json::asString(each, "a reference", where));
        question.references.push_back(std::move(reference));
    }
    question.source = std::move(source);
    question.task = std::move(task);
    question.id = std::move(id);
    question.context = context;
    question.depth = depth;
    question.end = std::move(end);
    return question;
}

Result<QuestionAnswer> readAnswer(const json::Value &value, const std::string &where)
{
    QuestionAnswer answer;
    ZIGZAG_TRY(text, json::stringIn(value, "text", where));
    ZIGZAG_TRY(score, json::numberIn(value, "score", 0, 1, where));
    ZIGZAG_TRY(prompt, json::integerOr(value, "prompt_tokens", 0, 0, mostTokens, where));
    ZIGZAG_TRY(cut, json::integerOr(value, "cut", 0, 0, mostTokens, where));
    ZIGZAG_TRY(chat, json::booleanOr(value, "chat", false, where));
    ZIGZAG_TRY(ended, json::booleanOr(value, "ended", false, where));
    answer.text = std::move(text);
    answer.score = score;
    answer.promptTokens = prompt;
    answer.cut = cut;
    answer.isChat = chat;
    answer.isEnded = ended;
    return answer;
}

Result<AnswersOfMap> readMap(const json::Value &value, std::size_t questions, const std::string &where)
{
    AnswersOfMap map;
    ZIGZAG_TRY(name, json::stringIn(value, "map", where));
    ZIGZAG_TRY(sparsity, json::numberOr(value, "sparsity", 0, 0, 1, where));
    ZIGZAG_TRY(sink, json::integerOr(value, "sink", 0, 0, 1 << 30, where));
    ZIGZAG_TRY(recent, json::integerOr(value, "recent", 0, 0, 1 << 30, where));
    ZIGZAG_TRY(engine, json::stringOr(value, "as_engine", {}, where));
    ZIGZAG_TRY(answers, json::arrayIn(value, "answers", where));
    if (answers->size() > questions)
        return badInput(fmt::format("{}: {} answers to {} questions; ask anew", where, answers->size(), questions));
    map.map = std::move(name);
    map.sparsity = sparsity;
    map.sink = static_cast<int>(sink);
    map.recent = static_cast<int>(recent);
    map.engine = std::move(engine);
    for (const json::Value &each : *answers) {
        ZIGZAG_TRY(answer, readAnswer(each, where));
        map.answers.push_back(std::move(answer));
    }
    return map;
}

} // namespace

std::string_view nameOf(AskAs as)
{
    switch (as) {
    case AskAs::Auto:
        return "auto";
    case AskAs::Chat:
        return "chat";
    case AskAs::Text:
        return "text";
    }
    return "auto";
}

Result<AskAs> parseAskAs(std::string_view name)
{
    for (const AskAs as : {AskAs::Auto, AskAs::Chat, AskAs::Text})
        if (nameOf(as) == name)
            return as;
    return badInput(fmt::format("'{}' is no way to ask: choose auto, chat or text", name));
}

std::size_t AnswersRecord::answered() const
{
    std::size_t count = maps.empty() ? 0 : questions.size();
    for (const AnswersOfMap &each : maps)
        count = std::min(count, each.answers.size());
    return count;
}

std::vector<AskedQuestion> keptOf(std::span<const Question> questions)
{
    std::vector<AskedQuestion> kept;
    kept.reserve(questions.size());
    for (const Question &each : questions) {
        const std::string &last = each.messages.empty() ? each.prompt : each.messages.back().content;
        kept.push_back({each.source, each.task, each.id, each.context, each.depth, each.references, endOf(last)});
    }
    return kept;
}

std::string hashOf(std::span<const Question> questions)
{
    Sha256 digest;
    const auto add = [&](std::string_view text) {
        digest.update(fmt::format("{}:", text.size()));
        digest.update(text);
    };
    for (const Question &each : questions) {
        for (const std::string *text : {&each.source, &each.task, &each.id, &each.system, &each.prompt, &each.answerBegin})
            add(*text);
        add(fmt::format("{} {} {} {} {}", nameOf(each.rule), each.answerTokens, each.isTemplated, each.endsAtLine, each.context));
        add(fmt::format("{} {} {}", each.messages.size(), each.references.size(), each.classes.size()));
        for (const ChatMessage &message : each.messages) {
            add(message.role);
            add(message.content);
        }
        for (const std::vector<std::string> *list : {&each.references, &each.classes})
            for (const std::string &one : *list)
                add(one);
    }
    return "sha256:" + digest.hex();
}

nlohmann::ordered_json answersJson(const AnswersRecord &record)
{
    nlohmann::ordered_json json{{"format", answersFormat},
                                {"version", answersVersion},
                                {"model", record.model},
                                {"fingerprint", record.fingerprint},
                                {"machine", machineJson(record.machine)},
                                {"asked", record.asked},
                                {"questions_hash", record.questionsHash},
                                {"as", nameOf(record.as)},
                                {"seed", record.seed},
                                {"questions", nlohmann::ordered_json::array()},
                                {"maps", nlohmann::ordered_json::array()}};
    for (const AskedQuestion &question : record.questions)
        json["questions"].push_back(questionJson(question));
    for (const AnswersOfMap &map : record.maps) {
        nlohmann::ordered_json answers = nlohmann::ordered_json::array();
        for (const QuestionAnswer &answer : map.answers)
            answers.push_back(answerJson(answer));
        json["maps"].push_back({{"map", map.map},
                                {"sparsity", map.sparsity},
                                {"sink", map.sink},
                                {"recent", map.recent},
                                {"as_engine", map.engine},
                                {"answers", std::move(answers)}});
    }
    return json;
}

Result<void> writeAnswersFile(const std::filesystem::path &file, const AnswersRecord &record)
{
    return writeFileAtomically(file, answersJson(record).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<AnswersRecord> readAnswersFile(const std::filesystem::path &file)
{
    ZIGZAG_TRY(text, readTextFile(file, largestFile));
    return answersFrom(text, file.string());
}

Result<AnswersRecord> answersFrom(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, answersFormat, answersVersion, where));
    AnswersRecord record;
    ZIGZAG_TRY(model, json::stringIn(document, "model", where));
    ZIGZAG_TRY(fingerprint, json::stringOr(document, "fingerprint", {}, where));
    ZIGZAG_TRY(asked, json::stringIn(document, "asked", where));
    ZIGZAG_TRY(hash, json::stringIn(document, "questions_hash", where));
    ZIGZAG_TRY(asName, json::stringOr(document, "as", "auto", where));
    ZIGZAG_TRY(as, parseAskAs(asName));
    const json::Value *seed = json::find(document, "seed");
    if (seed && !seed->is_number_unsigned()) // of 64 bits: no other number is
        return badInput(fmt::format("{}: \"seed\" must be a whole number, 0 or more", where));
    ZIGZAG_TRY(machine, json::objectIn(document, "machine", where));
    ZIGZAG_TRY(profile, readMachine(*machine, where));
    ZIGZAG_TRY(questions, json::arrayIn(document, "questions", where));
    ZIGZAG_TRY(maps, json::arrayIn(document, "maps", where));
    if (questions->size() > mostQuestions || maps->size() > mostMaps)
        return badInput(
            fmt::format("{}: more than {} questions or {} maps; ask fewer at a time", where, mostQuestions, mostMaps));
    for (const json::Value &each : *questions) {
        ZIGZAG_TRY(question, readQuestion(each, where));
        record.questions.push_back(std::move(question));
    }
    for (const json::Value &each : *maps) {
        ZIGZAG_TRY(map, readMap(each, record.questions.size(), where));
        record.maps.push_back(std::move(map));
    }
    record.model = std::move(model);
    record.fingerprint = std::move(fingerprint);
    record.machine = std::move(profile);
    record.asked = std::move(asked);
    record.questionsHash = std::move(hash);
    record.as = as;
    record.seed = seed ? seed->get<std::uint64_t>() : 0;
    return record;
}

} // namespace zigzag
