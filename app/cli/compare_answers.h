// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>

namespace zigzag {

/// Two records of answers: the second beside the first, question by question.
struct RecordComparison {
    std::string a, b;
    int broken = 0; ///< questions that are answered worse in the second, to be printed for each pair of maps
    bool json = false;
};

/// By content.
bool isAnswers(const std::string &path);
Result<void> compareRecords(const RecordComparison &comparison);

} // namespace zigzag
