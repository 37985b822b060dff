// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/ask_questions.h"

#include "engine/map/checks.h"
#include "engine/map/kv_layout.h"
#include "engine/map/map_io.h"
#include "engine/run/device_model.h"
#include "profiler/questions/asked_prompt.h"
#include "profiler/questions/scoring.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <utility>

namespace zigzag {

namespace {

/// Whether the first line of what was said is over: a line break behind something.
bool hasLine(std::string_view said)
{
    const std::size_t begin = said.find_first_not_of('\n');
    return begin != std::string_view::npos && said.find('\n', begin) != std::string_view::npos;
}

std::string nameOf(const Question &question)
{
    return fmt::format("{} {} {}", question.source, question.task, question.id);
}

/// The questions as prompts, each tokenized twice at most: before anything is run, so that what cannot be asked is said before
/// hours of work, and again where many long ones would fill the memory.
class Prompts
{
public:
    /// What is `known` is not asked.
    static Result<Prompts> make(const Model &texts, std::span<const Question> questions, AskAs as, std::int64_t longest,
                                const std::vector<std::optional<QuestionAnswer>> &known)
    {
        constexpr std::int64_t mostKept = 16 << 20; // tokens, 64 MiB
        Prompts prompts(texts, questions, as, longest);
        std::int64_t kept = 0;
        for (std::size_t i = 0; i < questions.size(); ++i) {
            const Question &question = questions[i];
            if (!known.empty() && known[i]) {
                prompts.m_kept.emplace_back();
                continue;
            }
            auto prompt = askedPrompt(texts, question, as, longest);
            if (!prompt)
                return badInput(fmt::format("{}: {}", nameOf(question), prompt.error().message));
            const std::int64_t tokens = std::ssize(prompt->tokens);
            prompts.context = std::max(prompts.context, tokens + question.answerTokens);
            kept += tokens;
            prompts.m_kept.push_back(kept <= mostKept ? std::optional(std::move(*prompt)) : std::nullopt);
        }
        return prompts;
    }

    /// Once each.
    Result<AskedPrompt> take(std::size_t question)
    {
        if (auto &kept = m_kept[question])
            return *std::exchange(kept, std::nullopt);
        return askedPrompt(*m_texts, m_questions[question], m_as, m_longest);
    }

    std::int64_t context = 0; ///< tokens of the longest, with its answer's room

private:
    Prompts(const Model &texts, std::span<const Question> questions, AskAs as, std::int64_t longest)
        : m_texts(&texts)
        , m_questions(questions)
        , m_as(as)
        , m_longest(longest)
    { }

    const Model *m_texts;
    std::span<const Question> m_questions;
    AskAs m_as;
    std::int64_t m_longest;
    std::vector<std::optional<AskedPrompt>> m_kept;
};

/// An answer on its way, in a sequence of the session.
struct Saying {
    std::size_t question = 0;
    std::vector<int> tokens; ///< the prompt's end, and what was said
    std::size_t promptText = 0; ///< bytes of the first of them
    QuestionAnswer answer;
};

class Asking
{
public:
    Asking(Session &session, const Model &texts, const Tokenizer &tokenizer, std::span<const Question> questions, Prompts prompts,
           std::vector<std::optional<QuestionAnswer>> known)
        : answers(std::move(known))
        , m_session(session)
        , m_tokenizer(tokenizer)
        , m_ends(texts.config.endTokens)
        , m_questions(questions)
        , m_prompts(std::move(prompts))
        , m_places(static_cast<std::size_t>(session.batch()))
    {
        answers.resize(questions.size());
        m_done = static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(), [](const auto &each) { return each; }));
        skipKnown();
    }

    Result<void> run();

    std::vector<std::optional<QuestionAnswer>> answers; ///< [questions]
    std::int64_t chunk = 0; ///< tokens of a prompt that are run at a time
    PromptProgress progress;
    AnswerTold told;

private:
    Result<void> begin(std::size_t place);
    Result<void> step();
    void take(std::size_t place, std::span<const float> logits);
    void end(std::size_t place);
    void tell(double prefilled);
    void skipKnown()
    {
        while (m_next < answers.size() && answers[m_next])
            ++m_next;
    }

