// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "profiler/questions/ruler_draft.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace zigzag {
namespace {

constexpr std::size_t mostDocuments = 2'000'000, mostQuestions = 2'000'000;
constexpr std::uint64_t largestFile = 1ull << 30;

/// Gives documents their numbers, each text once.
class Numbering
{
public:
    explicit Numbering(RulerDocuments &into)
        : m_into(into)
    { }
    std::size_t of(const std::string &document)
    {
        const auto [known, isNew] = m_known.try_emplace(document, m_into.documents.size());
        if (isNew)
            m_into.documents.push_back(document);
        return known->second;
    }

private:
    RulerDocuments &m_into;
    std::map<std::string, std::size_t> m_known;
};

Result<void> addSquadQuestions(const json::Value &paragraph, std::size_t document, const std::vector<std::size_t> &article,
                               RulerDocuments &read, const std::string &where)
{
    ZIGZAG_TRY(questions, json::arrayIn(paragraph, "qas", where));
    for (const json::Value &entry : *questions) {
        ZIGZAG_TRY(isImpossible, json::booleanOr(entry, "is_impossible", false, where));
        if (isImpossible)
            continue;
        RulerDocuments::Asked asked;
        ZIGZAG_TRY(question, json::stringIn(entry, "question", where));
        ZIGZAG_TRY(answers, json::arrayIn(entry, "answers", where));
        for (const json::Value &answer : *answers) {
            ZIGZAG_TRY(text, json::stringIn(answer, "text", where));
            if (!text.empty() && std::find(asked.answers.begin(), asked.answers.end(), text) == asked.answers.end())
                asked.answers.push_back(std::move(text));
        }
        if (asked.answers.empty())
            continue;
        asked.question = std::move(question);
        asked.documents = {document};
        for (const std::size_t other : article)
            if (other != document)
                asked.near.push_back(other);
        read.questions.push_back(std::move(asked));
    }
    return {};
}

Result<RulerDocuments> checked(RulerDocuments read, const std::string &where)
{
    if (read.questions.empty())
        return badInput(fmt::format("{} has no question with an answer: give the file as its publishers have it", where));
    if (read.documents.size() > mostDocuments || read.questions.size() > mostQuestions)
        return badInput(fmt::format("{} has more than {} documents or questions: give a part of it", where, mostDocuments));
    return read;
}

/// The documents that may stand beside those that must, the nearest first, and then all over again.
class DocumentOrder
{
public:
    DocumentOrder(const RulerDocuments &from, const RulerDocuments::Asked &asked, std::uint64_t seed)
        : m_from(from)
    {
        RulerRandom random(seed);
        std::vector<bool> isTaken(from.documents.size(), false);
        const auto take = [&](std::vector<std::size_t> documents, bool isShuffled) {
            if (isShuffled)
                random.shuffle(documents);
            for (const std::size_t document : documents)
                if (!isTaken[document]) {
                    isTaken[document] = true;
                    m_order.push_back(document);
                }
        };
        take(asked.documents, false);
        m_must = m_order.size();
        take(asked.near, true);
        std::vector<std::size_t> all(from.documents.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = i;
        take(std::move(all), true);
    }
    std::size_t must() const { return m_must; }
    std::size_t number(std::size_t index) const { return m_order[index % m_order.size()]; }
    const std::string &text(std::size_t index) const { return m_from.documents[number(index)]; }

private:
    const RulerDocuments &m_from;
    std::vector<std::size_t> m_order;
    std::size_t m_must = 0;
};

std::string documentText(const RulerTexts &texts, std::size_t number, std::string_view document)
{
    return filled(texts.document, {{"number", fmt::format("{}", number)}, {"document", document}});
}

/// A few more documents, the longest of the next ones first, of which the last one ends anywhere.
RulerPads moreDocuments(const RulerTexts &texts, const DocumentOrder &order, std::size_t units)
{
    constexpr std::size_t looked = 16, longest = 20'000;
    std::vector<std::string_view> next;
    for (std::size_t i = 0; i < looked; ++i)
        next.emplace_back(order.text(units + i));
    std::stable_sort(next.begin(), next.end(), [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
    std::string text;
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < looked && text.size() < longest; ++i) {
        text += (i == 0 ? "" : "\n\n") + documentText(texts, units + i + 1, {});
        const std::string_view body = next[i].substr(0, longest);
        for (std::size_t end = 1; end <= body.size(); ++end)
            if (beginsCharacter(next[i], end) && body[end - 1] != ' ' && body[end - 1] != '\n')
                ends.push_back(text.size() + end);
        text += body;
    }
    const std::size_t count = ends.size();
    return {count, [text = std::move(text), ends = std::move(ends)](std::size_t pad) { return text.substr(0, ends[pad]); }};
}

} // namespace

Result<RulerDocuments> readSquad(const std::filesystem::path &file)
{
    const std::string where = file.string();
    ZIGZAG_TRY(content, readTextFile(file, largestFile));
    ZIGZAG_TRY(root, json::parse(content, where));
    ZIGZAG_TRY(articles, json::arrayIn(root, "data", where));
    RulerDocuments read;
    Numbering numbering(read);
    for (const json::Value &article : *articles) {
        ZIGZAG_TRY(paragraphs, json::arrayIn(article, "paragraphs", where));
        std::vector<std::size_t> numbers;
        for (const json::Value &paragraph : *paragraphs) {
            ZIGZAG_TRY(text, json::stringIn(paragraph, "context", where));
            numbers.push_back(numbering.of(text));
        }
        for (std::size_t i = 0; i < paragraphs->size(); ++i)
            ZIGZAG_CHECK(addSquadQuestions((*paragraphs)[i], numbers[i], numbers, read, where));
    }
    return checked(std::move(read), where);
}

Result<RulerDocuments> readHotpot(const std::filesystem::path &file)
{
    const std::string where = file.string();
    ZIGZAG_TRY(content, readTextFile(file, largestFile));
    ZIGZAG_TRY(root, json::parse(content, where));
    if (!root.is_array())
        return badInput(fmt::format("{} is no list of questions: give HotpotQA's JSON file", where));
    RulerDocuments read;
    Numbering numbering(read);
    for (const json::Value &entry : root) {
        RulerDocuments::Asked asked;
        ZIGZAG_TRY(question, json::stringIn(entry, "question", where));
        ZIGZAG_TRY(answer, json::stringIn(entry, "answer", where));
        ZIGZAG_TRY(contexts, json::arrayIn(entry, "context", where));
        for (const json::Value &context : *contexts) {
            if (!context.is_array() || context.size() != 2 || !context[0].is_string() || !context[1].is_array())
                return badInput(
                    fmt::format("{} has a \"context\" that is no title with sentences: give HotpotQA's JSON file", where));
            std::string document = context[0].get<std::string>() + "\n";
            for (const json::Value &sentence : context[1]) {
                ZIGZAG_TRY(text, json::asString(sentence, "a sentence of \"context\"", where));
                document += text;
            }
            asked.documents.push_back(numbering.of(document));
        }
        if (answer.empty() || asked.documents.empty())
            continue;
        asked.question = std::move(question);
        asked.answers = {std::move(answer)};
        read.questions.push_back(std::move(asked));
    }
    return checked(std::move(read), where);
}

Result<Question> documentQuestion(const RulerSetting &setting, const RulerPlace &place, const RulerDocuments &documents)
{
    const RulerInstruction &instruction = setting.texts.documents;
    std::vector<std::size_t> questions(documents.questions.size());
    for (std::size_t i = 0; i < questions.size(); ++i)
        questions[i] = i;
    RulerRandom(place.taskSeed).shuffle(questions); // another question in each trial, the same ones at each length
    const RulerDocuments::Asked &asked = documents.questions[questions[static_cast<std::size_t>(place.trial) % questions.size()]];
    const DocumentOrder order(documents, asked, seedOf(place.seed, "documents"));
    RulerDraft draft;
    draft.what = place.task;
    draft.least = static_cast<std::int64_t>(order.must());
    draft.compose = [&](std::int64_t units, std::string_view pad) {
        std::vector<std::size_t> chosen(static_cast<std::size_t>(units));
        for (std::size_t i = 0; i < chosen.size(); ++i)
            chosen[i] = i;
        RulerRandom(seedOf(place.seed, "order")).shuffle(chosen);
        std::string context;
        std::size_t answerAt = 0;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            context.append(i == 0 ? "" : "\n\n");
            if (chosen[i] == 0)
                answerAt = instruction.prompt.find("{context}") + context.size();
            context += documentText(setting.texts, i + 1, order.text(chosen[i]));
        }
        context.append(pad.empty() ? "" : "\n\n").append(pad);
        Question question = rulerQuestion(place, instruction);
        question.rule = ScoringRule::RulerPart;
        question.prompt = filled(instruction.prompt, {{"context", context}, {"query", asked.question}});
        question.answerBegin = instruction.answer;
        question.references = asked.answers;
        if (order.must() == 1)
            question.depth = static_cast<double>(answerAt) / static_cast<double>(question.prompt.size());
        return question;
    };
    draft.pads = [&](std::int64_t units) { return moreDocuments(setting.texts, order, static_cast<std::size_t>(units)); };
    return setting.fit.fitted(draft, place.context);
}

} // namespace zigzag
