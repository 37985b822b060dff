// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/measure/calibration_points.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// A calibration on a machine that others slow ends after twenty points: they must tell what a longer context takes.
TEST(CalibrationPoints, TheFirstOfThemAreNearAndFarInEveryPhaseAndKind)
{
    ModelConfig config;
    config.layers = 2;
    config.hiddenSize = 64;
    config.queryHeads = config.kvHeads = 2;
    config.headDim = 32;
    config.intermediateSize = 96;
    config.vocabulary = 100;
    for (const std::int64_t longest : {256, 2048, 100000}) {
        const std::vector<PassPoint> points = calibrationPoints(config, {}, longest, 100);
        ASSERT_GT(points.size(), 20u);
        for (const Phase phase : {Phase::Prefill, Phase::Decode})
            for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
                std::vector<std::int64_t> positions;
                for (std::size_t i = 0; i < 20; ++i)
                    if (points[i].phase == phase && points[i].kind == kind)
                        positions.push_back(points[i].pass.firstPosition);
                ASSERT_GE(positions.size(), 3u) << longest;
                const auto [least, most] = std::minmax_element(positions.begin(), positions.end());
                EXPECT_LT(*least, *most) << longest;
                if (phase == Phase::Decode) {
                    EXPECT_EQ(*most, longest - 1);
                }
            }
    }
}

} // namespace
} // namespace zigzag
