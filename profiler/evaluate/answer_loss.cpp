// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/answer_loss.h"

#include "engine/run/log_sum_exp.h"

#include <algorithm>

namespace zigzag {

double answerLoss(const TaskPrompt &prompt, std::span<const float> logits, std::int64_t vocabulary)
{
    const auto width = static_cast<std::size_t>(vocabulary);
    double sum = 0.0;
    std::size_t row = 0;
    for (const AnswerSpan &answer : prompt.answers)
        for (std::int64_t at = answer.begin; at < answer.end; ++at, ++row) {
            const std::span<const float> mine = logits.subspan(row * width, width);
            const auto token = static_cast<std::size_t>(prompt.tokens[static_cast<std::size_t>(at)]);
            sum += std::max(0.0, logSumExp(mine) - static_cast<double>(mine[token]));
        }
    return sum / static_cast<double>(row);
}

bool isAnswered(const TaskPrompt &prompt, double right, double loss)
{
    return right > 0 || (prompt.kind == TaskKind::Asked && loss <= knownAnswerLoss);
}

} // namespace zigzag