    Session &m_session;
    const Tokenizer &m_tokenizer;
    const std::vector<int> &m_ends;
    std::span<const Question> m_questions;
    Prompts m_prompts;
    std::vector<std::optional<Saying>> m_places; // [batch]
    std::size_t m_next = 0; // question
    std::size_t m_done = 0;
    Paced m_paced;
};

Result<void> Asking::run()
{
    while (m_done < m_questions.size()) {
        for (std::size_t place = 0; place < m_places.size(); ++place)
            while (!m_places[place] && m_next < m_questions.size())
                ZIGZAG_CHECK(begin(place));
        ZIGZAG_CHECK(step());
    }
    return {};
}

/// Runs the next question's prompt.
Result<void> Asking::begin(std::size_t place)
{
    const std::size_t question = m_next++;
    skipKnown();
    ZIGZAG_TRY(prompt, m_prompts.take(question)); // it was asked for before
    Saying saying;
    saying.question = question;
    saying.answer.promptTokens = std::ssize(prompt.tokens);
    saying.answer.cut = prompt.cut;
    saying.answer.isChat = prompt.isChat;
    const auto sequence = static_cast<int>(place);
    m_session.reset(sequence);
    ZIGZAG_TRY(logits,
               runInParts(
                   m_session, prompt.tokens, Session::Logits::Last, chunk, [this](double share) { tell(share); }, sequence));
    // Text is decoded from the prompt on: a tokenizer may treat the first word of a text differently. Its end is enough for that.
    constexpr std::size_t before = 16;
    saying.tokens.assign(prompt.tokens.end() - std::min(std::ssize(prompt.tokens), std::ptrdiff_t{before}), prompt.tokens.end());
    saying.promptText = m_tokenizer.decode(saying.tokens).size();
    m_places[place] = std::move(saying);
    if (m_questions[question].answerTokens > 0)
        take(place, logits);
    else
        end(place);
    return {};
}

/// The choice behind a prompt or a step. [vocabulary]
void Asking::take(std::size_t place, std::span<const float> logits)
{
    Saying &saying = *m_places[place];
    const Question &question = m_questions[saying.question];
    QuestionAnswer &answer = saying.answer;
    const int token = strongest(logits);
    answer.isEnded = std::find(m_ends.begin(), m_ends.end(), token) != m_ends.end();
    if (!answer.isEnded) {
        saying.tokens.push_back(token);
        answer.tokens.push_back(token);
        if (question.endsAtLine)
            answer.isEnded = hasLine(m_tokenizer.decode(saying.tokens).substr(saying.promptText));
    }
    if (answer.isEnded || std::ssize(answer.tokens) >= question.answerTokens)
        end(place);
}

void Asking::end(std::size_t place)
{
    Saying saying = *std::exchange(m_places[place], std::nullopt);
    m_session.reset(static_cast<int>(place));
    saying.answer.text = m_tokenizer.decode(saying.tokens).substr(saying.promptText);
    saying.answer.score = scoreOf(m_questions[saying.question], saying.answer.text);
    if (told)
        told(saying.question, saying.answer);
    answers[saying.question] = std::move(saying.answer);
    ++m_done;
    tell(0);
}

/// A token of every answer on its way. The places behind the last of them are not computed.
Result<void> Asking::step()
{
    std::vector<int> tokens;
    for (std::size_t place = 0; place < m_places.size(); ++place) {
        if (!m_places[place])
            continue;
        tokens.resize(place + 1, Session::waiting);
        tokens[place] = m_places[place]->tokens.back();
    }
    if (tokens.empty())
        return {};
    ZIGZAG_TRY(logits, m_session.stepSome(tokens)); // [tokens, vocabulary]
    const std::size_t vocabulary = logits.size() / tokens.size();
    for (std::size_t place = 0; place < tokens.size(); ++place)
        if (m_places[place])
            take(place, std::span<const float>(logits).subspan(place * vocabulary, vocabulary));
    if (m_paced.isDue())
        tell(0);
    return {};
}

