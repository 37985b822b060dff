// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "engine/model/model_config.h"
#include "profiler/cost/cost_model.h"
#include "profiler/jobs/recommend_record.h"

#include <filesystem>
#include <memory>
#include <string>

namespace zigzag {

/// What is known of a model before anything of it has run: results of earlier, which are shown at once and marked as such until
/// this machine has its own. They come with the bundled model (resources/kept/NAME: scores.json, machine.json, recommend.json),
/// or are the last calibration of the model on this machine. What cannot be read, or is of another model, is as if it were not
/// there: it would have been shown for some seconds.
class KeptResults
{
public:
    /// `own`: where calibrations of this machine are kept; empty: nothing is kept there.
    void setFolder(const std::filesystem::path &own) { m_own = own; }

    /// `name` as on the command line. Not fitted where there is nothing. Those of this machine before those that came along.
    CostModel times(const std::string &name, const ModelConfig &config) const;
    /// Scores that came with a bundled model; null for others.
    std::shared_ptr<const HeadScores> scores(const std::string &name, const ModelConfig &config) const;

    /// A recommendation that came with a bundled model; null for others.
    std::shared_ptr<const jobs::RecommendRecord> recommendation(const std::string &name, const ModelConfig &config) const;

    /// The file of this machine's calibration, its folder made; empty where nothing is kept.
    std::filesystem::path fileToKeep(const std::string &name, const ModelConfig &config) const;

private:
    std::filesystem::path ownFile(const std::string &name, const ModelConfig &config) const;

    std::filesystem::path m_own;
};

} // namespace zigzag
