// SPDX-License-Identifier: GPL-3.0-or-later
// Files of questions, of every kind: names tell the task of some, so each input is read under several.
#include "profiler/questions/question_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <set>
#include <utility>

ZIGZAG_FUZZ(questions)
{
    using namespace zigzag;
    for (const char *name : {"niah_single_1.jsonl", "math_find.jsonl", "code_debug_e.jsonl"}) {
        const auto file = readQuestions(test::fuzzFile(name, input));
        if (!file) {
            test::require(file.error().kind == ErrorKind::BadInput);
            test::require(file.error().message.find('\n') == std::string::npos);
            continue;
        }
        test::require(!file->questions.empty() && !file->format.empty());
        std::set<std::pair<std::string, std::string>> ids;
        for (const Question &question : file->questions) {
            test::require(!question.prompt.empty() || !question.messages.empty());
            test::require(!question.references.empty() && !question.source.empty() && !question.id.empty());
            test::require(question.answerTokens > 0 && question.depth <= 1);
            test::require(question.messages.empty() || question.messages.back().role == "user");
            test::require(ids.emplace(question.task, question.id).second);
        }
        for (const std::string &note : file->notes)
            test::require(note.find('\n') == std::string::npos);
    }
}
