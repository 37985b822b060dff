// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_page.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag::jobs {

/// What a map costs where it is served, as it was recorded.
struct RecordedCost {
    std::string engine; ///< with the version that was read: "vLLM 0.32.0"
    std::int64_t kvBytes = 0; ///< that must be free for a sequence to be taken in
    double sequencesPerGiB = 0;
    std::optional<double> ms; ///< of a token, predicted for our engine
};

/// What stood in for the sinks of a map while it was judged; how near it is to full attention, beyond the window where nothing
/// else is said.
struct RecordedStandIns {
    bool isFitted = false; ///< the fit was taken; else the calibration
    int steps = 0; ///< of a fit; 0: none was made
    double calibrationSeconds = 0, fitSeconds = 0, measurementSeconds = 0;
    NearFull inside, windowAlone, sinksKept, calibrated, fit;
};

struct RecordedJudgement {
    Kept verdict = Kept::Undecided;
    int prompts = 0;
    double full = 0, mean = 0; ///< mean scores, 0 to 1
    double difference = 0, low = 0, high = 0; ///< of means, with its 95 % interval
    double kept = 0, keptLow = 0; ///< shares of full attention's score
    std::optional<RecordedStandIns> standIns = {}; ///< none: nothing stood in
};

struct RecordedMap {
    HeadMap map;
    std::string as; ///< ServingWay::name
    bool standsIn = false; ///< something stands in for its sinks there
    int streaming = 0; ///< layers
    RecordedCost cost;
    double rise = 0, right = 0, rightFull = 0; ///< means over the prompts that chose (TriedMap)
    int prompts = 0;
    bool inSet = false; ///< on the frontier
    std::optional<RecordedJudgement> judged;
};

/// A recommendation as recommend.json has it: what is shown of one that ended in another program, or another day.
struct RecommendRecord {
    std::string model, fingerprint, device, engine;
    std::int64_t context = 0, promptTokens = 0;
    double asked = 0.9; ///< share of full attention's score that was to be kept
    std::optional<std::int64_t> memory; ///< bytes
    std::optional<double> tpotMs;
    bool isAsked = false; ///< by a person's questions; else needle tasks
    RecordedCost full;
    std::vector<RecordedMap> tried;
    std::optional<std::size_t> chosen; ///< its place among those tried
    std::string serve, check; ///< commands; empty: nothing was written
    std::string folder, exported; ///< where what was written lies
    std::vector<std::string> notes, shortened;
    double seconds = 0;
    std::string text; ///< all of recommend.json

    const RecordedMap *map() const { return chosen ? &tried[*chosen] : nullptr; }
};

/// `zigzag-recommendation`, version 1: recommend.json, and what `-o json` prints.
std::string recordText(const Recommendation &found, const RecommendPlaces &places);
/// Trusts nothing. `model`: whose maps they are; refused where the record is of another one.
Result<RecommendRecord> readRecord(std::string_view text, const ModelShape &model, const std::string &where);

} // namespace zigzag::jobs
