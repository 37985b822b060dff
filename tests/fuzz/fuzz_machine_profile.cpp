// SPDX-License-Identifier: GPL-3.0-or-later
// What `calibrate` writes; then the cost model that is fitted to it, and a prediction.
#include "profiler/cost/cost_model.h"
#include "profiler/cost/profile_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <cmath>

ZIGZAG_FUZZ(machine_profile)
{
    using namespace zigzag;
    const auto calibration = readProfile(test::fuzzFile("profile.json", input));
    if (!calibration)
        return;
    const ModelConfig &config = calibration->models.front().config;
    const CostModel model(*calibration, config);
    const auto heads = static_cast<std::int64_t>(config.layers) * config.kvHeads;
    if (!model.isFitted() || heads > 4096)
        return;
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming})
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            const HeadMap map(config.shape(""), kind, 4, 16);
            const double ms = model.estimate(map, phase, 1000).ms;
            test::require(std::isfinite(ms) && ms >= 0);
        }
}
