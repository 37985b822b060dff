// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/info_session.h"

#include "app/cli/json_text.h"
#include "engine/base/file_content.h"
#include "engine/base/printable.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/measure/bench_file.h"
#include "profiler/session/session_parts.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

template <class T, class Say> std::string said(const Result<T> &read, const Say &say)
{
    return read ? say(*read) : read.error().message;
}

/// What a part holds, in a few words; of one that cannot be read, why.
std::string contentText(const SessionPart &part)
{
    if (part.kind == PartKind::Scores)
        return said(scoresOf(part), [](const HeadScores &scores) {
            return fmt::format("{}, {} layers x {} KV heads", printable(scores.method), scores.model.layers,
                               scores.model.kvHeads);
        });
    if (part.kind == PartKind::Variant || part.kind == PartKind::MeasuredMap)
        return said(mapOf(part), [&](const HeadMap &map) {
            return fmt::format("{} of {} KV heads stream, {}{}", map.streamingHeads(), map.model().mappableHeads(),
                               windowText(map), part.locked.empty() ? "" : fmt::format(", {} layers locked", part.locked.size()));
        });
    if (part.kind == PartKind::Bench)
        return said(benchOf(part), [](const BenchFile &bench) {
            return fmt::format("{} points, {}", bench.records.size(), bench.predicted ? "predicted" : "measured");
        });
    if (part.kind == PartKind::Sweep)
        return said(sweepOf(part), [](const SweepRecord &sweep) { return fmt::format("{} maps", sweep.points.size()); });
    if (part.kind == PartKind::Needle)
        return said(needleOf(part), [](const NeedleRecord &needle) {
            return fmt::format("{:.1f} % found, {} of {} cells", 100 * needle.result.accuracy, needle.result.grid.size(),
                               needle.result.planned);
        });
    if (part.kind == PartKind::Answers)
        return said(answersOf(part), [](const AnswersRecord &answers) {
            return fmt::format("{} questions, {} maps", answers.questions.size(), answers.maps.size());
        });
    return {};
}

std::string timeText(std::int64_t when)
{
    return when > 0 ? fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(static_cast<std::time_t>(when))) : std::string();
}

void printJson(const ReadSession &read)
{
    const SavedSession &session = read.session;
    Json json = {{"asked", session.asked},
                 {"model", session.model.name},
                 {"layers", session.model.layers},
                 {"kv_heads", session.model.kvHeads},
                 {"fingerprint", session.model.fingerprint},
                 {"current", session.current},
                 {"parts", Json::array()},
                 {"notes", read.notes}};
    for (const SessionPart &part : session.parts)
        json["parts"].push_back({{"kind", part.kind},
                                 {"name", part.name},
                                 {"notes", part.notes},
                                 {"when", part.when},
                                 {"bytes", part.content->size()},
                                 {"content", contentText(part)}});
    fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
}

void printTable(const ReadSession &read)
{
    const SavedSession &session = read.session;
    fmt::print("{:<20} {}\n", "session of",
               session.model.name.empty() ? "a model without a name" : printable(session.model.name));
    fmt::print("{:<20} {}\n", "opened as", session.asked.empty() ? "no model, its shape alone" : printable(session.asked));
    fmt::print("{:<20} {} layers, {} KV heads each\n", "shape", session.model.layers, session.model.kvHeads);
    fmt::print("{:<20} {}\n", "weights", session.model.fingerprint.empty() ? "not known" : printable(session.model.fingerprint));
    if (!session.notes.empty())
        fmt::print("{:<20} {}\n", "notes", printable(session.notes));
    fmt::print("\n{:<16} {:<28} {:<16} {:>12}  {}\n", "part", "name", "when", "bytes", "content");
    for (const SessionPart &part : session.parts) {
        std::string content = contentText(part);
        if (part.kind == PartKind::Variant && part.name == session.current)
            content += ", in front";
        if (!part.notes.empty())
            content += (content.empty() ? "" : "; ") + printable(part.notes);
        fmt::print("{:<16} {:<28} {:<16} {:>12}  {}\n", part.kind, printable(part.name), timeText(part.when),
                   part.content->size(), content);
    }
}

} // namespace

bool isSession(const std::string &name)
{
    std::error_code none;
    if (!std::filesystem::is_regular_file(name, none))
        return false;
    const auto kind = kindOfFile(name);
    return kind && !kind->isGzip && kind->content == FileContent::Session;
}

Result<void> printSession(const std::string &name, const std::string &format)
{
    ZIGZAG_TRY(read, readSession(name));
    for (const std::string &note : read.notes)
        fmt::print(stderr, "note: {}\n", note);
    format == "json" ? printJson(read) : printTable(read);
    return {};
}

} // namespace zigzag
