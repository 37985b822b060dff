// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/side_by_side_job.h"

#include "engine/run/session.h"
#include "profiler/evaluate/told_run.h"
#include "profiler/jobs/served_job.h"
#include "profiler/serve/answer_text.h"
#include "profiler/serve/token_score.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

namespace zigzag::jobs {

namespace {

constexpr double readingShare = 0.4; // of the progress: both prompts
constexpr double answeringShare = 0.4; // and both answers; the rest is reading each other's

/// One map with its session, and the row of logits that its next token is taken from.
struct Side {
    ServedRun run;
    std::unique_ptr<Session> session;
    std::vector<float> logits; // [vocabulary]
    std::unique_ptr<serve::AnswerText> text;
    std::size_t shown = 0; ///< bytes of the text that tokens have by now

    bool isEnded(const MapAnswer &answer) const { return answer.end != MapAnswer::End::None; }
};

class Answering
{
public:
    Answering(const JobContext &context, const SideBySidePlan &plan, const SideBySideTold &told)
        : m_context(context)
        , m_plan(plan)
        , m_told(told)
        , m_tokenizer(context.textModel().tokenizer ? &*context.textModel().tokenizer : nullptr)
    { }

    Result<void> prepare();
    Result<void> answer();
    Result<void> readEachOther();
    SideBySide &result() { return m_result; }

private:
    Result<void> readPrompts();
    void addToken(std::size_t side);
    void compare(std::size_t place);
    Result<void> readOther(std::size_t side);
    /// What `side` thinks of the other's tokens, in the row behind the tokens before each.
    void judge(std::size_t place, std::size_t side, std::span<const float> logits);
    std::vector<LikelyToken> named(const serve::TokenScore &score) const;
    std::string bytesOf(int token) const { return m_tokenizer ? m_tokenizer->piece(token) : std::string(); }
    void tell() const
    {
        if (m_told)
            m_told(m_result);
    }
    void tellStep(double fraction, double done, const std::string &subject = {}) const
    {
        m_context.tell({.part = JobPart::Answer, .fraction = fraction, .done = done, .all = m_plan.most, .subject = subject});
    }

