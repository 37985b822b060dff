// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/search/attention_picture.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

struct AttentionPictureJob {
    int layer = 0, kvHead = 0;
    StreamingWindow window = {}; ///< whose shares are told
    std::optional<std::string> text = {}; ///< the prompt; none: a needle question
    // Of the needle question (needle.h), with its answer behind it:
    std::int64_t context = 1024; ///< tokens, the answer among them
    double depth = 0.5; ///< in [0, 1]
    std::uint64_t seed = 1;
};

/// What the pictures are of.
struct PicturedPrompt {
    std::vector<int> tokens;
    std::vector<std::string> pieces; ///< [tokens]: each as text; not always UTF-8 by itself
    /// Where the needle's key is, and the queries that generate the answer; empty ranges of a text.
    std::int64_t needleBegin = 0, needleEnd = 0, answerBegin = 0, answerEnd = 0;

    bool isNeedle() const { return needleEnd > needleBegin; }
    /// The query to begin with: the one that generates the answer's first token, or the last one of a text.
    std::int64_t firstAsked() const { return isNeedle() ? answerBegin : static_cast<std::int64_t>(tokens.size()) - 1; }
};

/// What a head adds, directly, to the logit of a needle's right answer (LogitContributions): a mean over the answer's tokens.
struct SpokenLogit {
    double given = 0;
    double beyond = 0; ///< of it from keys that a streaming head would not see
};

struct AttentionPictures {
    PicturedPrompt prompt;
    std::vector<AttentionPicture> heads; ///< the query heads of the KV head, in their order
    std::vector<SpokenLogit> spoken = {}; ///< [heads]; none of a text, which has no right answer
    double answerLogit = 0; ///< to which all heads and layers of the model add up

    /// Index in `heads` of the one that gives most, from the query to begin with, to keys that a streaming head would not see.
    std::size_t farthest() const;
};

/// What the query heads of one KV head look at, and what comes of it in the answer. Refuses models without a tokenizer, texts
/// beyond AttentionPicturePlan::mostTokens or the model's context, and whatever pictureAttention refuses.
Result<AttentionPictures> attentionPictures(const JobContext &context, const AttentionPictureJob &job);

} // namespace zigzag::jobs
