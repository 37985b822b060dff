// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/cost/cost_samples.h"

#include <atomic>
#include <functional>
#include <string_view>

namespace zigzag {

class RankGroup;

/// Measures the all-reduces of a group, from what a token adds to the residual stream to what a large chunk does: each size in a
/// row, so that all ranks have come, in interleaved rounds, the median of them; one round, and others within two seconds. What
/// others do to the machine meanwhile lengthens some rounds, not the median. progress: 0 to 1, on the calling thread.
Result<LinkSamples> measureLink(RankGroup &group, const std::atomic<bool> *cancel = nullptr,
                                const std::function<void(double)> &progress = {});

/// Of as many devices of a backend of this name as there are up to `most`, for 2, 4 and 8 of them and `most`: one entry for each
/// number of ranks that can be had here. Fails where there is one device alone.
Result<std::vector<LinkSamples>> measureLinks(std::string_view backend, int most, const std::atomic<bool> *cancel = nullptr,
                                              const std::function<void(double)> &progress = {});

} // namespace zigzag