    const JobContext &m_context;
    const SideBySidePlan &m_plan;
    const SideBySideTold &m_told;
    const Tokenizer *m_tokenizer;
    std::array<Side, 2> m_sides;
    SideBySide m_result;
};

Result<void> Answering::prepare()
{
    if (m_plan.prompt.empty())
        return badInput("the prompt gives no tokens; write something");
    if (m_plan.most < 1)
        return badInput("an answer needs room; ask for one token at least");
    tellStep(0, 0);
    m_result.promptTokens = std::ssize(m_plan.prompt);
    SessionOptions options;
    options.maxContext = m_result.promptTokens + m_plan.most;
    for (std::size_t i = 0; i < 2; ++i) {
        const AnsweringMap &asked = m_plan.maps[i];
        m_result.answers[i].name = asked.name;
        m_sides[i].run = {m_context, asked.map};
        if (asked.served) {
            ZIGZAG_TRY(run, servedRun(m_context, asked.map, *asked.served));
            m_sides[i].run = std::move(run);
        }
        ZIGZAG_TRY(session, Session::create(m_sides[i].run.context.device, m_sides[i].run.map, options));
        session->setCancelFlag(m_context.cancel);
        m_sides[i].session = std::move(session);
        m_sides[i].text = std::make_unique<serve::AnswerText>(m_tokenizer, m_plan.prompt, std::vector<std::string>());
    }
    return {};
}

Result<void> Answering::readPrompts()
{
    for (std::size_t i = 0; i < 2; ++i) {
        const auto onPart
            = [&](double share) { tellStep(readingShare * (static_cast<double>(i) + share) / 2, 0, m_plan.maps[i].name); };
        onPart(0);
        const std::int64_t chunk = m_context.device->backend->device().prefillChunk;
        ZIGZAG_TRY(logits, runInParts(*m_sides[i].session, m_plan.prompt, Session::Logits::Last, chunk, onPart));
        m_sides[i].logits = std::move(logits);
    }
    return {};
}

std::vector<LikelyToken> Answering::named(const serve::TokenScore &score) const
{
    std::vector<LikelyToken> likely;
    for (const auto &[token, logprob] : score.top)
        likely.push_back({token, bytesOf(token), std::exp(static_cast<double>(logprob))});
    return likely;
}

void Answering::addToken(std::size_t side)
{
    Side &of = m_sides[side];
    MapAnswer &answer = m_result.answers[side];
    AnsweredToken next;
    next.token = strongest(of.logits);
    next.bytes = bytesOf(next.token);
    const std::vector<int> &ends = m_context.config().endTokens;
    next.isEnd = std::find(ends.begin(), ends.end(), next.token) != ends.end();
    const serve::TokenScore score = serve::scoreOf(of.logits, next.token, m_plan.likeliest);
    next.probability = std::exp(static_cast<double>(score.logprob));
    next.likeliest = named(score);
    if (next.isEnd)
        answer.end = MapAnswer::End::Stop;
    else if (std::ssize(answer.tokens) + 1 == m_plan.most)
        answer.end = MapAnswer::End::Length;
    if (!next.isEnd)
        of.text->add(next.token);
    if (answer.end == MapAnswer::End::Length)
        of.text->end(); // what was held back comes with the last token
    next.text = of.text->text().substr(of.shown);
    of.shown = of.text->text().size();
    answer.tokens.push_back(std::move(next));
}

void Answering::judge(std::size_t place, std::size_t side, std::span<const float> logits)
{
    AnsweredToken &token = m_result.answers[1 - side].tokens[place];
    const serve::TokenScore score = serve::scoreOf(logits, token.token, m_plan.likeliest);
    token.othersProbability = std::exp(static_cast<double>(score.logprob));
    token.othersLikeliest = named(score);
}

/// Both have a token at this place, and the same ones before it.
void Answering::compare(std::size_t place)
{
    for (std::size_t side = 0; side < 2; ++side)
        judge(place, side, m_sides[side].logits);
    if (m_result.answers[0].tokens[place].token != m_result.answers[1].tokens[place].token)
        m_result.parting = place;
}

Result<void> Answering::answer()
{
    ZIGZAG_CHECK(readPrompts());
    for (int i = 0; i < m_plan.most; ++i) {
        bool isOver = true;
        for (std::size_t side = 0; side < 2; ++side) {
            MapAnswer &answer = m_result.answers[side];
            if (m_sides[side].isEnded(answer))
                continue;
            isOver = false;
            if (!answer.tokens.empty()) {
                const int last = answer.tokens.back().token;
                ZIGZAG_TRY(logits, m_sides[side].session->run({&last, 1}));
                m_sides[side].logits = std::move(logits);
            }
        }
        if (isOver)
            return {};
        for (std::size_t side = 0; side < 2; ++side)
            if (!m_sides[side].isEnded(m_result.answers[side]))
                addToken(side);
        if (!m_result.parting)
            compare(static_cast<std::size_t>(i));
        tellStep(readingShare + answeringShare * (i + 1) / m_plan.most, i + 1);
        tell();
    }
    return {};
}

Result<void> Answering::readOther(std::size_t side)
{
    const std::vector<AnsweredToken> &text = m_result.answers[1 - side].tokens;
    const std::size_t first = *m_result.parting + 1; // up to the parting it is known
    if (first >= text.size())
        return {};
    Session &session = *m_sides[side].session;
    session.reset();
    const auto onPart = [&](double share) {
        const double before = readingShare + answeringShare;
        tellStep(before + (1 - before) * (static_cast<double>(side) + share) / 2, m_plan.most, m_plan.maps[side].name);
    };
    onPart(0);
    std::vector<int> tokens = m_plan.prompt;
    for (std::size_t place = 0; place + 1 < first; ++place)
        tokens.push_back(text[place].token);
    const std::int64_t chunk = m_context.device->backend->device().prefillChunk;
    ZIGZAG_CHECK(runInParts(session, tokens, Session::Logits::None, chunk, onPart));
    // The token before each place, a few at a time: a row of logits may be a megabyte.
    constexpr std::size_t atOnce = 16;
    const auto vocabulary = static_cast<std::size_t>(m_context.config().vocabulary);
    for (std::size_t place = first; place < text.size(); place += atOnce) {
        const std::size_t count = std::min(atOnce, text.size() - place);
        std::vector<int> before;
        for (std::size_t i = 0; i < count; ++i)
            before.push_back(text[place + i - 1].token);
        ZIGZAG_TRY(rows, session.run(before, Session::Logits::All));
        for (std::size_t i = 0; i < count; ++i)
            judge(place + i, side, std::span(rows).subspan(i * vocabulary, vocabulary));
    }
    tell();
    return {};
}

Result<void> Answering::readEachOther()
{
    if (!m_plan.readsOther || !m_result.parting)
        return {};
    for (std::size_t side = 0; side < 2; ++side)
        ZIGZAG_CHECK(readOther(side));
    return {};
}

} // namespace

std::string MapAnswer::text() const
{
    std::string all;
    for (const AnsweredToken &token : tokens)
        all += token.text;
    return all;
}

const AnsweredToken *SideBySide::partingToken(std::size_t side) const
{
    return parting ? &answers[side].tokens[*parting] : nullptr;
}

Result<SideBySide> sideBySide(const JobContext &context, const SideBySidePlan &plan, const SideBySideTold &told)
{
    Answering answering(context, plan, told);
    ZIGZAG_CHECK(answering.prepare());
    auto done = answering.answer();
    if (done)
        done = answering.readEachOther();
    if (!done && !(isCancelled(done.error()) && !answering.result().answers[0].tokens.empty()))
        return tl::unexpected(done.error());
    answering.result().isComplete = done.has_value();
    if (done) {
        context.tell(JobPart::Answer, 1);
        if (told)
            told(answering.result());
    }
    return answering.result();
}

} // namespace zigzag::jobs