/// A prompt is most of a question's time where it is long, and its answer is the rest.
void Asking::tell(double prefilled)
{
    constexpr double ofPrompt = 0.7;
    if (!progress)
        return;
    double done = static_cast<double>(m_done) + ofPrompt * prefilled;
    for (const auto &saying : m_places)
        if (saying)
            done += ofPrompt
                + (1 - ofPrompt) * static_cast<double>(saying->answer.tokens.size())
                    / std::max(1, m_questions[saying->question].answerTokens);
    progress(done, static_cast<int>(m_questions.size()));
}

/// The session for all of them; with fewer places where the usual number has no room.
Result<std::unique_ptr<Session>> sessionFor(const std::shared_ptr<DeviceModel> &model, const HeadMap &map, std::int64_t context,
                                            std::size_t questions, int batch)
{
    SessionOptions options{.maxContext = context, .batch = batch};
    if (batch > 0)
        return Session::create(model, map, options);
    const Backend &backend = *model->backend;
    HeadMap sized = map; // a map from bare scores knows no head size
    ZIGZAG_CHECK(checkFits(map, model->model->shape(), "the head map"));
    sized.setModel(mergedShape(model->model->shape(), map.model()));
    const std::int64_t each = std::max<std::int64_t>(1, kvBytes(sized, context, model->config().kvType));
    const auto most = std::clamp<std::int64_t>(static_cast<std::int64_t>(questions), 1, usualAnswers(backend));
    options.batch = static_cast<int>(std::clamp<std::int64_t>(backend.device().memoryBytes / 2 / each, 1, most));
    auto session = Session::create(model, map, options);
    for (; !session && session.error().kind == ErrorKind::Failed && options.batch > 1;
         session = Session::create(model, map, options))
        options.batch /= 2;
    return session;
}

} // namespace

int usualAnswers(const Backend &backend)
{
    return backend.capabilities().onProcessor ? 8 : 16;
}

Result<std::vector<QuestionAnswer>> askQuestions(const std::shared_ptr<DeviceModel> &model, const Model &texts,
                                                 const HeadMap &map, std::span<const Question> questions, const AskPlan &plan,
                                                 const std::atomic<bool> *cancel, const PromptProgress &progress,
                                                 const AnswerTold &told)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(texts));
    const std::int64_t ofModel = model->config().maxContext;
    const std::int64_t longest = plan.longest > 0 ? std::min(plan.longest, ofModel) : ofModel;
    if (!plan.known.empty() && plan.known.size() != questions.size())
        return badInput(fmt::format("{} answers are kept of {} questions: begin anew", plan.known.size(), questions.size()));
    ZIGZAG_TRY(prompts, Prompts::make(texts, questions, plan.as, longest, plan.known));
    const auto isKnown = [](const auto &each) { return each.has_value(); };
    if (plan.known.size() == questions.size() && std::all_of(plan.known.begin(), plan.known.end(), isKnown)) { // or no question
        std::vector<QuestionAnswer> all;
        std::transform(plan.known.begin(), plan.known.end(), std::back_inserter(all), [](const auto &each) { return *each; });
        return all;
    }
    ZIGZAG_TRY(session, sessionFor(model, map, prompts.context, questions.size(), plan.batch));
    session->setCancelFlag(cancel);
    Asking asking(*session, texts, *tokenizer, questions, std::move(prompts), plan.known);
    asking.chunk = model->backend->device().prefillChunk;
    asking.progress = progress;
    asking.told = told;
    const Result<void> ran = asking.run();
    std::vector<QuestionAnswer> answers;
    for (std::size_t i = 0; i < questions.size() && asking.answers[i]; ++i)
        answers.push_back(std::move(*asking.answers[i]));
    if (!ran && (ran.error().kind != ErrorKind::Cancelled || answers.empty()))
        return tl::unexpected(ran.error());
    return answers;
}

} // namespace zigzag
