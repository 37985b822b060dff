// SPDX-License-Identifier: GPL-3.0-or-later
// Trace Event Format (Google, 2016): complete events in microseconds, metadata events for names.
#include "engine/base/files.h"
#include "profiler/trace/trace_file.h"
#include "profiler/trace/trace_info_json.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

namespace zigzag {
namespace {

constexpr std::size_t flushAt = 1 << 20;
constexpr std::int64_t most = std::int64_t{1} << 62;
constexpr double latestUs = 9007199254740992.0; ///< 2^53: the year 2255, for other programs count from 1970
constexpr double longestUs = static_cast<double>(latestTraceNs) / 1e3;

/// Nanoseconds as microseconds with three decimals.
std::string microseconds(std::int64_t ns)
{
    return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

/// One complete event as it was read.
struct Event {
    double beginUs = 0; ///< as it stands in the file
    std::int64_t beginNs = 0, durationNs = 0;
    std::uint16_t row = 0;
    bool isKernel = false; ///< says so, whatever its name
    const std::string *name = nullptr;
    const json::Value *args = nullptr; ///< null when it has none
};

class ChromeReader
{
public:
    explicit ChromeReader(const std::string &where)
        : m_where(where)
    { }

    Result<Trace> read(const json::Value &document)
    {
        const json::Value *list = &document;
        bool isOurs = false;
        if (document.is_object()) {
            ZIGZAG_TRY(events, json::arrayIn(document, "traceEvents", m_where));
            list = events;
            if (const json::Value *other = json::find(document, "otherData"))
                if (const json::Value *info = json::find(*other, "zigzag")) {
                    ZIGZAG_TRY(readBack, readInfo(*info, m_where));
                    m_trace.info = readBack;
                    isOurs = true;
                    ZIGZAG_TRY(dropped, json::integerOr(*other, "dropped", 0, 0, most, m_where));
                    m_trace.dropped = dropped;
                }
        }
        for (const json::Value &value : *list)
            ZIGZAG_CHECK(readEvent(value));
        setBeginnings(isOurs);
        std::stable_sort(m_events.begin(), m_events.end(), [](const Event &a, const Event &b) {
            return a.beginNs != b.beginNs ? a.beginNs < b.beginNs : a.durationNs > b.durationNs;
        });
        for (const Event &event : m_events)
            ZIGZAG_CHECK(place(event));
        for (std::size_t i = 0; i < m_trace.rows.size(); ++i)
            if (m_trace.rows[i].empty())
                m_trace.rows[i] = fmt::format("row {}", i);
        return std::move(m_trace);
    }

private:
    std::string here() const { return fmt::format("{}, event {}", m_where, m_count - 1); }

    /// Other programs count from whenever they like, 1970 say; a trace begins with its first event.
    void setBeginnings(bool asTheyAre)
    {
        double origin = asTheyAre || m_events.empty() ? 0.0 : latestUs;
        for (const Event &event : m_events)
            origin = std::min(origin, event.beginUs);
        for (Event &event : m_events)
            event.beginNs = std::llround((event.beginUs - origin) * 1e3);
    }

    Result<void> readEvent(const json::Value &value)
    {
        ++m_count;
        if (!value.is_object())
            return badInput(fmt::format("{}: must be an object; export the trace anew", here()));
        ZIGZAG_TRY(phase, json::stringIn(value, "ph", here()));
        const bool isName = phase == "M";
        if (phase != "X" && !isName) // counters, flows, instants: nothing that lasts
            return {};
        const json::Value *name = json::find(value, "name");
        if (!name || !name->is_string())
            return badInput(fmt::format("{}: \"name\" is missing; export the trace anew", here()));
        ZIGZAG_TRY(row, rowOf(value));
        const json::Value *args = json::find(value, "args");
        if (isName) {
            if (*name == "thread_name" && args) {
                ZIGZAG_TRY(text, json::stringOr(*args, "name", {}, here()));
                m_trace.rows[row] = text;
            }
            return {};
        }
        ZIGZAG_TRY(begin, json::numberIn(value, "ts", 0, latestUs, here()));
        ZIGZAG_TRY(duration, json::numberOr(value, "dur", 0, 0, longestUs, here()));
        Event event;
        event.beginUs = begin;
        event.durationNs = std::llround(duration * 1e3);
        event.row = row;
        const json::Value *category = json::find(value, "cat");
        event.isKernel = category && *category == "kernel";
        event.name = &name->get_ref<const std::string &>();
        event.args = args;
        m_events.push_back(event);
        return {};
    }

    /// A row for each pair of process and thread, in the order of their appearance.
    Result<std::uint16_t> rowOf(const json::Value &value)
    {
        const auto id = [&](std::string_view key) {
            const json::Value *number = json::find(value, key);
            return number ? number->dump() : std::string();
        };
        const auto [found, isNew] = m_rows.emplace(id("pid") + '/' + id("tid"), m_rows.size());
        if (m_rows.size() > 1 << 16)
            return badInput(fmt::format("{}: more than 65,536 threads; export a shorter trace", here()));
        if (isNew)
            m_trace.rows.emplace_back();
        return static_cast<std::uint16_t>(found->second);
    }

    Result<void> place(const Event &event)
    {
        const auto op = findOp(*event.name);
        return op && !event.isKernel ? addSpan(event, *op) : addKernel(event);
    }

    Result<void> addSpan(const Event &event, Op op)
    {
        const std::string at = fmt::format("{}, \"{}\" at {} ns", m_where, *event.name, event.beginNs);
        TraceSpan span;
        span.beginNs = event.beginNs;
        span.durationNs = event.durationNs;
        span.row = event.row;
        span.op = op;
        if (event.args) {
            const json::Value &args = *event.args;
            ZIGZAG_TRY(layer, json::integerOr(args, "layer", -1, -1, (1 << 15) - 1, at));
            ZIGZAG_TRY(type, json::stringOr(args, "type", "retrieval", at));
            ZIGZAG_TRY(bytes, json::integerOr(args, "bytes", 0, 0, most, at));
            ZIGZAG_TRY(flops, json::integerOr(args, "flops", 0, 0, most, at));
            ZIGZAG_TRY(tokens, json::integerOr(args, "tokens", 0, 0, (std::int64_t{1} << 31) - 1, at));
            ZIGZAG_TRY(position, json::integerOr(args, "position", 0, 0, (std::int64_t{1} << 31) - 1, at));
            ZIGZAG_TRY(floor, json::numberOr(args, "floor_us", 0, 0, longestUs, at));
            const auto kind = findLayerKind(type);
            if (!kind)
                return badInput(fmt::format("{}: '{}' is no type of layer; export it anew", at, json::printable(type)));
            span.layer = static_cast<std::int16_t>(layer);
            span.kind = *kind;
            span.bytes = bytes;
            span.flops = flops;
            span.tokens = static_cast<std::int32_t>(tokens);
            span.firstPosition = static_cast<std::int32_t>(position);
            span.floorNs = static_cast<float>(1e3 * floor);
        }
        auto &open = m_open[event.row];
        while (!open.empty() && m_trace.spans[static_cast<std::size_t>(open.back())].endNs() <= span.beginNs)
            open.pop_back();
        if (!open.empty()) {
            const TraceSpan &parent = m_trace.spans[static_cast<std::size_t>(open.back())];
            if (parent.endNs() < span.endNs())
                return badInput(fmt::format("{}: overlaps \"{}\" without lying in it; export it anew", at, nameOf(parent.op)));
            if (open.size() > 254)
                return badInput(fmt::format("{}: more than 254 spans around it; export it anew", at));
            span.parent = open.back();
            span.depth = static_cast<std::uint8_t>(open.size());
        }
        open.push_back(static_cast<std::int32_t>(m_trace.spans.size()));
        m_trace.spans.push_back(span);
        return {};
    }

    Result<void> addKernel(const Event &event)
    {
        KernelSpan kernel;
        kernel.beginNs = event.beginNs;
        kernel.durationNs = event.durationNs;
        kernel.row = event.row;
        const auto [found, isNew] = m_names.emplace(*event.name, static_cast<std::uint32_t>(m_names.size()));
        if (isNew)
            m_trace.kernelNames.push_back(*event.name);
        kernel.name = found->second;
        if (event.args) {
            // Foreign traces may have a "span" of their own meaning: only an index that there is counts.
            const json::Value *span = json::find(*event.args, "span");
            if (span && span->is_number_integer() && !span->is_number_float()) {
                const auto index = span->get<std::int64_t>();
                if (index >= 0 && index < static_cast<std::int64_t>(m_events.size()))
                    kernel.span = static_cast<std::int32_t>(index);
            }
        }
        m_trace.kernels.push_back(kernel);
        return {};
    }

    const std::string &m_where;
    Trace m_trace;
    std::size_t m_count = 0;
    std::vector<Event> m_events;
    std::unordered_map<std::string, std::size_t> m_rows;
    std::unordered_map<std::string, std::uint32_t> m_names;
    std::map<std::uint16_t, std::vector<std::int32_t>> m_open;
};

} // namespace

Result<Trace> readChromeTrace(const json::Value &document, const std::string &where)
{
    ZIGZAG_TRY(trace, ChromeReader(where).read(document));
    for (KernelSpan &kernel : trace.kernels)
        if (kernel.span >= static_cast<std::int64_t>(trace.spans.size()))
            kernel.span = -1;
    return std::move(trace);
}

Result<void> writeChromeTrace(const Trace &trace, const std::filesystem::path &file)
{
    ZIGZAG_TRY(out, AtomicFile::create(file));
    std::string text = fmt::format(
        "{{\"displayTimeUnit\": \"ns\",\n\"otherData\": {{\"zigzag\": {}, \"dropped\": {}}},\n\"traceEvents\": [\n"
        "{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"tid\":0,\"args\":{{\"name\":{}}}}}",
        infoJson(trace.info).dump(-1, ' ', false, json::Value::error_handler_t::replace), trace.dropped,
        quoted(fmt::format("{}, {}, {} at {}", trace.info.model, trace.info.map, nameOf(trace.info.phase), trace.info.context)));
    for (std::size_t i = 0; i < trace.rows.size(); ++i)
        text += fmt::format(",\n{{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":{},\"args\":{{\"name\":{}}}}}", i,
                            quoted(trace.rows[i]));
    const auto flush = [&](std::size_t above) -> Result<void> {
        if (text.size() <= above)
            return {};
        ZIGZAG_CHECK(out.write(text));
        text.clear();
        return {};
    };
    for (const TraceSpan &span : trace.spans) {
        const bool inLayer = span.layer >= 0;
        fmt::format_to(std::back_inserter(text),
                       ",\n{{\"ph\":\"X\",\"name\":\"{}\",\"cat\":\"{}\",\"pid\":1,\"tid\":{},\"ts\":{},\"dur\":{},\"args\":{{{}"
                       "\"bytes\":{},\"flops\":{},\"tokens\":{},\"position\":{},\"floor_us\":{}}}}}",
                       nameOf(span.op), inLayer ? kindName(span) : "outside", span.row, microseconds(span.beginNs),
                       microseconds(span.durationNs),
                       inLayer ? fmt::format("\"layer\":{},\"type\":\"{}\",", span.layer, kindName(span)) : std::string(),
                       span.bytes, span.flops, span.tokens, span.firstPosition, static_cast<double>(span.floorNs) / 1e3);
        ZIGZAG_CHECK(flush(flushAt));
    }
    for (const KernelSpan &kernel : trace.kernels) {
        fmt::format_to(std::back_inserter(text),
                       ",\n{{\"ph\":\"X\",\"name\":{},\"cat\":\"kernel\",\"pid\":1,\"tid\":{},\"ts\":{},\"dur\":{},"
                       "\"args\":{{\"span\":{}}}}}",
                       quoted(trace.kernelNames[kernel.name]), kernel.row, microseconds(kernel.beginNs),
                       microseconds(kernel.durationNs), kernel.span);
        ZIGZAG_CHECK(flush(flushAt));
    }
    text += "\n]}\n";
    ZIGZAG_CHECK(flush(0));
    return out.commit();
}

} // namespace zigzag
