// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/evaluate_job.h"

#include "profiler/carry/sink_carrier.h"
#include "profiler/evaluate/answers_file.h"

namespace zigzag::jobs {

HeadMap fullLike(const HeadMap &map)
{
    return map.withEvery(HeadKind::Retrieval);
}

Result<std::vector<NeedleResult>> askNeedles(const JobContext &context, const std::vector<NamedMap> &maps, const NeedlePlan &plan,
                                             const NeedlesTold &told)
{
    std::vector<NeedleResult> results;
    for (const NamedMap &asked : maps) {
        const auto progress = context.counted(JobPart::Needle, asked.name);
        progress(0, static_cast<int>(plan.contexts.size() * plan.depths.size()) * plan.trials);
        const auto partial = [&](const NeedleResult &soFar) {
            if (told)
                told(asked, soFar);
        };
        ZIGZAG_TRY(result,
                   evaluateNeedle(context.device, context.textModel(), asked.map, plan, context.cancel, progress, {}, partial));
        results.push_back(std::move(result));
    }
    return results;
}

Result<Distillation> distill(const JobContext &context, const HeadMap &map, const TaskPlan &tasks)
{
    ZIGZAG_TRY(prompts, makeTaskPrompts(context.model(), tasks));
    ZIGZAG_TRY(meter, MapMeter::create(context.device, std::move(prompts)));
    context.tell(JobPart::Distill, 0);
    ZIGZAG_TRY(measured, measureQuality(meter, {&map, 1}, context.cancel, context.counted(JobPart::Distill)));
    return Distillation{measured.front(), meter.promptCount()};
}

Result<std::vector<Perplexity>> perplexities(const JobContext &context, const std::vector<NamedMap> &maps,
                                             std::span<const int> tokens, std::int64_t window)
{
    std::vector<Perplexity> results;
    for (const NamedMap &asked : maps) {
        context.tell({.part = JobPart::Perplexity, .subject = asked.name});
        ZIGZAG_TRY(result,
                   measurePerplexity(context.device, asked.map, tokens, window, context.cancel,
                                     context.counted(JobPart::Perplexity, asked.name)));
        results.push_back(result);
    }
    return results;
}

Result<std::vector<QuestionAnswer>> ask(const JobContext &context, const NamedMap &map, std::span<const Question> questions,
                                        const AskPlan &plan, const AnswerTold &told)
{
    context.tell({.part = JobPart::Questions, .subject = map.name});
    return askQuestions(context.device, context.textModel(), map.map, questions, plan, context.cancel,
                        context.counted(JobPart::Questions, map.name), told);
}

AnswersOfMap answersUnder(const NamedMap &map, const std::string &engine)
{
    AnswersOfMap answers;
    answers.map = map.name;
    answers.sparsity = map.map.sparsity();
    const StreamingWindow window = streamingWindowOf(map.map);
    answers.sink = window.sink;
    answers.recent = window.recent;
    answers.engine = engine;
    return answers;
}

} // namespace zigzag::jobs
