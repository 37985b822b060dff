// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/engine_serving.h"
#include "profiler/jobs/job.h"

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// A map that answers, by its name.
struct AnsweringMap {
    std::string name;
    HeadMap map;
    std::optional<EngineServing> served = {}; ///< who serves it (engineServing of this very map); nothing: our engine
};

struct SideBySidePlan {
    std::array<AnsweringMap, 2> maps;
    std::vector<int> prompt; ///< at least one token
    int most = 64; ///< tokens of an answer
    int likeliest = 5; ///< tokens that are named at each place
    bool readsOther = true; ///< after the answers, each map reads the other's text to its end: a prefill more of each
};

struct LikelyToken {
    int token = 0;
    std::string bytes; ///< of the token alone, as AnsweredToken's
    double probability = 0;
};

/// A token of an answer, and what both maps thought of it.
struct AnsweredToken {
    int token = 0;
    std::string bytes; ///< of the token alone: perhaps half a character; of a special token its name
    std::string text; ///< what it adds to the answer, in whole characters: one of several tokens comes with the last of them
    bool isEnd = false; ///< it ends the answer, and adds no text
    double probability = 0; ///< by the map whose answer it is, at temperature 1
    std::vector<LikelyToken> likeliest; ///< by the same, the likeliest first; the lower id among equals
    std::optional<double> othersProbability; ///< by the other map after the same tokens; nothing before it has read them
    std::vector<LikelyToken> othersLikeliest;
};

struct MapAnswer {
    enum class End { None, Stop, Length }; ///< None: it goes on, or was stopped
    std::string name;
    std::vector<AnsweredToken> tokens;
    End end = End::None;

    std::string text() const;
};

struct SideBySide {
    std::int64_t promptTokens = 0;
    std::array<MapAnswer, 2> answers;
    std::optional<std::size_t> parting; ///< index of the first token that is not the same; nothing where there is none so far
    bool isComplete = false; ///< false: it goes on, or was stopped

    /// The token of one answer at which they part, or null: they do not.
    const AnsweredToken *partingToken(std::size_t side) const;
};

/// What there is so far, after each token of both.
using SideBySideTold = std::function<void(const SideBySide &soFar)>;

/// Two maps answer one prompt, each greedily by itself, token for token beside each other: the tokens are those of two single
/// runs. Up to their parting each map's probabilities of the other's tokens are known by themselves. Both sessions are made
/// before anything runs, so what does not fit is refused first. Steps have the map's name as their subject while prompts are
/// read. Cancelled, it returns what was generated so far.
Result<SideBySide> sideBySide(const JobContext &context, const SideBySidePlan &plan, const SideBySideTold &told = {});

} // namespace zigzag::jobs
