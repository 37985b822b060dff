// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/serve/generation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::serve {

// Bodies of requests in the form of OpenAI's API. Nothing in them is believed before it is looked at. What would change the
// answer and is not done here is refused by name; what changes nothing (user, metadata and their like) is ignored.

inline constexpr std::size_t largestBody = 8 << 20; ///< bytes
inline constexpr int mostTop = 20; ///< likeliest tokens that are named beside a token
inline constexpr std::int64_t mostScores = 1 << 21; ///< of tokens, and of the likeliest beside them, in one answer
inline constexpr std::size_t mostPrompts = 256, mostStops = 32, longestStop = 256;

/// Of either kind.
struct CompletionRequest {
    bool isChat = false;
    std::vector<std::vector<int>> prompts; ///< each a choice of the answer; a chat has one
    std::optional<std::int64_t> most; ///< tokens to add; none: as many as the context has room for
    double temperature = 1, topP = 1;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> stops; ///< texts that end an answer, and are no part of it
    std::optional<int> top; ///< scores are asked for, with so many of the likeliest
    bool echoes = false; ///< the answer begins with the prompt
    bool ignoresEnds = false;
    bool streams = false, streamsUsage = false;
};

/// The body of /v1/completions. A prompt is a text, token ids, or a list of either; texts begin as the tokenizer begins them.
Result<CompletionRequest> parseCompletion(std::string_view body, const Model &model);
/// The body of /v1/chat/completions. Messages are put together by the model's own template.
Result<CompletionRequest> parseChat(std::string_view body, const Model &model);

} // namespace zigzag::serve
