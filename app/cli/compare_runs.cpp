// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare_runs.h"
#include "app/cli/json_text.h"
#include "app/cli/op_table_text.h"
#include "engine/base/file_content.h"
#include "engine/base/printable.h"
#include "profiler/compare/compare.h"
#include "profiler/measure/bench_file.h"
#include "profiler/timing/disturbance.h"
#include "profiler/trace/trace_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

namespace zigzag {
namespace {

bool isRecords(FileContent content)
{
    return content == FileContent::Bench || content == FileContent::Prediction;
}

std::string kvText(const std::optional<DType> &kvType)
{
    return kvType ? fmt::format(", KV in {}", nameOf(*kvType)) : std::string();
}

/// One side of the comparison, as a line above the table.
std::string describe(const Trace &trace, const std::string &file)
{
    const TraceInfo &info = trace.info;
    if (info.isForeign)
        return fmt::format("{}, of another program: {} events in {} rows", file, trace.kernels.size(), trace.rows.size());
    return fmt::format("{}, {}, {} at {}{}{}{}{}", info.model, info.map, nameOf(info.phase), info.context,
                       info.batch == 1 ? std::string() : fmt::format(" x {}", info.batch),
                       info.gpus == 1 ? std::string() : fmt::format(", {} ranks, each by itself", info.gpus), kvText(info.kvType),
                       info.predicted       ? " (predicted)"
                           : info.disturbed ? " (disturbed by other programs)"
                                            : "");
}

std::string describe(const BenchFile &file)
{
    const Disturbance all = disturbanceOf(file.records);
    const std::optional<DType> kvType = file.records.empty() ? std::nullopt : file.records.front().kvType;
    return fmt::format("{}{} on {}, zigzag {}{}", file.model, kvText(kvType), file.machine.device, file.machine.build,
                       file.predicted ? " (predicted)"
                           : all.disturbed > 0
                           ? fmt::format(" ({} of {} samples disturbed by other programs)", all.disturbed, all.samples)
                           : std::string());
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

void printTable(const std::vector<Difference> &rows, const std::string &a, const std::string &b, bool predictedA, bool predictedB)
{
    constexpr std::size_t most = 60, longestName = 60; // events of other programs have any number of names, of any length
    fmt::print("A: {}\nB: {}\n", a, b);
    const std::size_t shown = std::min(rows.size(), most);
    std::size_t width = 4;
    for (std::size_t i = 0; i < shown; ++i)
        width = std::max(width, columnsOf(printable(rows[i].name, longestName)));
    fmt::print("{}  {}  {}  {}  {}\n", padded("", width, false), padded("A ms", 20, true), padded("B ms", 20, true),
               padded("B - A ms", 10, true), padded("", 8, true));
    for (std::size_t i = 0; i < shown; ++i) {
        const Difference &row = rows[i];
        const std::string left = row.onlyB ? "-" : ms(row.a, row.spreadA, predictedA),
                          right = row.onlyA ? "-" : ms(row.b, row.spreadB, predictedB);
        fmt::print("{}  {}  {}", padded(printable(row.name, longestName), width, false), padded(left, 20, true),
                   padded(right, 20, true));
        if (row.onlyA || row.onlyB)
            fmt::print("  {:>10}\n", nameOf(row.verdict()));
        else
            fmt::print("  {:>+10.4f}  {:>+6.1f} %  {}\n", row.absolute(), 100 * row.relative(), nameOf(row.verdict()));
    }
    if (shown < rows.size())
        fmt::print("and {} more rows: -o json has all\n", rows.size() - shown);
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
        fmt::print("{}\n", nlohmann::ordered_json{{"a", a}, {"b", b}, {"rows", std::move(list)}}.dump(1, ' ', false, anyBytes));
        return;
    }
    printTable(rows, a, b, predictedA, predictedB);
}

void sayNote(const Trace &trace, const std::string &file)
{
    if (!trace.info.note.empty())
        fmt::print(stderr, "note: {}: {}\n", file, printable(trace.info.note, 1000));
}

} // namespace

Result<void> compareRuns(const RunComparison &options)
{
    constexpr std::string_view wanted = "a head map, a trace, or JSON of bench or predict";
    ZIGZAG_TRY(kindA, kindOfFile(options.a));
    ZIGZAG_TRY(kindB, kindOfFile(options.b));
    const auto isRun = [](const FileKind &kind) { return isTrace(kind.content) || (isRecords(kind.content) && !kind.isGzip); };
    if (!isRun(kindA) || !isRun(kindB))
        return isRun(kindA) ? wrongContent(options.b, kindB, wanted) : wrongContent(options.a, kindA, wanted);
    if (isTrace(kindA.content) != isTrace(kindB.content))
        return badInput(fmt::format("{} and {}: one is a trace and the other is not; give two of a kind", options.a, options.b));
    if (isTrace(kindA.content)) {
        ZIGZAG_TRY(a, readTrace(options.a));
        ZIGZAG_TRY(b, readTrace(options.b));
        sayNote(a, options.a);
        if (options.b != options.a)
            sayNote(b, options.b);
        print(compareTraces(a, b, groupNamed(options.by)), describe(a, options.a), describe(b, options.b), a.info.predicted,
              b.info.predicted, options);
        return {};
    }
    ZIGZAG_TRY(a, readBenchFile(options.a));
    ZIGZAG_TRY(b, readBenchFile(options.b));
    print(compareRecords(a.records, b.records), describe(a), describe(b), a.predicted, b.predicted, options);
    return {};
}

} // namespace zigzag
