// SPDX-License-Identifier: GPL-3.0-or-later
// Trace Event Format (Google, 2016): complete events in microseconds, metadata events for names.
#include "profiler/trace/chrome_writer.h"

#include "engine/base/files.h"
#include "profiler/trace/trace_info_json.h"

#include <fmt/format.h>
#include <iterator>

namespace zigzag {
namespace {

constexpr std::size_t flushAt = 1 << 20;

/// A rank is a process, which its rows are threads of.
std::size_t processOf(const Trace &trace, std::size_t row)
{
    return trace.info.gpus > 1 ? row + 1 : 1;
}

/// Nanoseconds as microseconds with three decimals.
std::string microseconds(std::int64_t ns)
{
    return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

} // namespace

Result<void> writeChromeTrace(const Trace &trace, const std::filesystem::path &file)
{
    ZIGZAG_TRY(out, AtomicFile::create(file));
    std::string text
        = fmt::format("{{\"displayTimeUnit\": \"ns\",\n\"otherData\": {{\"zigzag\": {}, \"dropped\": {}}},\n\"traceEvents\": [\n",
                      infoJson(trace.info).dump(-1, ' ', false, json::Value::error_handler_t::replace), trace.dropped);
    const std::string run
        = fmt::format("{}, {}, {} at {}", trace.info.model, trace.info.map, nameOf(trace.info.phase), trace.info.context);
    for (int rank = 0; rank < trace.info.gpus; ++rank)
        text += fmt::format("{}{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{},\"tid\":0,\"args\":{{\"name\":{}}}}}",
                            rank == 0 ? "" : ",\n", rank + 1,
                            quoted(trace.info.gpus == 1 ? run : fmt::format("rank {}: {}", rank, run)));
    for (std::size_t i = 0; i < trace.rows.size(); ++i)
        text += fmt::format(",\n{{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":{}}}}}",
                            processOf(trace, i), i, quoted(trace.rows[i]));
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
                       ",\n{{\"ph\":\"X\",\"name\":\"{}\",\"cat\":\"{}\",\"pid\":{},\"tid\":{},\"ts\":{},\"dur\":{},\"args\":{{{}"
                       "\"bytes\":{},\"flops\":{},\"tokens\":{},\"position\":{},\"floor_us\":{}}}}}",
                       nameOf(span.op), inLayer ? kindName(span) : "outside", processOf(trace, span.row), span.row,
                       microseconds(span.beginNs), microseconds(span.durationNs),
                       inLayer ? fmt::format("\"layer\":{},\"type\":\"{}\",", span.layer, kindName(span)) : std::string(),
                       span.bytes, span.flops, span.tokens, span.firstPosition, static_cast<double>(span.floorNs) / 1e3);
        ZIGZAG_CHECK(flush(flushAt));
    }
    for (const KernelSpan &kernel : trace.kernels) {
        fmt::format_to(std::back_inserter(text),
                       ",\n{{\"ph\":\"X\",\"name\":{},\"cat\":\"kernel\",\"pid\":{},\"tid\":{},\"ts\":{},\"dur\":{},"
                       "\"args\":{{\"span\":{}}}}}",
                       quoted(trace.kernelNames[kernel.name]), processOf(trace, kernel.row), kernel.row,
                       microseconds(kernel.beginNs), microseconds(kernel.durationNs), kernel.span);
        ZIGZAG_CHECK(flush(flushAt));
    }
    for (const CollectiveSpan &each : trace.collectives) {
        const std::string place
            = fmt::format("\"pid\":{},\"tid\":{},\"ts\":{}", processOf(trace, each.row), each.row, microseconds(each.beginNs));
        fmt::format_to(std::back_inserter(text),
                       ",\n{{\"ph\":\"X\",\"name\":\"{}\",\"cat\":\"collective\",{},\"dur\":{},"
                       "\"args\":{{\"span\":{},\"bytes\":{},\"wait_us\":{}}}}}",
                       nameOf(each.kind), place, microseconds(each.durationNs), each.span, each.bytes, microseconds(each.waitNs));
        if (each.waitNs > 0)
            fmt::format_to(std::back_inserter(text),
                           ",\n{{\"ph\":\"X\",\"name\":\"waiting\",\"cat\":\"waiting\",{},\"dur\":{},\"args\":{{}}}}", place,
                           microseconds(each.waitNs));
        ZIGZAG_CHECK(flush(flushAt));
    }
    text += "\n]}\n";
    ZIGZAG_CHECK(flush(0));
    return out.commit();
}

} // namespace zigzag
