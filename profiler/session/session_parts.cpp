// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/session/session_parts.h"

#include "engine/base/printable.h"
#include "engine/map/map_io.h"
#include "engine/map/run_alike.h"
#include "engine/map/score_formats.h"
#include "profiler/cost/profile_file.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/measure/bench_file.h"
#include "profiler/trace/trace_file.h"

#include <ctime>
#include <fmt/format.h>

namespace zigzag {

namespace {

SessionPart partOf(std::string_view kind, const std::string &name, std::string content)
{
    SessionPart part;
    part.kind = kind;
    part.name = name;
    part.when = std::time(nullptr);
    part.content = std::make_shared<const std::string>(std::move(content));
    return part;
}

/// How errors call a part.
std::string placeOf(const SessionPart &part)
{
    return fmt::format("{} \"{}\"", part.kind, printable(part.name));
}

std::string text(const nlohmann::ordered_json &document)
{
    return document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

} // namespace

SessionPart scoresPart(const std::string &name, const HeadScores &scores)
{
    return partOf(PartKind::Scores, name, toJson(scores));
}

Result<HeadScores> scoresOf(const SessionPart &part)
{
    return parseScores(*part.content, {placeOf(part), {}, {}, Fold::Max});
}

SessionPart variantPart(const std::string &name, const HeadMap &map, const std::vector<bool> &locked)
{
    SessionPart part = partOf(PartKind::Variant, name, toJson(map));
    for (std::size_t layer = 0; layer < locked.size(); ++layer)
        if (locked[layer])
            part.locked.push_back(static_cast<int>(layer));
    return part;
}

SessionPart measuredMapPart(const HeadMap &map)
{
    return partOf(PartKind::MeasuredMap, fingerprintOf(map), toJson(map));
}

Result<HeadMap> mapOf(const SessionPart &part)
{
    return parseHeadMap(*part.content, placeOf(part));
}

SessionPart benchPart(const std::string &name, const BenchFile &bench)
{
    return partOf(PartKind::Bench, name, text(bench.predicted ? predictionJson(bench) : benchJson(bench)));
}

Result<BenchFile> benchOf(const SessionPart &part)
{
    return benchFrom(*part.content, placeOf(part));
}

SessionPart tracePart(const std::string &name, const Trace &trace)
{
    return partOf(PartKind::Trace, name, traceText(trace));
}

Result<Trace> traceOf(const SessionPart &part)
{
    return traceFrom(*part.content, placeOf(part));
}

SessionPart answersPart(const std::string &name, const AnswersRecord &answers)
{
    return partOf(PartKind::Answers, name, text(answersJson(answers)));
}

Result<AnswersRecord> answersOf(const SessionPart &part)
{
    return answersFrom(*part.content, placeOf(part));
}

SessionPart machinePart(const Calibration &calibration)
{
    return partOf(PartKind::Machine, "this machine", profileText(calibration));
}

Result<Calibration> machineOf(const SessionPart &part)
{
    return profileFrom(*part.content, placeOf(part));
}

SessionPart reportPart(const std::string &name, std::string text)
{
    return partOf(PartKind::Report, name, std::move(text));
}

SessionPart needlePart(const std::string &name, const NeedleRecord &needle)
{
    return partOf(PartKind::Needle, name, needleText(needle));
}

Result<NeedleRecord> needleOf(const SessionPart &part)
{
    return needleFrom(*part.content, placeOf(part));
}

SessionPart qualityPart(const std::string &name, const QualityRecord &quality)
{
    return partOf(PartKind::Quality, name, qualityText(quality));
}

Result<QualityRecord> qualityOf(const SessionPart &part)
{
    return qualityFrom(*part.content, placeOf(part));
}

SessionPart sweepPart(const std::string &name, const SweepRecord &sweep)
{
    return partOf(PartKind::Sweep, name, sweepText(sweep));
}

Result<SweepRecord> sweepOf(const SessionPart &part)
{
    return sweepFrom(*part.content, placeOf(part));
}

} // namespace zigzag
