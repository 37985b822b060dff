// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace_file.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/base/gzip.h"
#include "profiler/trace/chrome_reader.h"
#include "profiler/trace/trace_info_json.h"

#include <array>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>

namespace zigzag {
namespace {

constexpr std::string_view formatName = "zigzag-trace";
constexpr int formatVersion = 1;
constexpr std::size_t flushAt = 1 << 20;
constexpr std::int64_t most = std::int64_t{1} << 62;

/// What spans have in common.
using Shape = std::tuple<Op, int, LayerKind, std::uint16_t, int, std::int32_t, std::int64_t, std::int64_t, float>;
Shape shapeOf(const TraceSpan &span)
{
    return {span.op, span.layer, span.kind, span.row, span.depth, span.tokens, span.bytes, span.flops, span.floorNs};
}

/// Text that goes to the file in large pieces; without one, all of it stays here.
struct Writer {
    std::optional<AtomicFile> file;
    std::string buffer;

    template <class... Args> void put(fmt::format_string<Args...> format, Args &&...args)
    {
        fmt::format_to(std::back_inserter(buffer), format, std::forward<Args>(args)...);
    }
    Result<void> flush(std::size_t above = 0)
    {
        if (!file || buffer.size() <= above)
            return {};
        ZIGZAG_CHECK(file->write(buffer));
        buffer.clear();
        return {};
    }
};

/// Rows of integers as long as `width`, one array after the other.
template <std::size_t width>
Result<std::array<std::int64_t, width>> integers(const json::Value &row, const std::string &what, const std::string &where)
{
    if (!row.is_array() || row.size() != width)
        return badInput(fmt::format("{}: {} must be {} integers; record the trace anew", where, what, width));
    std::array<std::int64_t, width> out{};
    for (std::size_t i = 0; i < width; ++i) {
        ZIGZAG_TRY(value, json::asInteger(row[i], what, -most, most, where));
        out[i] = value;
    }
    return out;
}

Result<std::vector<std::string>> strings(const json::Value &document, std::string_view key, std::size_t limit,
                                         const std::string &where)
{
    ZIGZAG_TRY(list, json::arrayIn(document, key, where));
    if (list->size() > limit)
        return badInput(fmt::format("{}: \"{}\" has {} entries, and at most {} are read; record a shorter run", where, key,
                                    list->size(), limit));
    std::vector<std::string> out;
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(text, json::asString(entry, fmt::format("an entry of \"{}\"", key), where));
        out.push_back(std::move(text));
    }
    return out;
}

Result<TraceSpan> readShape(const json::Value &value, std::size_t index, const std::string &where)
{
    const std::string here = fmt::format("{}, shape {}", where, index);
    TraceSpan span;
    ZIGZAG_TRY(opName, json::stringIn(value, "op", here));
    const auto op = findOp(opName);
    if (!op)
        return badInput(fmt::format("{}: '{}' is no op that this version knows; record it anew", here, json::printable(opName)));
    ZIGZAG_TRY(layer, json::integerOr(value, "layer", -1, -1, (1 << 15) - 1, here));
    ZIGZAG_TRY(kindText, json::stringOr(value, "type", "retrieval", here));
    const auto kind = findLayerKind(kindText);
    if (!kind)
        return badInput(fmt::format("{}: '{}' is no type of layer; record it anew", here, json::printable(kindText)));
    ZIGZAG_TRY(row, json::integerOr(value, "row", 0, 0, (1 << 16) - 1, here));
    ZIGZAG_TRY(depth, json::integerOr(value, "depth", 0, 0, 254, here));
    ZIGZAG_TRY(tokens, json::integerOr(value, "tokens", 0, 0, (std::int64_t{1} << 31) - 1, here));
    ZIGZAG_TRY(bytes, json::integerOr(value, "bytes", 0, 0, most, here));
    ZIGZAG_TRY(flops, json::integerOr(value, "flops", 0, 0, most, here));
    ZIGZAG_TRY(floor, json::numberOr(value, "floor_ns", 0, 0, static_cast<double>(latestTraceNs), here));
    span.op = *op;
    span.layer = static_cast<std::int16_t>(layer);
    span.kind = *kind;
    span.row = static_cast<std::uint16_t>(row);
    span.depth = static_cast<std::uint8_t>(depth);
    span.tokens = static_cast<std::int32_t>(tokens);
    span.bytes = bytes;
    span.flops = flops;
    span.floorNs = static_cast<float>(floor);
    return span;
}

/// Spans are in the order of their beginning, so a span's depth says which one is its parent.
Result<void> readSpans(const json::Value &list, const std::vector<TraceSpan> &shapes, Trace &trace, const std::string &where)
{
    std::map<std::uint16_t, std::vector<std::int32_t>> open; // by row: the last span of each depth
    std::int64_t begin = 0;
    trace.spans.reserve(list.size());
    for (const json::Value &entry : list) {
        const std::string what = fmt::format("span {}", trace.spans.size());
        ZIGZAG_TRY(row, integers<4>(entry, what, where)); // begin after the one before, duration, shape, position
        if (row[0] < -latestTraceNs || row[0] > latestTraceNs || row[2] < 0 || row[2] >= static_cast<std::int64_t>(shapes.size())
            || row[3] < 0 || row[3] >= std::int64_t{1} << 31)
            return badInput(fmt::format("{}: {} is out of bounds; record the trace anew", where, what));
        TraceSpan span = shapes[static_cast<std::size_t>(row[2])];
        begin += row[0];
        if (begin < 0 || begin > latestTraceNs)
            return badInput(fmt::format("{}: {} begins out of bounds; record the trace anew", where, what));
        span.beginNs = begin;
        span.durationNs = row[1];
        span.firstPosition = static_cast<std::int32_t>(row[3]);
        auto &stack = open[span.row];
        if (span.depth > stack.size())
            return badInput(fmt::format("{}: {} is deeper than anything around it; record the trace anew", where, what));
        stack.resize(span.depth);
        span.parent = stack.empty() ? -1 : stack.back();
        stack.push_back(static_cast<std::int32_t>(trace.spans.size()));
        trace.spans.push_back(span);
    }
    return {};
}

Result<void> readKernels(const json::Value &list, Trace &trace, const std::string &where)
{
    std::int64_t begin = 0;
    trace.kernels.reserve(list.size());
    for (const json::Value &entry : list) {
        const std::string what = fmt::format("kernel {}", trace.kernels.size());
        ZIGZAG_TRY(row, integers<5>(entry, what, where)); // begin, duration, name, span, row
        if (row[0] < -latestTraceNs || row[0] > latestTraceNs || row[2] < 0 || row[2] >= std::int64_t{1} << 32 || row[3] < -1
            || row[3] >= std::int64_t{1} << 31 || row[4] < 0 || row[4] >= 1 << 16)
            return badInput(fmt::format("{}: {} is out of bounds; record the trace anew", where, what));
        begin += row[0];
        if (begin < 0 || begin > latestTraceNs)
            return badInput(fmt::format("{}: {} begins out of bounds; record the trace anew", where, what));
        trace.kernels.push_back({begin, row[1], static_cast<std::uint32_t>(row[2]), static_cast<std::int32_t>(row[3]),
                                 static_cast<std::uint16_t>(row[4])});
    }
    return {};
}

Result<void> readCollectives(const json::Value &list, Trace &trace, const std::string &where)
{
    std::int64_t begin = 0;
    trace.collectives.reserve(list.size());
    for (const json::Value &entry : list) {
        const std::string what = fmt::format("collective {}", trace.collectives.size());
        ZIGZAG_TRY(row, integers<7>(entry, what, where)); // begin after the one before, duration, wait, bytes, span, row, kind
        if (row[0] < -latestTraceNs || row[0] > latestTraceNs || row[4] < -1 || row[4] >= std::int64_t{1} << 31 || row[5] < 0
            || row[5] >= 1 << 16 || row[6] < 0 || row[6] > static_cast<std::int64_t>(CollectiveKind::Gather))
            return badInput(fmt::format("{}: {} is out of bounds; record the trace anew", where, what));
        begin += row[0];
        if (begin < 0 || begin > latestTraceNs)
            return badInput(fmt::format("{}: {} begins out of bounds; record the trace anew", where, what));
        trace.collectives.push_back({begin, row[1], row[2], row[3], static_cast<std::int32_t>(row[4]),
                                     static_cast<std::uint16_t>(row[5]), static_cast<CollectiveKind>(row[6])});
    }
    return {};
}

Result<Trace> readZigzagTrace(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_CHECK(json::checkFormat(document, formatName, formatVersion, where));
    Trace trace;
    ZIGZAG_TRY(info, json::objectIn(document, "info", where));
    ZIGZAG_TRY(readBack, readInfo(*info, where));
    trace.info = readBack;
    ZIGZAG_TRY(rows, strings(document, "rows", 1 << 16, where));
    ZIGZAG_TRY(kernelNames, strings(document, "kernel_names", 1 << 24, where));
    trace.rows = rows;
    trace.kernelNames = kernelNames;
    ZIGZAG_TRY(dropped, json::integerOr(document, "dropped", 0, 0, most, where));
    trace.dropped = dropped;
    ZIGZAG_TRY(shapeList, json::arrayIn(document, "shapes", where));
    std::vector<TraceSpan> shapes;
    for (const json::Value &entry : *shapeList) {
        ZIGZAG_TRY(shape, readShape(entry, shapes.size(), where));
        shapes.push_back(shape);
    }
    ZIGZAG_TRY(spans, json::arrayIn(document, "spans", where));
    ZIGZAG_CHECK(readSpans(*spans, shapes, trace, where));
    ZIGZAG_TRY(kernels, json::arrayIn(document, "kernels", where));
    ZIGZAG_CHECK(readKernels(*kernels, trace, where));
    if (document.contains("collectives")) { // of several ranks alone
        ZIGZAG_TRY(collectives, json::arrayIn(document, "collectives", where));
        ZIGZAG_CHECK(readCollectives(*collectives, trace, where));
    }
    return trace;
}

Result<void> put(const Trace &trace, Writer &out)
{
    out.put("{{\"format\": \"{}\", \"version\": {},\n \"info\": {},\n \"dropped\": {},\n \"rows\": {},\n \"kernel_names\": {},\n",
            formatName, formatVersion, infoJson(trace.info).dump(-1, ' ', false, json::Value::error_handler_t::replace),
            trace.dropped, json::Value(trace.rows).dump(-1, ' ', false, json::Value::error_handler_t::replace),
            json::Value(trace.kernelNames).dump(-1, ' ', false, json::Value::error_handler_t::replace));
    std::map<Shape, std::size_t> index;
    std::vector<std::size_t> ofSpan;
    ofSpan.reserve(trace.spans.size());
    out.put(" \"shapes\": [");
    for (const TraceSpan &span : trace.spans) {
        const auto [found, isNew] = index.emplace(shapeOf(span), index.size());
        ofSpan.push_back(found->second);
        if (!isNew)
            continue;
        out.put("{}\n  {{\"op\": \"{}\", \"layer\": {}, \"type\": \"{}\", \"row\": {}, \"depth\": {}, \"tokens\": {}, "
                "\"bytes\": {}, \"flops\": {}, \"floor_ns\": {}}}",
                found->second == 0 ? "" : ",", nameOf(span.op), span.layer, kindName(span.kind), span.row, span.depth,
                span.tokens, span.bytes, span.flops, span.floorNs);
        ZIGZAG_CHECK(out.flush(flushAt));
    }
    out.put("],\n \"spans\": [");
    std::int64_t before = 0;
    for (std::size_t i = 0; i < trace.spans.size(); ++i) {
        const TraceSpan &span = trace.spans[i];
        out.put("{}\n  [{},{},{},{}]", i == 0 ? "" : ",", span.beginNs - before, span.durationNs, ofSpan[i], span.firstPosition);
        before = span.beginNs;
        ZIGZAG_CHECK(out.flush(flushAt));
    }
    out.put("],\n \"kernels\": [");
    before = 0;
    for (std::size_t i = 0; i < trace.kernels.size(); ++i) {
        const KernelSpan &kernel = trace.kernels[i];
        out.put("{}\n  [{},{},{},{},{}]", i == 0 ? "" : ",", kernel.beginNs - before, kernel.durationNs, kernel.name, kernel.span,
                kernel.row);
        before = kernel.beginNs;
        ZIGZAG_CHECK(out.flush(flushAt));
    }
    out.put("]");
    before = 0;
    for (std::size_t i = 0; i < trace.collectives.size(); ++i) {
        const CollectiveSpan &each = trace.collectives[i];
        out.put("{}\n  [{},{},{},{},{},{},{}]", i == 0 ? ",\n \"collectives\": [" : ",", each.beginNs - before, each.durationNs,
                each.waitNs, each.bytes, each.span, each.row, static_cast<int>(each.kind));
        before = each.beginNs;
        ZIGZAG_CHECK(out.flush(flushAt));
    }
    if (!trace.collectives.empty())
        out.put("]");
    out.put("}}\n");
    return out.flush();
}

} // namespace

