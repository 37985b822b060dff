// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_job.h"

#include <filesystem>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// Where a recommendation lies once it is written, for the commands that use it.
struct RecommendPlaces {
    std::string model; ///< as the user named it
    std::filesystem::path folder; ///< of map.json and the rest; empty: nothing was written
    std::filesystem::path exported; ///< file or folder in the engine's own form; empty: there is none
    std::string command; ///< that the export itself is, where it is one
    int linked = 0; ///< files of weights that an exported folder links to, where they must stay
};

/// What serves the map, as one types it. Empty where nothing was written.
std::string serveCommand(const Recommendation &found, const RecommendPlaces &places);
/// What holds that server against our engine.
std::string checkCommand(const Recommendation &found, const RecommendPlaces &places);

/// What was found, in one sentence: the map, or that none keeps the share that was asked for.
std::string saysOf(const Recommendation &found);
/// "sink 64, recent 256; layers 3 5 7 stream": all that there is to say of one map.
std::string layersText(const HeadMap &map);
/// What was judged about a map, in one sentence.
std::string saysOf(const Judgement &judgement, double asked);

/// All of it on one page, in Markdown that reads as text.
std::string pageOf(const Recommendation &found, const RecommendPlaces &places);

} // namespace zigzag::jobs
