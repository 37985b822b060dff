// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/evaluate/needle.h"
#include "profiler/search/quality_sweep.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

// Results that had no file of their own before there were sessions. Readers trust nothing.

/// `zigzag-needle`, version 1: one map's needle grid.
struct NeedleRecord {
    std::string mapFingerprint; ///< the measured map's name
    std::string engine; ///< that ran the map, as --as-engine names it; empty: ours
    NeedleResult result;
};
std::string needleText(const NeedleRecord &needle);
Result<NeedleRecord> needleFrom(std::string_view text, const std::string &where);

/// `zigzag-sweep`, version 1: maps, and what each costs in quality.
struct SweepRecord {
    std::string criterion; ///< that made the maps; empty: several
    std::string scores; ///< where its scores came from
    std::string engine; ///< that ran the maps; empty: ours
    int plannedPrompts = 0; ///< more than the points have where it was stopped
    std::vector<SweepPoint> points;
};
std::string sweepText(const SweepRecord &sweep);
Result<SweepRecord> sweepFrom(std::string_view text, const std::string &where);

/// `zigzag-quality`, version 1: maps that were asked by themselves, and what each scores.
struct QualityRecord {
    std::string axis; ///< "ruler", "questions" or "perplexity"
    std::string asked; ///< the file of questions, or of the text; empty: none
    std::string engine; ///< that ran the maps; empty: ours
    struct Point {
        HeadMap map;
        Interval quality;
    };
    std::vector<Point> points;
};
std::string qualityText(const QualityRecord &quality);
Result<QualityRecord> qualityFrom(std::string_view text, const std::string &where);

} // namespace zigzag
