// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"
#include "profiler/questions/ruler.h"
#include "profiler/questions/ruler_texts.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// How RULER's questions get their length, and who writes them. Private to ruler*.cpp.
namespace zigzag {

/// What may fill the last tokens: texts by their number, the longer the higher.
struct RulerPads {
    std::size_t count = 0;
    std::function<std::string(std::size_t)> text;
};

/// A question at any size. The same units give the same question, and more of them never fewer tokens.
struct RulerDraft {
    std::string what; ///< for errors
    std::int64_t least = 0, most = std::numeric_limits<std::int32_t>::max(); ///< units: lines, sentences, words, documents
    std::int64_t reach = 0; ///< tokens that pads fill at least, where those are more than a unit's
    std::function<Question(std::int64_t units, std::string_view pad)> compose; ///< an empty pad leaves nothing behind
    std::function<RulerPads(std::int64_t units)> pads;
};

/// Whether a character of UTF-8 text begins here, or the text ends.
bool beginsCharacter(std::string_view text, std::size_t at);

/// Ends of a text, of every length in characters; none begins with white space.
RulerPads endsOf(std::string text);

/// A question's place in the plan.
struct RulerPlace {
    std::string_view task;
    std::int64_t context = 0; ///< tokens
    int trial = 0;
    std::uint64_t seed = 0; ///< the question's own
    std::uint64_t taskSeed = 0; ///< what the questions of a task share
};

/// Counts tokens of whole prompts as they are asked, and finds the size at which a question has as many as its context.
class RulerFit
{
public:
    RulerFit(const Model &model, const Tokenizer &tokenizer, AskAs as)
        : m_model(model)
        , m_tokenizer(tokenizer)
        , m_as(as)
    { }

    /// Of the prompt, and the answer's room.
    Result<std::int64_t> tokens(const Question &question) const;
    /// Of a text within another.
    std::int64_t tokensWithin(std::string_view text) const;
    Result<Question> fitted(const RulerDraft &draft, std::int64_t context) const;

private:
    const Model &m_model;
    const Tokenizer &m_tokenizer;
    AskAs m_as;
};

/// What every question is written from.
struct RulerSetting {
    const RulerFit &fit;
    const RulerTexts &texts;
    const std::vector<std::string> &haystack; ///< a person's sentences; empty: the project's own
};

/// All but the prompt's text.
Question rulerQuestion(const RulerPlace &place, const RulerInstruction &instruction);

/// Documents and the questions about them.
struct RulerDocuments {
    struct Asked {
        std::string question;
        std::vector<std::string> answers;
        std::vector<std::size_t> documents; ///< that must be there
        std::vector<std::size_t> near; ///< that come first beside them: of the same article
    };
    std::vector<std::string> documents; ///< each once
    std::vector<Asked> questions;
};

Result<RulerDocuments> readSquad(const std::filesystem::path &file);
Result<RulerDocuments> readHotpot(const std::filesystem::path &file);

bool isNeedleTask(std::string_view task);
Result<Question> needleQuestion(const RulerSetting &setting, const RulerPlace &place);
Result<Question> trackingQuestion(const RulerSetting &setting, const RulerPlace &place);
Result<Question> commonWordsQuestion(const RulerSetting &setting, const RulerPlace &place);
Result<Question> frequentWordsQuestion(const RulerSetting &setting, const RulerPlace &place);
Result<Question> documentQuestion(const RulerSetting &setting, const RulerPlace &place, const RulerDocuments &documents);

} // namespace zigzag
