// SPDX-License-Identifier: GPL-3.0-or-later
// Trace Event Format (Google, 2016): complete events in microseconds, pairs of begin and end, asynchronous events, and metadata
// events for names.
#include "profiler/trace/chrome_reader.h"

#include "profiler/trace/async_events.h"
#include "profiler/trace/event_document.h"
#include "profiler/trace/trace_info_json.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace zigzag {
namespace {

constexpr std::int64_t most = std::int64_t{1} << 62;
constexpr std::int64_t mostInt = (std::int64_t{1} << 31) - 1;
constexpr double latestUs = 9007199254740992.0; ///< 2^53: the year 2255, for other programs count from 1970
constexpr double longestUs = static_cast<double>(latestTraceNs) / 1e3;
constexpr std::size_t mostRows = 1 << 16;

/// What lasts, of a file that is read to its end before anything is placed.
struct Event {
    TimedEvent at;
    std::int32_t span = -1; ///< of this program's: what its arguments say, or of a kernel the span that launched it
    bool isSpan = false;
    bool isCollective = false; ///< `span` is an index of those that were read
};

/// Phases that have no duration, and what they are called.
struct Skipped {
    std::string_view phases, name;
};
constexpr std::array skippedKinds = {
    Skipped{"iIR", "instants"},      Skipped{"C", "counters"},
    Skipped{"stf", "flow arrows"},   Skipped{"nTp", "asynchronous instants"},
    Skipped{"NOD", "object events"}, Skipped{"vV", "memory dumps"},
    Skipped{"P", "samples"},
};

/// The arguments of one of this program's events.
Result<TraceSpan> spanOf(Op op, const json::Value *args, const std::string &where)
{
    TraceSpan span;
    span.op = op;
    if (!args)
        return span;
    ZIGZAG_TRY(layer, json::integerOr(*args, "layer", -1, -1, (1 << 15) - 1, where));
    ZIGZAG_TRY(type, json::stringOr(*args, "type", "retrieval", where));
    ZIGZAG_TRY(bytes, json::integerOr(*args, "bytes", 0, 0, most, where));
    ZIGZAG_TRY(flops, json::integerOr(*args, "flops", 0, 0, most, where));
    ZIGZAG_TRY(tokens, json::integerOr(*args, "tokens", 0, 0, mostInt, where));
    ZIGZAG_TRY(position, json::integerOr(*args, "position", 0, 0, mostInt, where));
    ZIGZAG_TRY(floor, json::numberOr(*args, "floor_us", 0, 0, longestUs, where));
    const auto kind = findLayerKind(type);
    if (!kind)
        return badInput(fmt::format("{}: '{}' is no type of layer; export it anew", where, json::printable(type)));
    span.layer = static_cast<std::int16_t>(layer);
    span.kind = *kind;
    span.bytes = bytes;
    span.flops = flops;
    span.tokens = static_cast<std::int32_t>(tokens);
    span.firstPosition = static_cast<std::int32_t>(position);
    span.floorNs = static_cast<float>(1e3 * floor);
    return span;
}

/// The index of the span that launched a kernel; −1: none.
std::int32_t launcherOf(const json::Value *args)
{
    const json::Value *span = args ? json::find(*args, "span") : nullptr;
    if (!span || !span->is_number_integer())
        return -1;
    const auto index = span->get<std::int64_t>(); // beyond 2^63 it is negative
    return index < 0 || index > mostInt ? -1 : static_cast<std::int32_t>(index);
}

/// The arguments of one of this program's collectives.
Result<CollectiveSpan> collectiveOf(CollectiveKind kind, const json::Value *args, const std::string &where)
{
    CollectiveSpan each;
    each.kind = kind;
    each.span = launcherOf(args);
    if (!args)
        return each;
    ZIGZAG_TRY(bytes, json::integerOr(*args, "bytes", 0, 0, most, where));
    ZIGZAG_TRY(wait, json::numberOr(*args, "wait_us", 0, 0, longestUs, where));
    each.bytes = bytes;
    each.waitNs = nanosecondsOf(wait);
    return each;
}

std::string idText(const json::Value &event, std::string_view key)
{
    const json::Value *id = json::find(event, key);
    return !id ? std::string() : id->is_string() ? id->get<std::string>() : id->dump();
}

/// What tells an asynchronous event from another one of its category; empty: nothing.
std::string asyncId(const json::Value &event)
{
    if (const json::Value *two = json::find(event, "id2")) {
        const std::string local = idText(*two, "local");
        return local.empty() ? idText(*two, "global") : fmt::format("{}/{}", idText(event, "pid"), local);
    }
    return idText(event, "id");
}

class ChromeReader
{
public:
    /// Of this program's traces only complete events are looked at: it writes no others.
    ChromeReader(const std::string &where, bool isOurs)
        : m_where(where)
        , m_isOurs(isOurs)
    { }

