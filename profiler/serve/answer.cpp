// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/answer.h"

#include "engine/base/printable.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::serve {

using Json = nlohmann::ordered_json;

namespace {

/// A token as answers name it: its text, or its bytes where they are no whole characters.
std::string nameOfToken(const Tokenizer *tokenizer, int token)
{
    if (!tokenizer)
        return fmt::format("token_id:{}", token);
    std::string piece = tokenizer->piece(token);
    for (std::size_t i = 0; i < piece.size();) {
        const std::size_t length = utf8Length(std::string_view(piece).substr(i));
        if (length == 0) {
            std::string bytes = "bytes:";
            for (const char byte : piece)
                bytes += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
            return bytes;
        }
        i += length;
    }
    return piece;
}

std::size_t charactersIn(std::string_view text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

Json topOf(const Tokenizer *tokenizer, const TokenScore &score)
{
    Json top = Json::object();
    for (const auto &[token, logprob] : score.top) {
        const std::string name = nameOfToken(tokenizer, token);
        if (!top.contains(name)) // the likelier of two with one name
            top[name] = logprob;
    }
    return top;
}

Json bytesOf(const std::string &piece)
{
    Json bytes = Json::array();
    for (const char byte : piece)
        bytes.push_back(static_cast<unsigned char>(byte));
    return bytes;
}

} // namespace

Choice::Choice(int index, std::shared_ptr<Generation> generation, const CompletionRequest &request, const Tokenizer *tokenizer)
    : m_index(index)
    , m_generation(std::move(generation))
    , m_tokenizer(tokenizer)
    , m_text(tokenizer, m_generation->request().tokens, request.stops)
    , m_echoes(request.echoes)
    , m_scores(request.top.has_value())
{ }

bool Choice::update(std::chrono::milliseconds longest)
{
    if (isDone())
        return m_finish != Finish::Failed;
    Generation::News news = m_generation->wait(longest);
    m_promptScores.insert(m_promptScores.end(), news.prompt.begin(), news.prompt.end());
    for (ScoredToken &token : news.tokens) {
        if (m_text.isStopped())
            break;
        ++m_completionTokens;
        if (!token.isEnd)
            m_text.add(token.token);
        if (m_scores)
            m_tokens.push_back(std::move(token));
    }
    m_finish = news.finish;
    if (m_text.isStopped() && m_finish != Finish::Failed) {
        m_generation->cancel();
        m_finish = Finish::Stop;
    }
    if (isDone())
        m_text.end();
    if (news.error)
        m_error = *news.error;
    return m_finish != Finish::Failed;
}

Json Choice::finishJson() const
{
    return m_finish == Finish::Stop ? Json("stop") : m_finish == Finish::Length ? Json("length") : Json();
}

/// Tokens with their logarithms and places, the prompt's first where it is echoed.
Json Choice::completionScores() const
{
    Json tokens = Json::array(), logprobs = Json::array(), tops = Json::array(), offsets = Json::array();
    std::string text; // so that characters of several tokens count once
    const auto add = [&](int token, const TokenScore *score, bool hasText) {
        tokens.push_back(nameOfToken(m_tokenizer, token));
        logprobs.push_back(score ? Json(score->logprob) : Json());
        tops.push_back(score ? topOf(m_tokenizer, *score) : Json());
        offsets.push_back(charactersIn(text));
        if (hasText && m_tokenizer && !m_tokenizer->isSpecial(token))
            text += m_tokenizer->piece(token);
    };
    if (m_echoes) {
        const std::vector<int> &prompt = m_generation->request().tokens;
        for (std::size_t i = 0; i < prompt.size(); ++i) // nothing comes before the first
            add(prompt[i], i > 0 && i <= m_promptScores.size() ? &m_promptScores[i - 1] : nullptr, true);
    }
    for (const ScoredToken &token : m_tokens)
        add(token.token, token.score ? &*token.score : nullptr, !token.isEnd);
    return {{"tokens", std::move(tokens)},
            {"token_logprobs", std::move(logprobs)},
            {"top_logprobs", std::move(tops)},
            {"text_offset", std::move(offsets)}};
}

Json Choice::chatScores() const
{
    const auto named = [&](int token, float logprob) {
        return Json{{"token", nameOfToken(m_tokenizer, token)},
                    {"logprob", logprob},
                    {"bytes", m_tokenizer ? bytesOf(m_tokenizer->piece(token)) : Json()}};
    };
    Json content = Json::array();
    for (const ScoredToken &token : m_tokens) {
        if (!token.score)
            continue;
        Json entry = named(token.token, token.score->logprob);
        entry["top_logprobs"] = Json::array();
        for (const auto &[id, logprob] : token.score->top)
            entry["top_logprobs"].push_back(named(id, logprob));
        content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}};
}

Json Choice::whole(bool isChat) const
{
    Json choice = {{"index", m_index}};
    if (isChat) {
        choice["message"] = {{"role", "assistant"}, {"content", m_text.text()}};
        choice["logprobs"] = m_scores ? chatScores() : Json();
    } else {
        std::string text;
        if (m_echoes && m_tokenizer)
            text = m_tokenizer->decode(m_generation->request().tokens);
        choice["text"] = text.append(m_text.text());
        choice["logprobs"] = m_scores ? completionScores() : Json();
    }
    choice["finish_reason"] = finishJson();
    return choice;
}

Json Choice::news(bool isChat)
{
    const std::string_view all = m_text.text(), piece = all.substr(std::min(m_sent, all.size()));
    const bool ends = isDone() && !m_hasEnded, begins = isChat && !m_hasBegun;
    if (piece.empty() && !ends && !begins)
        return nullptr;
    m_sent = all.size();
    m_hasEnded = m_hasEnded || ends;
    m_hasBegun = true;
    Json choice = {{"index", m_index}};
    if (isChat) {
        choice["delta"] = Json::object();
        if (begins)
            choice["delta"]["role"] = "assistant";
        if (begins || !piece.empty())
            choice["delta"]["content"] = piece;
    } else {
        choice["text"] = piece;
    }
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = finishJson();
    return choice;
}

Json usageOf(const std::vector<Choice> &choices)
{
    std::int64_t prompt = 0, completion = 0;
    for (const Choice &choice : choices) {
        prompt += choice.promptTokens();
        completion += choice.completionTokens();
    }
    return {{"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}};
}

namespace {

Json headJson(const AnswerHead &head, const char *object)
{
    return {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
}

} // namespace

Json wholeAnswer(const AnswerHead &head, const std::vector<Choice> &choices)
{
    Json answer = headJson(head, head.isChat ? "chat.completion" : "text_completion");
    answer["choices"] = Json::array();
    for (const Choice &choice : choices)
        answer["choices"].push_back(choice.whole(head.isChat));
    answer["usage"] = usageOf(choices);
    return answer;
}

Json streamPiece(const AnswerHead &head, Json choices)
{
    Json answer = headJson(head, head.isChat ? "chat.completion.chunk" : "text_completion");
    answer["choices"] = std::move(choices);
    return answer;
}

Json errorAnswer(const std::string &message, const std::string &type)
{
    return {{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}}}};
}

std::string textOf(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace zigzag::serve
