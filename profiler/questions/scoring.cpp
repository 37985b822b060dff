// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/scoring.h"

#include "profiler/questions/infinite_bench.h"
#include "profiler/questions/text_similarity.h"
#include "profiler/questions/unicode_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace zigzag {
namespace {

using unicode::codePoints;
using unicode::contains;
using unicode::lowered;

constexpr std::array<std::pair<ScoringRule, std::string_view>, 21> rules = {{
    {ScoringRule::Contains, "contains"},
    {ScoringRule::RulerAll, "ruler-all"},
    {ScoringRule::RulerPart, "ruler-part"},
    {ScoringRule::QaF1, "qa-f1"},
    {ScoringRule::RougeL, "rouge-l"},
    {ScoringRule::Classification, "classification"},
    {ScoringRule::Retrieval, "retrieval"},
    {ScoringRule::RetrievalZh, "retrieval-zh"},
    {ScoringRule::Count, "count"},
    {ScoringRule::CodeSimilarity, "code-similarity"},
    {ScoringRule::Letter, "letter"},
    {ScoringRule::Mrcr, "mrcr"},
    {ScoringRule::InfinitePasskey, "infinite-passkey"},
    {ScoringRule::InfiniteKv, "infinite-kv"},
    {ScoringRule::InfiniteChoice, "infinite-choice"},
    {ScoringRule::InfiniteDebug, "infinite-debug"},
    {ScoringRule::InfiniteMathFind, "infinite-math-find"},
    {ScoringRule::InfiniteCalc, "infinite-calc"},
    {ScoringRule::InfiniteRun, "infinite-run"},
    {ScoringRule::InfiniteDialogue, "infinite-dialogue"},
    {ScoringRule::InfiniteQaZh, "infinite-qa-zh"},
}};

using Texts = std::vector<std::u32string>;

Texts textsOf(const std::vector<std::string> &texts)
{
    Texts result;
    std::transform(texts.begin(), texts.end(), std::back_inserter(result),
                   [](const std::string &text) { return codePoints(text); });
    return result;
}

/// The best over references, none of them nothing.
template <class Score> double best(const Texts &references, Score score)
{
    double most = 0;
    for (const std::u32string &reference : references)
        most = std::max(most, static_cast<double>(score(reference)));
    return most;
}

/// RULER's answers: control characters are ends of lines, and there are none at the ends.
std::u32string forRuler(std::u32string_view answer)
{
    std::u32string text(unicode::stripped(answer));
    std::replace_if(
        text.begin(), text.end(), [](char32_t c) { return c < 0x20; }, U'\n');
    return lowered(unicode::stripped(text));
}

double shareContained(std::u32string_view text, const Texts &references)
{
    const auto found = std::count_if(references.begin(), references.end(),
                                     [&](const std::u32string &reference) { return contains(text, lowered(reference)); });
    return references.empty() ? 0 : static_cast<double>(found) / static_cast<double>(references.size());
}

/// SQuAD's words: in small letters, without ASCII's punctuation and without articles.
Texts answerWords(std::u32string_view text)
{
    std::u32string plain;
    for (const char32_t c : lowered(text))
        if (!unicode::isAsciiPunctuation(c))
            plain += c;
    std::u32string result;
    const std::u32string_view view = plain;
    const auto ends = [&](std::size_t at) { return at >= view.size() || !unicode::isOfWord(view[at]); };
    for (std::size_t i = 0; i < view.size();) {
        std::size_t length = 0;
        if (i == 0 || !unicode::isOfWord(view[i - 1]))
            for (const std::u32string_view article : {U"a", U"an", U"the"})
                if (view.substr(i).starts_with(article) && ends(i + article.size()))
                    length = article.size();
        result += length > 0 ? U' ' : view[i];
        i += std::max<std::size_t>(1, length);
    }
    return unicode::words(result);
}

/// A class that is part of the right one's name does not count beside it; taking one out skips the one behind it, as there.
double classification(std::u32string_view answer, std::u32string_view reference, const Texts &classes)
{
    Texts said;
    std::copy_if(classes.begin(), classes.end(), std::back_inserter(said),
                 [&](const std::u32string &name) { return contains(answer, name); });
    for (std::size_t i = 0; i < said.size(); ++i) {
        const std::u32string name = said[i];
        if (contains(reference, name) && name != reference)
            said.erase(std::find(said.begin(), said.end(), name));
    }
    return std::find(said.begin(), said.end(), reference) == said.end() ? 0 : 1.0 / static_cast<double>(said.size());
}

/// Which share of the answer's numbers is this one.
double shareOf(std::u32string_view number, std::u32string_view answer)
{
    const Texts numbers = unicode::numbers(answer);
    const auto right = std::count(numbers.begin(), numbers.end(), number);
    return numbers.empty() ? 0 : static_cast<double>(right) / static_cast<double>(numbers.size());
}

/// The number of the paragraph that a reference names by `word`.
double retrieval(std::u32string_view answer, std::u32string_view reference, std::u32string_view word)
{
    for (std::size_t at = reference.find(word); at != reference.npos; at = reference.find(word, at + 1)) {
        const std::u32string_view behind = reference.substr(at + word.size());
        if (!behind.empty() && unicode::digit(behind.front()) >= 0)
            return shareOf(unicode::numbers(behind).front(), answer);
    }
    return 0;
}

std::u32string_view withoutLeadingLines(std::u32string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(U'\n'), text.size()));
    return text;
}

