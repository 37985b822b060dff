// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/attention_picture_job.h"

#include "profiler/evaluate/needle_trials.h"
#include "profiler/search/logit_contributions.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

Result<PicturedPrompt> promptOf(const Model &model, const AttentionPictureJob &job)
{
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    PicturedPrompt prompt;
    if (job.text) {
        if (job.text->size() > std::size_t{1} << 24)
            return badInput("a text of more than 16 MiB is too long for a picture of attention: give a part of it");
        prompt.tokens = tokenizer->encode(*job.text, true);
    } else {
        if (job.context > AttentionPicturePlan::mostTokens)
            return badInput(fmt::format("a question of {} tokens is too long for a picture of attention: at most {}", job.context,
                                        AttentionPicturePlan::mostTokens));
        ZIGZAG_TRY(trials, NeedleTrials::plan(model, {job.context}, {job.depth}, 1, job.seed));
        ZIGZAG_TRY(needle, trials.prompt(job.context, job.depth, 0));
        // A query generates the token behind it: the answer's first one comes from the question's last token.
        prompt.answerBegin = std::ssize(needle.tokens) - 1;
        prompt.answerEnd = prompt.answerBegin + std::ssize(needle.answer);
        prompt.needleBegin = needle.needleBegin;
        prompt.needleEnd = needle.needleBegin + std::ssize(needle.answer);
        prompt.tokens = std::move(needle.tokens);
        prompt.tokens.insert(prompt.tokens.end(), needle.answer.begin(), needle.answer.end());
    }
    for (const int token : prompt.tokens) {
        const std::string text = tokenizer->decode(std::span(&token, 1));
        prompt.pieces.push_back(text.empty() ? tokenizer->piece(token) : text);
    }
    return prompt;
}

/// Takes the answer's logit apart and keeps the parts of the pictured heads.
Result<void> addSpoken(const JobContext &context, const AttentionPictureJob &job, AttentionPictures &pictures)
{
    const std::int64_t tokens = std::ssize(pictures.prompt.tokens);
    ZIGZAG_TRY(parts, LogitParts::create(context.device, tokens, job.window));
    const TaskPrompt prompt{.context = tokens,
                            .depth = job.depth,
                            .tokens = pictures.prompt.tokens,
                            // The token at p is predicted at p - 1, which is the query that is told of.
                            .answers = {{pictures.prompt.answerBegin + 1, pictures.prompt.answerEnd + 1}}};
    ZIGZAG_TRY(found, parts.of(prompt, context.cancel, [&](double share) { context.tell(JobPart::Score, (1 + share) / 2); }));
    const auto queryHeads = static_cast<std::size_t>(context.device->config().queryHeads);
    for (const AttentionPicture &head : pictures.heads) {
        const std::size_t at = static_cast<std::size_t>(head.layer) * queryHeads + static_cast<std::size_t>(head.queryHead);
        pictures.spoken.push_back({found.heads[at], found.beyond[at]});
    }
    pictures.answerLogit = found.logit;
    return {};
}

} // namespace

std::size_t AttentionPictures::farthest() const
{
    const auto query = static_cast<std::size_t>(prompt.firstAsked());
    const auto less = [query](const AttentionPicture &one, const AttentionPicture &other) {
        return one.shares[query].beyond < other.shares[query].beyond;
    };
    return static_cast<std::size_t>(std::max_element(heads.begin(), heads.end(), less) - heads.begin());
}

Result<AttentionPictures> attentionPictures(const JobContext &context, const AttentionPictureJob &job)
{
    context.tell(JobPart::Score, 0);
    ZIGZAG_TRY(prompt, promptOf(context.textModel(), job));
    AttentionPicturePlan plan{.layer = job.layer, .kvHead = job.kvHead, .tokens = prompt.tokens, .window = job.window};
    const double passes = prompt.isNeedle() ? 2 : 1;
    ZIGZAG_TRY(heads, pictureAttention(context.device, plan, context.cancel, [&](double share) {
                   context.tell(JobPart::Score, share / passes);
               }));
    AttentionPictures pictures{.prompt = std::move(prompt), .heads = std::move(heads)};
    if (pictures.prompt.isNeedle())
        ZIGZAG_CHECK(addSpoken(context, job, pictures));
    return pictures;
}

} // namespace zigzag::jobs
