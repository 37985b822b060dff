// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/session_parts_of.h"

#include "engine/map/run_alike.h"
#include "profiler/measure/bench_file.h"
#include "profiler/session/session_parts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace zigzag {

namespace {

std::string text(double value)
{
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    return {std::begin(digits), end};
}

std::string detail(const SessionPart &part, const std::string &key)
{
    const auto found = part.details.find(key);
    return found == part.details.end() ? std::string() : found->second;
}

/// A finite number, or the fallback where there is none.
double number(std::string_view digits, double fallback)
{
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() && std::isfinite(value) ? value : fallback;
}

int count(const SessionPart &part, const std::string &key, int fallback)
{
    const double value = number(detail(part, key), fallback);
    return value >= 0 && value <= std::numeric_limits<int>::max() ? static_cast<int>(value) : fallback;
}

/// Three numbers for each layer or head, one line each.
std::string effectsText(const std::vector<AblationEffect> &effects)
{
    std::string lines;
    for (const AblationEffect &effect : effects)
        lines += text(effect.loss) + ' ' + text(effect.lossError) + ' ' + text(effect.accuracyChange) + '\n';
    return lines;
}

/// Empty where they are not one for each of `units`.
std::vector<AblationEffect> effectsOf(const std::string &lines, std::size_t units)
{
    std::vector<AblationEffect> effects;
    for (std::string_view rest = lines; !rest.empty() && effects.size() <= units;) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t first = line.find(' '), second = line.rfind(' ');
        if (first == std::string_view::npos || first == second)
            return {};
        effects.push_back({number(line.substr(0, first), 0), number(line.substr(first + 1, second - first - 1), 0),
                           number(line.substr(second + 1), 0)});
    }
    return effects.size() == units ? effects : std::vector<AblationEffect>{};
}

} // namespace

QString shownText(const std::string &bytes)
{
    return QString::fromStdString(bytes);
}

SessionPart partOf(const FoundScores &found)
{
    SessionPart part = scoresPart(found.name.toStdString(), *found.scores);
    part.details["source"] = part.name;
    if (!found.isSearch)
        return part;
    part.details.insert({{"search", std::string(nameOf(found.unit))},
                         {"sink", std::to_string(found.window.sink)},
                         {"recent", std::to_string(found.window.recent)},
                         {"forward_passes", text(found.forwardPasses)},
                         {"seconds", text(found.seconds)},
                         {"done", std::to_string(found.done)},
                         {"all", std::to_string(found.all)}});
    constexpr std::size_t mostEffects = 10'000; // heads; more than any published model has, and small beside its scores
    if (!found.effects.empty() && found.effects.size() <= mostEffects)
        part.details["effects"] = effectsText(found.effects);
    return part;
}

Result<FoundScores> foundScoresOf(const SessionPart &part)
{
    ZIGZAG_TRY(scores, scoresOf(part));
    FoundScores found;
    const std::string source = detail(part, "source");
    found.name = shownText(source.empty() ? part.name : source);
    const std::string unit = detail(part, "search");
    found.isSearch = !unit.empty();
    if (found.isSearch) {
        found.unit = unit == nameOf(Unit::Head) ? Unit::Head : Unit::Layer;
        found.window = {count(part, "sink", found.window.sink), std::max(1, count(part, "recent", found.window.recent))};
        found.forwardPasses = number(detail(part, "forward_passes"), 0);
        found.seconds = number(detail(part, "seconds"), 0);
        found.done = count(part, "done", 0);
        found.all = count(part, "all", 0);
        const int units = found.unit == Unit::Head ? scores.model.layers * scores.model.kvHeads : scores.model.layers;
        found.effects = effectsOf(detail(part, "effects"), static_cast<std::size_t>(units));
    }
    found.scores = std::make_shared<const HeadScores>(std::move(scores));
    return found;
}

SessionPart partOf(const MapVariant &variant)
{
    SessionPart part = variantPart(variant.name.toStdString(), variant.state.map, variant.state.locked);
    part.notes = variant.notes.toStdString();
    part.details["criterion"] = variant.state.criterion.toStdString();
    part.details["sparsity"] = text(variant.state.sparsity);
    if (variant.state.ties)
        part.details["ties"] = std::to_string(*variant.state.ties);
    if (!variant.path.empty())
        part.details["file"] = variant.path.string();
    return part;
}

