// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>

namespace zigzag {

/// Two runs, or a run and a prediction: traces, or the JSON of bench and predict.
struct RunComparison {
    std::string a, b;
    std::string by = "op"; ///< rows for traces
    bool json = false;
};
Result<void> compareRuns(const RunComparison &comparison);

} // namespace zigzag
