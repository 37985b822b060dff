// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/search_loss.h"

#include "profiler/search/measure_json.h"

#include <fmt/format.h>

namespace zigzag {

std::string_view nameOf(SearchLoss loss)
{
    switch (loss) {
    case SearchLoss::Kl:
        return "kl";
    case SearchLoss::Answer:
        return "answer";
    case SearchLoss::Distillation:
        break;
    }
    return "distill";
}

Result<SearchLoss> parseSearchLoss(std::string_view name)
{
    for (const SearchLoss loss : {SearchLoss::Distillation, SearchLoss::Kl, SearchLoss::Answer})
        if (name == nameOf(loss))
            return loss;
    return badInput(fmt::format("'{}' is no loss: choose distill, kl or answer", name));
}

double lossOf(const PromptMeasure &measure, SearchLoss loss)
{
    switch (loss) {
    case SearchLoss::Kl:
        return measure.kl;
    case SearchLoss::Answer:
        return measure.answerRise;
    case SearchLoss::Distillation:
        break;
    }
    return measure.loss;
}

double leastLossOf(SearchLoss loss)
{
    return loss == SearchLoss::Answer ? -largestLoss : 0.0;
}

} // namespace zigzag