    Result<void> take(const json::Value &event)
    {
        ++m_count;
        if (!event.is_object())
            return badInput(fmt::format("{}: must be an object; export the trace anew", here()));
        ZIGZAG_TRY(phase, json::stringIn(event, "ph", here()));
        const char letter = phase.size() == 1 ? phase[0] : '\0';
        switch (letter) {
        case 'M':
            return takeMetadata(event);
        case 'X':
            return takeComplete(event);
        case 'B':
        case 'E':
            return takeEnd(event, letter == 'B');
        case 'b':
        case 'e':
            return takeAsync(event, letter == 'b', {});
        case 'S':
        case 'F': // the older form, which tells events of one id apart by their names
            return takeAsync(event, letter == 'S', idText(event, "name"));
        default:
            ++m_skipped[letter];
            return {};
        }
    }

    Result<Trace> finish(const EventDocument &document, TraceInfo info, std::int64_t dropped)
    {
        m_trace.info = std::move(info);
        m_trace.dropped = dropped;
        if (!m_isOurs) {
            pairThreads();
            placeAsync();
            m_trace.info.isForeign = true;
            m_trace.info.note = note(document);
        }
        const double origin = firstUs();
        std::stable_sort(m_events.begin(), m_events.end(), [&](const Event &a, const Event &b) {
            // Of this program's: a rank's spans after the other's, as they were numbered; then kernels; then collectives.
            const auto group = [](const Event &each) {
                return std::pair(each.isSpan ? 0 : each.isCollective ? 2 : 1, each.isSpan || each.isCollective ? each.at.row : 0);
            };
            if (group(a) != group(b))
                return group(a) < group(b);
            const std::int64_t beginA = nanosecondsOf(a.at.beginUs - origin), beginB = nanosecondsOf(b.at.beginUs - origin);
            return beginA != beginB ? beginA < beginB : a.at.durationNs > b.at.durationNs;
        });
        for (const Event &event : m_events) {
            const std::int64_t beginNs = nanosecondsOf(event.at.beginUs - origin);
            if (event.isCollective)
                addCollective(event, beginNs);
            else if (!event.isSpan)
                m_trace.kernels.push_back({beginNs, event.at.durationNs, event.at.name, event.span, event.at.row});
            else
                ZIGZAG_CHECK(addSpan(event, beginNs));
        }
        for (KernelSpan &kernel : m_trace.kernels)
            if (kernel.span >= std::ssize(m_trace.spans))
                kernel.span = -1;
        for (CollectiveSpan &each : m_trace.collectives)
            if (each.span >= std::ssize(m_trace.spans))
                each.span = -1;
        if (!m_isOurs)
            dropEmptyRows();
        nameRows();
        return std::move(m_trace);
    }

private:
    std::string here() const { return fmt::format("{}, event {}", m_where, m_count - 1); }

    Result<std::uint32_t> nameIn(const json::Value &event)
    {
        const json::Value *name = json::find(event, "name");
        if (!name || !name->is_string())
            return badInput(fmt::format("{}: \"name\" is missing; export the trace anew", here()));
        const auto &text = name->get_ref<const std::string &>();
        const auto [found, isNew] = m_names.try_emplace(text, static_cast<std::uint32_t>(m_names.size()));
        if (isNew)
            m_trace.kernelNames.push_back(text);
        return found->second;
    }

