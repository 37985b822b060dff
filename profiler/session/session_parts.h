// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "profiler/cost/cost_samples.h"
#include "profiler/session/session_file.h"
#include "profiler/session/session_results.h"
#include "profiler/trace/trace.h"

#include <string>
#include <vector>

namespace zigzag {

struct AnswersRecord;
struct BenchFile;

// Parts from what they hold, and back. Reading trusts nothing; errors name the part.

SessionPart scoresPart(const std::string &name, const HeadScores &scores);
Result<HeadScores> scoresOf(const SessionPart &part);

/// `locked`: [layers], or empty for none.
SessionPart variantPart(const std::string &name, const HeadMap &map, const std::vector<bool> &locked = {});
/// What results speak of, under the name by which they call it.
SessionPart measuredMapPart(const HeadMap &map);
/// Of a variant or a measured map.
Result<HeadMap> mapOf(const SessionPart &part);

SessionPart benchPart(const std::string &name, const BenchFile &bench);
Result<BenchFile> benchOf(const SessionPart &part);

SessionPart tracePart(const std::string &name, const Trace &trace);
Result<Trace> traceOf(const SessionPart &part);

SessionPart answersPart(const std::string &name, const AnswersRecord &answers);
Result<AnswersRecord> answersOf(const SessionPart &part);

SessionPart machinePart(const Calibration &calibration);
Result<Calibration> machineOf(const SessionPart &part);

SessionPart needlePart(const std::string &name, const NeedleRecord &needle);
Result<NeedleRecord> needleOf(const SessionPart &part);

SessionPart sweepPart(const std::string &name, const SweepRecord &sweep);
Result<SweepRecord> sweepOf(const SessionPart &part);

SessionPart qualityPart(const std::string &name, const QualityRecord &quality);
Result<QualityRecord> qualityOf(const SessionPart &part);

/// Any text for a person.
SessionPart reportPart(const std::string &name, std::string text);

} // namespace zigzag
