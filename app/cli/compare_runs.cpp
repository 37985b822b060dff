// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare_runs.h"
#include "app/cli/op_table_text.h"
#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "profiler/bench_file.h"
#include "profiler/compare.h"
#include "profiler/trace/trace_file.h"

#include <fmt/format.h>

namespace zigzag {
namespace {

enum class Content { Trace, Records };

/// What a file holds, by its content.
Result<Content> contentOf(const std::string &file)
{
    ZIGZAG_TRY(text, readTextFile(file));
    ZIGZAG_TRY(document, json::parse(text, file));
    if (document.is_array() || json::find(document, "traceEvents"))
        return Content::Trace;
    const json::Value *format = json::find(document, "format");
    if (format && *format == "zigzag-trace")
        return Content::Trace;
    if (format && (*format == "zigzag-bench" || *format == "zigzag-prediction"))
        return Content::Records;
    return badInput(fmt::format("{}: is no head map, trace, or JSON of bench or predict; give two of one of these", file));
}

/// One side of the comparison, as a line above the table.
std::string describe(const Trace &trace)
{
    const TraceInfo &info = trace.info;
    return fmt::format("{}, {}, {} at {}{}{}", info.model, info.map, nameOf(info.phase), info.context,
                       info.batch == 1 ? std::string() : fmt::format(" x {}", info.batch), info.predicted ? " (predicted)" : "");
}

std::string describe(const BenchFile &file)
{
    return fmt::format("{} on {}, zigzag {}{}", file.model, file.machine.device, file.machine.build,
                       file.predicted ? " (predicted)" : "");
}

std::string ms(double value, const std::optional<double> &spread, bool predicted)
{
    if (predicted)
        return fmt::format("~{:.4f}", value);
    return spread ? fmt::format("{:.4f} ± {:.4f}", value, *spread) : fmt::format("{:.4f}", value);
}

std::string padded(const std::string &text, std::size_t width, bool right)
{
    const std::string blanks(width - std::min(width, columnsOf(text)), ' ');
    return right ? blanks + text : text + blanks;
}

void print(const std::vector<Difference> &rows, const std::string &a, const std::string &b, bool predictedA, bool predictedB,
           const RunComparison &options)
{
    if (options.json) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const Difference &row : rows) {
            nlohmann::ordered_json entry = {{"name", row.name}};
            entry["a_ms"] = row.onlyB ? nlohmann::ordered_json() : nlohmann::ordered_json(row.a);
            entry["b_ms"] = row.onlyA ? nlohmann::ordered_json() : nlohmann::ordered_json(row.b);
            entry["a_spread_ms"] = row.spreadA ? nlohmann::ordered_json(*row.spreadA) : nlohmann::ordered_json();
            entry["b_spread_ms"] = row.spreadB ? nlohmann::ordered_json(*row.spreadB) : nlohmann::ordered_json();
            entry["difference_ms"] = row.absolute();
            entry["difference"] = row.relative();
            entry["within_spread"] = row.isWithinSpread();
            entry["verdict"] = nameOf(row.verdict());
            list.push_back(std::move(entry));
        }
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"a", a}, {"b", b}, {"rows", std::move(list)}}.dump(
                       1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        return;
    }
    fmt::print("A: {}\nB: {}\n", a, b);
    std::size_t width = 4;
    for (const Difference &row : rows)
        width = std::max(width, columnsOf(row.name));
    fmt::print("{}  {}  {}  {}  {}\n", padded("", width, false), padded("A ms", 20, true), padded("B ms", 20, true),
               padded("B - A ms", 10, true), padded("", 8, true));
    for (const Difference &row : rows) {
        const std::string left = row.onlyB ? "-" : ms(row.a, row.spreadA, predictedA),
                          right = row.onlyA ? "-" : ms(row.b, row.spreadB, predictedB);
        fmt::print("{}  {}  {}", padded(row.name, width, false), padded(left, 20, true), padded(right, 20, true));
        if (row.onlyA || row.onlyB)
            fmt::print("  {:>10}\n", nameOf(row.verdict()));
        else
            fmt::print("  {:>+10.4f}  {:>+6.1f} %  {}\n", row.absolute(), 100 * row.relative(), nameOf(row.verdict()));
    }
}

} // namespace

Result<void> compareRuns(const RunComparison &options)
{
    ZIGZAG_TRY(contentA, contentOf(options.a));
    ZIGZAG_TRY(contentB, contentOf(options.b));
    if (contentA != contentB)
        return badInput(fmt::format("{} and {}: one is a trace and the other is not; give two of a kind", options.a, options.b));
    if (contentA == Content::Trace) {
        ZIGZAG_TRY(a, readTrace(options.a));
        ZIGZAG_TRY(b, readTrace(options.b));
        print(compareTraces(a, b, groupNamed(options.by)), describe(a), describe(b), a.info.predicted, b.info.predicted, options);
        return {};
    }
    ZIGZAG_TRY(a, readBenchFile(options.a));
    ZIGZAG_TRY(b, readBenchFile(options.b));
    print(compareRecords(a.records, b.records), describe(a), describe(b), a.predicted, b.predicted, options);
    return {};
}

} // namespace zigzag
