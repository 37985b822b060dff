// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace zigzag {

/// How far a measurement is: prompts (or windows, or steps) done of all, with the part of the one that runs: 3.25 of 40.
using PromptProgress = std::function<void(double done, int all)>;

/// For progress out of short pieces of work: due once in a twentieth of a second, so that telling costs nothing.
class Paced
{
public:
    bool isDue()
    {
        const auto now = std::chrono::steady_clock::now();
        if (now - m_last < std::chrono::milliseconds(50))
            return false;
        m_last = now;
        return true;
    }

private:
    std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
};

/// The token that greedy decoding takes: the first of the largest logits of one row.
int strongest(std::span<const float> logits);

/// `Session::run` in calls of `chunk` tokens, with `onPart` told between them which share of the tokens is done. A long prompt
/// takes minutes, and nobody should wait for its end to see that something goes on. With the session's own chunk the results
/// are those of one call, to the last bit.
Result<std::vector<float>> runInParts(Session &session, std::span<const int> tokens, Session::Logits logits, std::int64_t chunk,
                                      const std::function<void(double share)> &onPart, int sequence = 0);

} // namespace zigzag