Result<MapVariant> variantOf(const SessionPart &part)
{
    ZIGZAG_TRY(map, mapOf(part));
    MapVariant variant;
    variant.name = shownText(part.name);
    variant.notes = shownText(part.notes);
    DocumentState &state = variant.state;
    state.locked.assign(static_cast<std::size_t>(map.layers()), false);
    for (const int layer : part.locked)
        if (layer < map.layers())
            state.locked[static_cast<std::size_t>(layer)] = true;
    if (const std::string criterion = detail(part, "criterion"); findCriterion(criterion))
        state.criterion = shownText(criterion);
    state.sparsity = std::clamp(number(detail(part, "sparsity"), map.sparsity()), 0.0, 1.0);
    if (part.details.contains("ties"))
        state.ties = count(part, "ties", 0);
    variant.path = detail(part, "file");
    variant.saved = map;
    state.map = std::move(map);
    return variant;
}

SessionPart partOf(const std::vector<const RunEntry *> &group, const MachineProfile &machine)
{
    const RunEntry &first = *group.front();
    BenchFile bench;
    bench.model = first.model.toStdString();
    bench.predicted = first.predicted;
    bool here = false;
    for (const RunEntry *entry : group) {
        bench.records.push_back(entry->record);
        here = here || entry->map.has_value();
        if (entry->map && bench.records.back().mapFingerprint.empty())
            bench.records.back().mapFingerprint = fingerprintOf(*entry->map);
    }
    if (here)
        bench.machine = machine;
    SessionPart part = benchPart((first.origin + QLatin1Char(' ') + first.when.toString(Qt::ISODate)).toStdString(), bench);
    part.when = first.when.toSecsSinceEpoch();
    part.details = {{"origin", first.origin.toStdString()}, {"machine", first.machine.toStdString()}};
    if (here)
        part.details["here"] = "yes";
    return part;
}

std::optional<HeadMap> measuredMap(const SavedSession &session, const std::string &fingerprint)
{
    const SessionPart *part = session.find(PartKind::MeasuredMap, fingerprint);
    auto map = part ? mapOf(*part) : Result<HeadMap>(badInput(""));
    const bool fits = map && map->layers() == session.model.layers && map->kvHeads() == session.model.kvHeads;
    return fits ? std::optional(std::move(*map)) : std::nullopt;
}

Result<std::vector<RunEntry>> runsOf(const SessionPart &part, const SavedSession &session)
{
    ZIGZAG_TRY(bench, benchOf(part));
    std::map<std::string, std::optional<HeadMap>> maps;
    std::vector<RunEntry> runs;
    for (BenchRecord &record : bench.records) {
        RunEntry entry;
        entry.when = QDateTime::fromSecsSinceEpoch(part.when);
        entry.model = shownText(bench.model);
        entry.origin = shownText(detail(part, "origin"));
        entry.machine = shownText(detail(part, "machine"));
        entry.predicted = bench.predicted;
        if (detail(part, "here") == "yes") {
            auto map = maps.find(record.mapFingerprint);
            if (map == maps.end())
                map = maps.emplace(record.mapFingerprint, measuredMap(session, record.mapFingerprint)).first;
            entry.map = map->second;
        }
        entry.record = std::move(record);
        runs.push_back(std::move(entry));
    }
    return runs;
}

SessionPart tracePartOf(const RunEntry &entry)
{
    SessionPart part = tracePart(nameOf(entry).toStdString(), *entry.trace);
    part.when = entry.when.toSecsSinceEpoch();
    part.details["origin"] = entry.origin.toStdString();
    return part;
}

Result<RunEntry> traceRunOf(const SessionPart &part, const SavedSession &session)
{
    ZIGZAG_TRY(trace, traceOf(part));
    RunEntry entry = entryOf(std::make_shared<const Trace>(std::move(trace)), shownText(detail(part, "origin")),
                             QDateTime::fromSecsSinceEpoch(part.when));
    entry.map = measuredMap(session, detail(part, "map"));
    return entry;
}

} // namespace zigzag
