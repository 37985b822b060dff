// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/run/device_model.h"
#include "profiler/check/completion_client.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace zigzag::check {

// Is a map applied by a server that somebody runs? The server continues prompts that are longer than the window. Our engine is
// then given the server's own tokens under each way in which it may be running, and the way whose log-probabilities lie nearest
// to the server's is the one that it runs, if it lies much nearer than the ways lie to each other. So no bound on rounding has
// to be known: a server in bfloat16 is some way off all of them, and still much nearer to one.

/// A way in which the server may be running.
struct Hypothesis {
    std::string name;
    std::shared_ptr<DeviceModel> device;
    HeadMap map;
};

/// What one hypothesis gave the server's tokens.
struct Likeness {
    double meanDifference = 0, largestDifference = 0; ///< of log-probabilities, nats
    int equal = 0; ///< tokens that it would choose too
    std::vector<double> logprobs; ///< of every token of every prompt
};

enum class Finding {
    Found, ///< one way is much nearer than the others
    Undecided, ///< two ways are about as near
    None, ///< the nearest is as far away as the ways are from each other: another map, window or model
};

struct Answers {
    int prompts = 0, tokens = 0; ///< tokens of all prompts
    std::int64_t context = 0; ///< tokens of a prompt
    bool inText = false; ///< the server takes no token ids, and was asked in text
    std::vector<Likeness> likenesses; ///< one for each hypothesis
    Finding finding = Finding::None;
    std::size_t nearest = 0;
    double toNext = 0; ///< mean difference between the nearest way and the one nearest to it
};

/// Fills in `finding`, `nearest` and `toNext`. Ways that gave every token the same count as one.
void judge(Answers &answers);

struct AnswerPlan {
    int prompts = 4, tokens = 32;
    std::int64_t context = 0; ///< of a prompt with its answer
    std::int64_t window = 0; ///< of the map, which prompts have to be longer than
    std::uint64_t seed = 1;
};

/// `served`: the model's name at the server. `progress`: the part that is done.
Result<Answers> compareAnswers(CompletionClient &client, const std::string &served, const Model &texts,
                               const std::vector<Hypothesis> &hypotheses, const AnswerPlan &plan,
                               const std::atomic<bool> *cancel = nullptr, const std::function<void(double)> &progress = {});

/// Times of one context: the samples of each, in the order of their measurement.
struct ServedTimes {
    std::int64_t context = 0; ///< tokens of the prompt
    std::vector<double> firstMs; ///< to the first token
    std::vector<double> stepMs; ///< a token after the first, mean of an answer
};

struct TimesPlan {
    std::vector<std::int64_t> contexts;
    int repeats = 3, tokens = 17;
    std::uint64_t seed = 1000; ///< every request has a prompt of its own: servers keep the keys of prompts they have seen
};

Result<std::vector<ServedTimes>> measureTimes(const CompletionClient &client, const std::string &served, const Model &texts,
                                              const TimesPlan &plan, const std::function<void(double)> &progress = {});

} // namespace zigzag::check