    /// A row for each pair of process and thread, in the order of their appearance.
    Result<std::uint16_t> rowOf(const json::Value &event)
    {
        const std::string process = idText(event, "pid"), thread = idText(event, "tid");
        const auto [found, isNew] = m_rows.emplace(process + '/' + thread, m_rows.size());
        if (m_rows.size() > mostRows)
            return badInput(fmt::format("{}: more than 65,536 threads; export a shorter trace", here()));
        if (isNew) {
            m_trace.rows.emplace_back();
            const json::Value *id = json::find(event, "tid");
            m_rowIds.push_back(id && id->is_string() ? thread : fmt::format("thread {} of process {}", thread, process));
        }
        return static_cast<std::uint16_t>(found->second);
    }

    Result<void> takeMetadata(const json::Value &event)
    {
        const json::Value *args = json::find(event, "args");
        if (idText(event, "name") != "thread_name" || !args)
            return {};
        ZIGZAG_TRY(row, rowOf(event));
        ZIGZAG_TRY(text, json::stringOr(*args, "name", {}, here()));
        m_trace.rows[row] = text;
        return {};
    }

    Result<void> takeComplete(const json::Value &event)
    {
        const std::string text = idText(event, "name"), category = m_isOurs ? idText(event, "cat") : std::string();
        if (category == "waiting") // a part of a collective, which says it itself
            return {};
        const auto op = m_isOurs && category != "kernel" ? findOp(text) : std::nullopt;
        const auto collective = category == "collective" ? findCollective(text) : std::nullopt;
        Event read;
        read.isSpan = op.has_value();
        read.isCollective = collective.has_value();
        if (!op && !collective) {
            ZIGZAG_TRY(name, nameIn(event));
            read.at.name = name;
        }
        ZIGZAG_TRY(row, rowOf(event));
        ZIGZAG_TRY(begin, json::numberIn(event, "ts", 0, latestUs, here()));
        ZIGZAG_TRY(duration, json::numberOr(event, "dur", 0, 0, longestUs, here()));
        read.at.row = row;
        read.at.beginUs = begin;
        read.at.durationNs = nanosecondsOf(duration);
        const json::Value *args = json::find(event, "args");
        if (op) {
            ZIGZAG_TRY(span, spanOf(*op, args, here()));
            read.span = static_cast<std::int32_t>(m_spans.size());
            m_spans.push_back(span);
        } else if (collective) {
            ZIGZAG_TRY(each, collectiveOf(*collective, args, here()));
            read.span = static_cast<std::int32_t>(m_collectives.size());
            m_collectives.push_back(each);
        } else if (m_isOurs) {
            read.span = launcherOf(args);
        }
        m_events.push_back(read);
        return {};
    }

    Result<void> takeEnd(const json::Value &event, bool isBegin)
    {
        EventEnd end{.isBegin = isBegin};
        if (isBegin) { // an end needs no name
            ZIGZAG_TRY(name, nameIn(event));
            end.name = name;
        }
        ZIGZAG_TRY(row, rowOf(event));
        ZIGZAG_TRY(at, json::numberIn(event, "ts", 0, latestUs, here()));
        end.lane = row;
        end.atUs = at;
        m_ends.push_back(end);
        return {};
    }

    Result<void> takeAsync(const json::Value &event, bool isBegin, const std::string &alsoBy)
    {
        const std::string id = asyncId(event), category = idText(event, "cat");
        if (id.empty()) {
            ++m_withoutId;
            return {};
        }
        std::uint32_t nameIndex = 0;
        if (isBegin) {
            ZIGZAG_TRY(name, nameIn(event));
            nameIndex = name;
        }
        ZIGZAG_TRY(at, json::numberIn(event, "ts", 0, latestUs, here()));
        m_async.add(isBegin, at, nameIndex, fmt::format("{}\n{}\n{}", category, id, alsoBy),
                    fmt::format("{}, asynchronous, of process {}", category, idText(event, "pid")));
        return {};
    }

