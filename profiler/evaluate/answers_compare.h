// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/answers_file.h"

#include <string>
#include <vector>

namespace zigzag {

/// Two records of answers side by side, question by question.
struct AnswersComparison {
    /// Each holds the questions that both records have, and two maps: one of the first record, then one of the second.
    /// summaryOf and brokenBy tell of it what the second one makes of the first one's answers.
    std::vector<AnswersRecord> pairs;
    std::vector<std::string> notes; ///< what differs beside the answers, and what has no counterpart
};

/// Full attention of one beside full attention of the other, then maps of the same name and engine, then the others in their
/// order. Questions are the same where source, task, id, length, references and the end of what was asked are; one that was
/// asked several times counts as often as both have it. BadInput: no question is in both, or a record has no answer.
Result<AnswersComparison> compareAnswers(const AnswersRecord &a, const AnswersRecord &b);

} // namespace zigzag
