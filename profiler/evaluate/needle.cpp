// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/needle.h"

#include "engine/run/device_model.h"
#include "profiler/evaluate/needle_trials.h"

#include <algorithm>

namespace zigzag {
namespace {

/// Whether greedy decoding says every token of the key; it stops at the first wrong one.
Result<bool> answersRight(Session &session, const NeedlePrompt &prompt, std::int64_t chunk,
                          const std::function<void(double share)> &onPart)
{
    session.reset();
    ZIGZAG_TRY(afterPrompt, runInParts(session, prompt.tokens, Session::Logits::Last, chunk, onPart));
    int token = strongest(afterPrompt);
    for (std::size_t i = 0; i < prompt.answer.size(); ++i) {
        if (token != prompt.answer[i])
            return false;
        if (i + 1 == prompt.answer.size())
            break;
        ZIGZAG_TRY(logits, session.run(std::span<const int>(&token, 1)));
        token = strongest(logits);
    }
    return true;
}

} // namespace

Result<NeedleResult> evaluateNeedle(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model, const HeadMap &map,
                                    const NeedlePlan &plan, const std::atomic<bool> *cancel, const PromptProgress &progress,
                                    const NeedlePartial &partial, const NeedlePartial &asked)
{
    ZIGZAG_TRY(trials, NeedleTrials::plan(model, plan.contexts, plan.depths, plan.trials, plan.seed, plan.as));
    SessionOptions options;
    options.maxContext = trials.longestContext();
    ZIGZAG_TRY(session, Session::create(deviceModel, map, options));
    session->setCancelFlag(cancel);

    NeedleResult result;
    result.planned = static_cast<int>(plan.contexts.size() * plan.depths.size());
    result.trials = plan.trials;
    int found = 0, done = 0;
    const std::int64_t chunk = deviceModel->backend->device().prefillChunk;
    const auto tell = [&](double share) {
        if (progress)
            progress(done + share, trials.count());
    };
    for (const std::int64_t context : plan.contexts)
        for (const double depth : plan.depths) {
            const auto known = std::find_if(plan.known.begin(), plan.known.end(), [&](const NeedleCell &each) {
                return each.context == context && each.depth == depth && each.trials <= plan.trials;
            });
            NeedleCell &cell = result.grid.emplace_back(known != plan.known.end() ? *known : NeedleCell{context, depth, 0, 0});
            found += cell.found;
            done += cell.trials;
            for (int trial = cell.trials; trial < plan.trials; ++trial) {
                ZIGZAG_TRY(prompt, trials.prompt(context, depth, trial));
                ZIGZAG_TRY(right, answersRight(*session, prompt, chunk, tell));
                ++cell.trials;
                cell.found += right;
                found += right;
                ++done;
                tell(0.0);
                result.accuracy = static_cast<double>(found) / done;
                if (asked)
                    asked(result);
            }
            result.accuracy = static_cast<double>(found) / done;
            if (partial)
                partial(result);
        }
    return result;
}

} // namespace zigzag
