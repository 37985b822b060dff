// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_files.h"

#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/carry/engine_export.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/carry_job.h"
#include "profiler/jobs/recommend_record.h"
#include "profiler/jobs/recommend_stand_ins.h"
#include "profiler/session/session_parts.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

Result<void> writeExport(const JobContext &context, const Recommendation &found, const ExportModel *model,
                         RecommendPlaces &places)
{
    const HeadMap &map = found.map()->map;
    const ServingWay &way = found.wayOf(*found.map());
    if (way.isOurs())
        return {};
    if (!model)
        return failed("an export needs the model as it lies on disk");
    if (way.standsIn()) {
        const auto out = places.folder / (way.carried->writesFolder ? std::string(way.carried->name) : "model.gguf");
        const auto &standIns = found.judged[*found.chosen].standIns;
        if (!standIns)
            return failed("what stands in for sinks was not kept");
        ZIGZAG_CHECK(writeCarried(context, map, *standIns, {.target = way.carried, .model = model, .out = out}));
        places.exported = out;
        return {};
    }
    ZIGZAG_TRY(made, exportForEngine(way.name, map, *model, places.folder));
    places.exported = std::move(made.out);
    places.command = std::move(made.command);
    places.linked = made.weights;
    return {};
}

Result<void> writeMap(const JobContext &context, const Recommendation &found, const ExportModel *model, RecommendPlaces &places)
{
    const TriedMap *map = found.map();
    if (const std::size_t way = map ? map->way : 0; way < found.scores.size() && found.scores[way])
        ZIGZAG_CHECK(writeHeadScores(*found.scores[way], places.folder / "scores.json"));
    if (!map)
        return {};
    ZIGZAG_CHECK(writeHeadMap(map->map, places.folder / "map.json"));
    return writeExport(context, found, model, places);
}

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// What a variant is called: short, for it stands in tabs and lists.
std::string variantName(const Recommendation &found, const TriedMap &map)
{
    return fmt::format("{} of {} stream, {}", map.streaming, found.model.mappableLayers(), windowText(map.map));
}

} // namespace

Result<void> writeRecommended(const JobContext &context, Recommendation &found, const ExportModel *model, RecommendPlaces &places)
{
    auto written = writeMap(context, found, model, places);
    if (!written)
        found.notes.push_back("not everything was written: " + written.error().message);
    ZIGZAG_CHECK(writeFileAtomically(places.folder / "page.md", pageOf(found, places)));
    ZIGZAG_CHECK(writeFileAtomically(places.folder / "recommend.json", recordText(found, places)));
    if (!written)
        return written;
    std::error_code ignored;
    std::filesystem::remove(progressFile(found.request), ignored);
    for (const std::filesystem::path &file : standInFiles(found.request))
        std::filesystem::remove(file, ignored);
    return {};
}

Result<SavedSession> recommendSession(const Recommendation &found, const RecommendPlaces &places)
{
    SavedSession session;
    session.asked = places.model;
    session.model = found.model;
    const std::int64_t when = now();
    const auto put = [&](SessionPart part) {
        part.name = session.freeName(part.kind, part.name);
        part.when = when;
        session.put(part);
        return part.name;
    };
    std::vector<std::string> scores(found.scores.size());
    for (std::size_t way = 0; way < found.scores.size(); ++way)
        if (found.scores[way])
            scores[way]
                = put(scoresPart(fmt::format("{} for {}", found.scores[way]->method, found.ways[way].name), *found.scores[way]));
    const auto variant = [&](const TriedMap &map, const std::string &name, const Judgement &judgement) {
        SessionPart part = variantPart(name, map.map);
        if (map.way < scores.size() && !scores[map.way].empty())
            part.details["scores"] = scores[map.way];
        part.notes = saysOf(judgement, found.request.kept);
        return put(std::move(part));
    };
    if (const TriedMap *map = found.map())
        session.current = variant(*map, "recommended for " + found.request.engine, found.judged[*found.chosen].judgement);
    for (std::size_t i = 0; i < found.judged.size(); ++i)
        if (const TriedMap &map = found.tried[found.judged[i].tried]; !found.chosen || i != *found.chosen)
            variant(map, variantName(found, map), found.judged[i].judgement);
    SessionPart record;
    record.kind = PartKind::Recommendation;
    record.name = "recommendation for " + found.request.engine;
    record.content = std::make_shared<const std::string>(recordText(found, places));
    put(std::move(record));
    put(reportPart("recommendation for " + found.request.engine, pageOf(found, places)));
    std::error_code none;
    if (const auto file = answersFile(found.request); !file.empty() && std::filesystem::exists(file, none)) {
        ZIGZAG_TRY(answers, readAnswersFile(file));
        put(answersPart("judging answers", answers));
    }
    return session;
}

} // namespace zigzag::jobs