Result<void> writeTrace(const Trace &trace, const std::filesystem::path &file)
{
    ZIGZAG_TRY(target, AtomicFile::create(file));
    Writer out{std::move(target), {}};
    ZIGZAG_CHECK(put(trace, out));
    return out.file->commit();
}

std::string traceText(const Trace &trace)
{
    Writer out;
    static_cast<void>(put(trace, out)); // only writing to a file can fail
    return std::move(out.buffer);
}

Result<Trace> readTrace(const std::filesystem::path &file)
{
    ZIGZAG_TRY(text, readTextFile(file, largestTraceFile));
    return traceFrom(std::move(text), file.string());
}

Result<Trace> traceFrom(std::string text, const std::string &where)
{
    const bool packed = isGzip(text);
    if (packed) {
        ZIGZAG_TRY(unpacked, gunzip(text, largestTraceFile, where));
        text = std::move(unpacked);
    }
    const FileKind kind{contentOf(text), packed};
    if (!isTrace(kind.content))
        return wrongContent(where, kind, "a trace");
    auto trace = kind.content == FileContent::ChromeTrace ? readChromeTrace(text, where) : readZigzagTrace(text, where);
    if (!trace)
        return trace;
    if (const std::string fault = traceFault(*trace); !fault.empty())
        return badInput(fmt::format("{}: {}; record the trace anew", where, fault));
    if (trace->spans.empty() && trace->kernels.empty()) {
        const std::string &note = trace->info.note;
        return badInput(fmt::format("{}: a trace without any event that lasts{}; record it anew", where,
                                    note.empty() ? note : fmt::format(" ({})", note)));
    }
    return trace;
}

} // namespace zigzag
