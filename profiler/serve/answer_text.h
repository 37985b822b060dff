// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/tokenizer.h"

#include <span>
#include <string>
#include <vector>

namespace zigzag::serve {

/// The text of tokens that come one by one: characters are whole, and a stop text ends it.
class AnswerText
{
public:
    /// `tokenizer` null: the model has no text, and neither has the answer.
    AnswerText(const Tokenizer *tokenizer, std::span<const int> prompt, std::vector<std::string> stops);

    void add(int token);
    /// Nothing comes any more: what was held back is given.
    void end() { m_isComplete = true; }
    /// Whether a stop text came. The text ends before it.
    bool isStopped() const { return m_isStopped; }
    /// All that can be said so far: not the beginning of a character, nor of what may become a stop text.
    std::string_view text() const;

private:
    void findStop(std::size_t before);

    const Tokenizer *m_tokenizer;
    std::vector<std::string> m_stops;
    std::vector<int> m_start; ///< prompt and answer, while the answer's first text may lose a space to the decoder
    std::size_t m_promptText = 0;
    std::string m_text;
    bool m_isStopped = false, m_isComplete = false;
};

} // namespace zigzag::serve
