// SPDX-License-Identifier: GPL-3.0-or-later
// Rules against what their publishers' own programs say (tests/fixtures/make_scoring_pairs.py).
#include "profiler/questions/scoring.h"

#include "profiler/questions/text_similarity.h"
#include "profiler/questions/unicode_text.h"
#include "tests/paths.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

namespace zigzag {
namespace {

using Json = nlohmann::json;

Question judgedBy(ScoringRule rule, std::vector<std::string> references)
{
    Question question;
    question.rule = rule;
    question.references = std::move(references);
    return question;
}

TEST(Scoring, EveryRuleSaysWhatItsPublishersSay)
{
    std::ifstream stream(test::sourceDir() + "/tests/fixtures/scoring_pairs.json");
    const Json fixture = Json::parse(stream);
    const auto texts = fixture["texts"].get<std::vector<std::string>>();
    const auto chosen = [&](const Json &numbers) {
        std::vector<std::string> some;
        for (const Json &number : numbers)
            some.push_back(texts.at(number.get<std::size_t>()));
        return some;
    };
    std::set<std::string> rules;
    for (const Json &set : fixture["sets"]) {
        const auto name = set["rule"].get<std::string>();
        const auto rule = parseScoringRule(name);
        ASSERT_TRUE(rule) << rule.error().message;
        EXPECT_EQ(nameOf(*rule), name);
        rules.insert(name);
        EXPECT_EQ(set["pairs"].size(), 200u) << name;
        for (const Json &pair : set["pairs"]) {
            Question question = judgedBy(*rule, chosen(pair[1]));
            question.classes = chosen(pair[2]);
            question.endsAtLine = set["line"].get<bool>();
            const std::string &answer = texts.at(pair[0].get<std::size_t>());
            EXPECT_NEAR(scoreOf(question, answer), pair[3].get<double>(), 1e-9)
                << name << ": " << Json(answer).dump() << " for " << Json(question.references).dump() << " of "
                << Json(question.classes).dump();
        }
    }
    EXPECT_EQ(rules.size(), 20u); // all but the one that is ours
}

TEST(Scoring, ContainsIsAnyReferenceInAnyCase)
{
    const Question question = judgedBy(ScoringRule::Contains, {"Marmalade", "ÉCLAIR"});
    EXPECT_EQ(scoreOf(question, "some MARMALADE, please"), 1.0);
    EXPECT_EQ(scoreOf(question, "un éclair"), 1.0);
    EXPECT_EQ(scoreOf(question, "marma lade"), 0.0);
    EXPECT_EQ(scoreOf(question, ""), 0.0);
}

TEST(Scoring, WithoutReferencesNothingIsRight)
{
    for (int rule = 0; rule <= static_cast<int>(ScoringRule::InfiniteQaZh); ++rule)
        for (const char *answer : {"", "A", "7", "The correct answer is (A)"})
            EXPECT_EQ(scoreOf(judgedBy(static_cast<ScoringRule>(rule), {}), answer), 0.0) << rule;
}

TEST(Scoring, AReferenceThatDoesNotFitTheRuleIsWorthNothing)
{
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::Retrieval, {"the third one"}), "Paragraph 3"), 0.0);
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::Retrieval, {"Paragraph x, Paragraph 3"}), "3"), 1.0);
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::InfiniteMathFind, {"twelve"}), "12"), 0.0);
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::InfiniteMathFind, {"1.e"}), "1"), 0.0);
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::InfiniteMathFind, {"12"}), "12.5"), 0.0); // the original stops there
    EXPECT_EQ(scoreOf(judgedBy(ScoringRule::Mrcr, {"abcdefghij and so on"}), "abcdefghij and so on"), 0.0);
}

TEST(Scoring, TheLetterMayBeginWithWhatTheModelWasGiven)
{
    Question question = judgedBy(ScoringRule::Letter, {"C"});
    EXPECT_EQ(scoreOf(question, "C)"), 0.0);
    question.answerBegin = "The correct answer is (";
    EXPECT_EQ(scoreOf(question, "C)"), 1.0);
    EXPECT_EQ(scoreOf(question, "B)"), 0.0);
}

TEST(Scoring, BytesThatAreNoTextAreSurvived)
{
    for (int rule = 0; rule <= static_cast<int>(ScoringRule::InfiniteQaZh); ++rule) {
        const double score
            = scoreOf(judgedBy(static_cast<ScoringRule>(rule), {"\xff\xc3", "\xe2\x82"}), "\x80 \xf0\x9f\x99 \xff\xc3");
        EXPECT_GE(score, 0.0);
        EXPECT_LE(score, 1.0);
    }
}

TEST(Scoring, RefusesARuleThatThereIsNot)
{
    const auto rule = parseScoringRule("bleu");
    ASSERT_FALSE(rule);
    EXPECT_NE(rule.error().message.find("'bleu' is no way to judge"), std::string::npos);
    EXPECT_NE(rule.error().message.find("rouge-l"), std::string::npos);
}

/// From 200 characters on a character that is more than a hundredth of them begins no match (difflib's documentation).
TEST(SequenceRatio, LeavesOutPopularCharacters)
{
    const std::u32string rare(199, U'x'), popular(200, U'x');
    EXPECT_EQ(sequenceRatio(U"y" + rare, rare), 398.0 / 399.0);
    EXPECT_EQ(sequenceRatio(U"y" + popular, popular), 0.0);
    EXPECT_EQ(sequenceRatio(popular, popular), 1.0); // where both begin, a match goes on
    EXPECT_EQ(sequenceRatio({}, {}), 1.0);
    EXPECT_NE(sequenceRatio(U"tide", U"diet"), sequenceRatio(U"diet", U"tide")); // as difflib's documentation says
}

TEST(UnicodeText, SmallLettersAreThoseOfPython)
{
    EXPECT_EQ(unicode::lowered(U"\u0130\u03a3"), U"i\u0307\u03c2"); // two letters of one, and a sigma at the end
    EXPECT_EQ(unicode::lowered(U"\u039f\u03a3 \u03a3"), U"\u03bf\u03c2 \u03c3");
    EXPECT_EQ(unicode::uppered(U"stra\u00dfe \ufb03"), U"STRASSE FFI");
}

} // namespace
} // namespace zigzag
