// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/questions/question.h"

#include <QString>
#include <functional>

namespace zigzag {

/// A question that one page has another ask.
struct AskedElsewhere {
    QString source; ///< where it comes from, in words
    std::function<Result<Question>(const Model &texts)> make; ///< on the run's thread
};

} // namespace zigzag
