// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/chat.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// How an answer is judged, each rule as its publishers wrote it (scoring.h says which file of theirs, and what it does).
/// Not among them: LongBench's qa_f1_zh_score and rouge_zh_score (multifieldqa_zh, dureader, vcsum), which count the words that
/// jieba cuts by its dictionary, and InfiniteBench's longbook_sum. Their questions cannot be judged here.
enum class ScoringRule {
    Contains, ///< 1 where any reference stands in the answer, in any case
    RulerAll, ///< RULER string_match_all: share of the references that stand in the answer
    RulerPart, ///< RULER string_match_part: 1 where any reference does
    QaF1, ///< LongBench qa_f1_score, as SQuAD: F1 of words, the best over references
    RougeL, ///< LongBench rouge_score
    Classification, ///< LongBench classification_score
    Retrieval, ///< LongBench retrieval_score
    RetrievalZh, ///< LongBench retrieval_zh_score
    Count, ///< LongBench count_score
    CodeSimilarity, ///< LongBench code_sim_score
    Letter, ///< LongBench v2: the letter of the choice
    Mrcr, ///< OpenAI MRCR: the prefix, then the ratio of sequences; the references are the answer and its prefix, in this order
    InfinitePasskey, ///< InfiniteBench passkey and number_string: the first integer
    InfiniteKv, ///< InfiniteBench kv_retrieval
    InfiniteChoice, ///< InfiniteBench longbook_choice: the references are the option's text and its letter, in this order
    InfiniteDebug, ///< InfiniteBench code_debug: the references are the function's name and its letter, in this order
    InfiniteMathFind, ///< InfiniteBench math_find: an integer, or a number with a point
    InfiniteCalc, ///< InfiniteBench math_calc: the references are the integers in their order
    InfiniteRun, ///< InfiniteBench code_run: the last word is the integer
    InfiniteDialogue, ///< InfiniteBench longdialogue_qa: the first reference is one of the words, in capitals
    InfiniteQaZh, ///< InfiniteBench longbook_qa_chn: F1 of characters, the best over references
};

/// One question put to a model, wherever it came from: a person's file, a published set, a task made here.
struct Question {
    std::string source; ///< of what kind: "ruler", "longbench", …, or the file's name
    std::string task; ///< within it: "niah_single_1", "qasper"; results are told by task
    std::string id; ///< within the task; for a file of lines, the number of the line
    std::string prompt; ///< all that is asked, context and question, as the user's message
    std::string system; ///< the system's message; empty: none
    std::vector<ChatMessage> messages; ///< a whole conversation in place of `prompt` and `system`; empty: there is none
    std::string answerBegin; ///< what the answer begins with, given to the model after its template: "The answer is"
    std::vector<std::string> references; ///< right answers; what several mean is the rule's affair
    std::vector<std::string> classes; ///< of a classification
    ScoringRule rule = ScoringRule::Contains;
    int answerTokens = 128; ///< generated at most
    bool isTemplated = true; ///< false: asked without chat template even of a chat model, as its publishers do
    bool endsAtLine = false; ///< the answer ends with its first line
    std::int64_t context = 0; ///< tokens that it was made for, the answer's room included; 0: as long as it is
    double depth = -1; ///< where in the prompt the answer stands, 0 to 1; below 0: not known
};

/// How questions are asked of a model with a chat template (and of one without, always as text).
enum class AskAs {
    Auto, ///< by the template where the model has one that can be read and the question wants it
    Chat, ///< by the template; an error where there is none
    Text, ///< as plain text
};

} // namespace zigzag
