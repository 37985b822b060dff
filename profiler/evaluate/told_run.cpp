// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/told_run.h"

#include <algorithm>

namespace zigzag {

int strongest(std::span<const float> logits)
{
    return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Result<std::vector<float>> runInParts(Session &session, std::span<const int> tokens, Session::Logits logits, std::int64_t chunk,
                                      const std::function<void(double share)> &onPart, int sequence)
{
    std::span<const int> rest = tokens;
    while (rest.size() > static_cast<std::size_t>(chunk)) {
        ZIGZAG_CHECK(session.run(rest.first(static_cast<std::size_t>(chunk)), Session::Logits::None, sequence));
        rest = rest.subspan(static_cast<std::size_t>(chunk));
        if (onPart)
            onPart(1.0 - static_cast<double>(rest.size()) / static_cast<double>(tokens.size()));
    }
    return session.run(rest, logits, sequence);
}

} // namespace zigzag