    /// Other programs count from whenever they like, 1970 say; a trace begins with its first event.
    double firstUs() const
    {
        double first = m_isOurs || m_events.empty() ? 0.0 : latestUs;
        for (const Event &event : m_events)
            first = std::min(first, event.at.beginUs);
        return first;
    }

    void addCollective(const Event &event, std::int64_t beginNs)
    {
        CollectiveSpan each = m_collectives[static_cast<std::size_t>(event.span)];
        each.beginNs = beginNs;
        each.durationNs = event.at.durationNs;
        each.row = event.at.row;
        m_trace.collectives.push_back(each);
    }

    void pairThreads()
    {
        const Unmatched unmatched = pairEnds(m_ends, [this](const EventEnd &begin, const EventEnd &end, std::size_t) {
            m_events.push_back(
                {{begin.atUs, nanosecondsOf(end.atUs - begin.atUs), begin.name, static_cast<std::uint16_t>(begin.lane)}});
        });
        count(unmatched);
    }

    void placeAsync()
    {
        if (m_async.isEmpty())
            return;
        const std::size_t first = m_trace.rows.size();
        AsyncEvents::Placed placed = m_async.place(mostRows - first);
        for (TimedEvent &event : placed.events) {
            event.row = static_cast<std::uint16_t>(first + event.row);
            m_events.push_back({event});
        }
        for (std::string &name : placed.rows) {
            m_trace.rows.push_back(name);
            m_rowIds.push_back(std::move(name));
        }
        m_tooMany = placed.tooMany;
        count(placed.unmatched);
    }

    void count(const Unmatched &unmatched)
    {
        m_unmatched.begins += unmatched.begins;
        m_unmatched.ends += unmatched.ends;
    }

    Result<void> addSpan(const Event &event, std::int64_t beginNs)
    {
        TraceSpan span = m_spans[static_cast<std::size_t>(event.span)];
        span.beginNs = beginNs;
        span.durationNs = event.at.durationNs;
        span.row = event.at.row;
        auto &open = m_open[span.row];
        while (!open.empty() && m_trace.spans[static_cast<std::size_t>(open.back())].endNs() <= span.beginNs)
            open.pop_back();
        if (!open.empty()) {
            const TraceSpan &parent = m_trace.spans[static_cast<std::size_t>(open.back())];
            const auto at = [&] { return fmt::format("{}, \"{}\" at {} ns", m_where, nameOf(span.op), span.beginNs); };
            if (parent.endNs() < span.endNs())
                return badInput(fmt::format("{}: overlaps \"{}\" without lying in it; export it anew", at(), nameOf(parent.op)));
            if (open.size() > 254)
                return badInput(fmt::format("{}: more than 254 spans around it; export it anew", at()));
            span.parent = open.back();
            span.depth = static_cast<std::uint8_t>(open.size());
        }
        open.push_back(static_cast<std::int32_t>(m_trace.spans.size()));
        m_trace.spans.push_back(span);
        return {};
    }

    /// Threads that are named and did nothing.
    void dropEmptyRows()
    {
        std::vector<bool> isUsed(m_trace.rows.size());
        for (const KernelSpan &kernel : m_trace.kernels)
            isUsed[kernel.row] = true;
        std::vector<std::uint16_t> now(isUsed.size());
        std::size_t used = 0;
        for (std::size_t row = 0; row < isUsed.size(); ++row)
            if (isUsed[row]) {
                now[row] = static_cast<std::uint16_t>(used);
                std::swap(m_trace.rows[used], m_trace.rows[row]);
                std::swap(m_rowIds[used++], m_rowIds[row]);
            }
        m_trace.rows.resize(used);
        for (KernelSpan &kernel : m_trace.kernels)
            kernel.row = now[kernel.row];
    }

    void nameRows()
    {
        for (std::size_t i = 0; i < m_trace.rows.size(); ++i)
            if (m_trace.rows[i].empty())
                m_trace.rows[i] = m_isOurs ? fmt::format("row {}", i) : m_rowIds[i];
    }

