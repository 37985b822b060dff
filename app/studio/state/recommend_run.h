// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/exports/export_format.h"
#include "profiler/jobs/recommend_plan.h"

#include <memory>
#include <string>
#include <vector>

namespace zigzag {

class Studio;

/// What a person asked for in the dialog.
struct RecommendAsked {
    jobs::RecommendRequest request; ///< its folder is where everything is written
    std::shared_ptr<const ExportModel> model; ///< that the studio has open
    std::vector<std::string> promptFiles; ///< of the request's questions
    double expectedSeconds = 0;
};

/// Puts it among the jobs. What it finds comes into the studio as it is found: scores among the sources, maps into the
/// recommendation; at the end the recommended map as a variant of its own.
void recommendInStudio(Studio &studio, RecommendAsked asked);

} // namespace zigzag