double codeSimilarity(std::u32string_view answer, std::u32string_view reference)
{
    std::u32string code;
    for (const std::u32string &line : unicode::splitAt(withoutLeadingLines(answer), U'\n'))
        if (!contains(line, U"`") && !contains(line, U"#") && !contains(line, U"//")) {
            code = line;
            break;
        }
    return fuzzyRatio(code, reference);
}

/// The letter that is said to be the right one, first in brackets wherever they stand; 0 where none is.
char32_t letterSaid(std::u32string text)
{
    constexpr std::u32string_view sentence = U"The correct answer is ", letters = U"ABCD";
    std::erase(text, U'*');
    const auto isLetter = [&](std::size_t at) { return at < text.size() && contains(letters, {&text[at], 1}); };
    for (const bool inBrackets : {true, false})
        for (std::size_t at = text.find(sentence); at != text.npos; at = text.find(sentence, at + 1)) {
            const std::size_t behind = at + sentence.size();
            if (!inBrackets && isLetter(behind))
                return text[behind];
            if (inBrackets && isLetter(behind + 1) && text[behind] == U'(' && text.substr(behind + 2, 1) == U")")
                return text[behind + 1];
        }
    return 0;
}

double mrcr(std::u32string_view answer, const Texts &references)
{
    if (references.size() < 2 || !answer.starts_with(references[1]))
        return 0;
    std::u32string_view wanted = references[0];
    if (wanted.starts_with(references[1]))
        wanted.remove_prefix(references[1].size());
    return sequenceRatio(answer.substr(references[1].size()), wanted);
}

} // namespace

std::string_view nameOf(ScoringRule rule)
{
    return rules[static_cast<std::size_t>(rule)].second;
}

Result<ScoringRule> parseScoringRule(std::string_view name)
{
    std::string known;
    for (const auto &[rule, its] : rules) {
        if (its == name)
            return rule;
        known += (known.empty() ? "" : ", ") + std::string(its);
    }
    return badInput(fmt::format("'{}' is no way to judge an answer: choose one of {}", name, known));
}

double scoreOf(const Question &question, std::string_view said)
{
    namespace infinite = infinite_bench;
    std::u32string answer = codePoints(said);
    if (question.endsAtLine)
        answer = unicode::splitAt(withoutLeadingLines(answer), U'\n').front();
    const Texts references = textsOf(question.references);
    switch (question.rule) {
    case ScoringRule::Contains:
        return best(references, [&, text = lowered(answer)](const auto &one) { return contains(text, lowered(one)); });
    case ScoringRule::RulerAll:
        return shareContained(forRuler(answer), references);
    case ScoringRule::RulerPart:
        return shareContained(forRuler(answer), references) > 0 ? 1 : 0;
    case ScoringRule::QaF1:
        return best(references, [words = answerWords(answer)](const auto &one) { return wordF1(words, answerWords(one)); });
    case ScoringRule::RougeL:
        return best(references, [&](const auto &one) { return rougeL(answer, one); });
    case ScoringRule::Classification:
        return best(references,
                    [&, classes = textsOf(question.classes)](const auto &one) { return classification(answer, one, classes); });
    case ScoringRule::Retrieval:
        return best(references, [&](const auto &one) { return retrieval(answer, one, U"Paragraph "); });
    case ScoringRule::RetrievalZh:
        return best(references, [&](const auto &one) { return retrieval(answer, one, U"\u6bb5\u843d"); });
    case ScoringRule::Count:
        return best(references, [&](const auto &one) { return shareOf(one, answer); });
    case ScoringRule::CodeSimilarity:
        return best(references, [&](const auto &one) { return codeSimilarity(answer, one); });
    case ScoringRule::Letter: // what it was given to begin with may be the half of it
        return best(references, [letter = letterSaid(codePoints(question.answerBegin) + answer)](const auto &one) {
            return letter != 0 && one == std::u32string(1, letter);
        });
    case ScoringRule::Mrcr:
        return mrcr(answer, references);
    case ScoringRule::InfinitePasskey:
        return infinite::passkey(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteKv:
        return infinite::kvRetrieval(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteChoice:
        return infinite::choice(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteDebug:
        return infinite::debug(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteMathFind:
        return infinite::mathFind(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteCalc:
        return infinite::calculation(answer, references);
    case ScoringRule::InfiniteRun:
        return infinite::run(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteDialogue:
        return infinite::dialogue(answer, references) ? 1 : 0;
    case ScoringRule::InfiniteQaZh:
        return best(references, [&](const auto &one) { return infinite::chineseF1(answer, one); });
    }
    return 0;
}

} // namespace zigzag