    /// What is not shown of a foreign file, counted.
    std::string note(const EventDocument &document) const
    {
        std::vector<std::string> parts;
        const auto say = [&](std::int64_t number, std::string_view what) {
            if (number > 0)
                parts.push_back(fmt::format("{} {}", number, what));
        };
        std::int64_t others = 0;
        for (const auto &[letter, number] : m_skipped)
            others += number;
        for (const Skipped &kind : skippedKinds) {
            std::int64_t number = 0;
            for (const char letter : kind.phases)
                if (const auto found = m_skipped.find(letter); found != m_skipped.end())
                    number += found->second;
            say(number, kind.name);
            others -= number;
        }
        say(others, "events of other phases");
        say(m_unmatched.begins, "begins without an end");
        say(m_unmatched.ends, "ends without a begin");
        say(m_withoutId, "asynchronous events without an id");
        say(m_tooMany, "asynchronous events beyond 65,536 rows");
        say(document.isCut, "event that is cut off at the end of the file");
        return parts.empty() ? std::string() : fmt::format("not shown: {}", fmt::join(parts, ", "));
    }

    const std::string &m_where;
    const bool m_isOurs;
    Trace m_trace;
    std::size_t m_count = 0;
    std::vector<Event> m_events;
    std::vector<TraceSpan> m_spans; ///< what the arguments of this program's events say
    std::vector<CollectiveSpan> m_collectives; ///< likewise
    std::vector<EventEnd> m_ends;
    AsyncEvents m_async;
    std::unordered_map<std::string, std::size_t> m_rows;
    std::vector<std::string> m_rowIds; ///< [rows]: names of those that have none
    std::unordered_map<std::string, std::uint32_t> m_names;
    std::map<std::uint16_t, std::vector<std::int32_t>> m_open;
    std::map<char, std::int64_t> m_skipped; ///< by phase
    Unmatched m_unmatched;
    std::int64_t m_withoutId = 0, m_tooMany = 0;
};

struct Read {
    EventDocument document;
    std::unique_ptr<ChromeReader> reader;
};

Result<Read> readEvents(std::string_view text, const std::string &where, bool isOurs)
{
    auto reader = std::make_unique<ChromeReader>(where, isOurs);
    ZIGZAG_TRY(document, readEventDocument(text, where, [&](const json::Value &event) { return reader->take(event); }));
    return Read{std::move(document), std::move(reader)};
}

const json::Value *ownInfo(const EventDocument &document)
{
    const json::Value *other = json::find(document.rest, "otherData");
    return other ? json::find(*other, "zigzag") : nullptr;
}

} // namespace

Result<Trace> readChromeTrace(std::string_view text, const std::string &where)
{
    // This program says in front of the events that they are its own; another program that wrote them anew may have moved it.
    constexpr std::size_t front = 1 << 16;
    const bool looksOurs = text.substr(0, front).find("\"zigzag\"") != std::string_view::npos;
    const auto is = [](const Result<Read> &read, bool ours) { return read && (ownInfo(read->document) != nullptr) == ours; };
    auto read = readEvents(text, where, looksOurs);
    if (!is(read, looksOurs)) {
        auto again = readEvents(text, where, !looksOurs);
        if (read || is(again, !looksOurs))
            read = std::move(again);
    }
    if (!read)
        return tl::unexpected(std::move(read.error()));
    const EventDocument &document = read->document;
    if (!document.hasEvents) {
        ZIGZAG_TRY(list, json::arrayIn(document.rest, "traceEvents", where));
        return badInput(fmt::format("{}: \"traceEvents\" has {} entries; export the trace anew", where, list->size()));
    }
    TraceInfo info;
    std::int64_t dropped = 0;
    if (const json::Value *own = ownInfo(document)) {
        ZIGZAG_TRY(readBack, readInfo(*own, where));
        info = readBack;
        ZIGZAG_TRY(number, json::integerOr(*json::find(document.rest, "otherData"), "dropped", 0, 0, most, where));
        dropped = number;
    }
    return read->reader->finish(document, std::move(info), dropped);
}

} // namespace zigzag
