// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to profiler/serve: it includes nlohmann/json.

#include "engine/model/tokenizer.h"
#include "profiler/serve/answer_text.h"
#include "profiler/serve/completion_request.h"
#include "profiler/serve/generation.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zigzag::serve {

/// Whose answer it is: "id", "created" and "model" of every piece of it.
struct AnswerHead {
    std::string id, model;
    std::int64_t created = 0; ///< seconds since 1970
    bool isChat = false;
};

/// One choice of an answer while it is made.
class Choice
{
public:
    Choice(int index, std::shared_ptr<Generation> generation, const CompletionRequest &request, const Tokenizer *tokenizer);

    /// Takes what has come, waiting at most that long. False: this choice failed, and `error` says why.
    bool update(std::chrono::milliseconds longest);
    bool isDone() const { return m_finish != Finish::Running; }
    const Error &error() const { return m_error; }
    Generation &generation() { return *m_generation; }

    /// "choices" of an answer in one piece.
    nlohmann::ordered_json whole(bool isChat) const;
    /// The same of a stream: what is new since the last one. Null: nothing.
    nlohmann::ordered_json news(bool isChat);
    std::int64_t promptTokens() const { return std::ssize(m_generation->request().tokens); }
    std::int64_t completionTokens() const { return m_completionTokens; }

private:
    nlohmann::ordered_json completionScores() const;
    nlohmann::ordered_json chatScores() const;
    nlohmann::ordered_json finishJson() const;

    int m_index;
    std::shared_ptr<Generation> m_generation;
    const Tokenizer *m_tokenizer;
    AnswerText m_text;
    bool m_echoes, m_scores;
    std::vector<TokenScore> m_promptScores;
    std::vector<ScoredToken> m_tokens; ///< where they are scored
    std::int64_t m_completionTokens = 0;
    Finish m_finish = Finish::Running;
    Error m_error;
    std::size_t m_sent = 0; ///< bytes of the text
    bool m_hasBegun = false, m_hasEnded = false; ///< in a stream
};

nlohmann::ordered_json usageOf(const std::vector<Choice> &choices);
/// The answer in one piece.
nlohmann::ordered_json wholeAnswer(const AnswerHead &head, const std::vector<Choice> &choices);
/// A piece of a stream.
nlohmann::ordered_json streamPiece(const AnswerHead &head, nlohmann::ordered_json choices);
/// {"error": …} as OpenAI's API has it.
nlohmann::ordered_json errorAnswer(const std::string &message, const std::string &type);
/// Never throws: bytes that are no UTF-8 become replacement characters.
std::string textOf(const nlohmann::ordered_json &json);

} // namespace zigzag::serve
