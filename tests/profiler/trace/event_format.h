// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace zigzag::test {

/// A strict reader of Google's Trace Event Format (the 2016 document) for the kinds of events that we write: every member has
/// its type, nothing is unknown, and the events of a thread lie one after another or one in another. Returns what is wrong.
inline std::string formatFault(const nlohmann::json &document)
{
    const std::set<std::string> top = {"displayTimeUnit", "otherData", "traceEvents"};
    if (!document.is_object())
        return "the document is no object";
    for (const auto &[key, value] : document.items())
        if (!top.count(key))
            return "unknown member " + key;
    if (document.value("displayTimeUnit", "") != "ns" && document.value("displayTimeUnit", "") != "ms")
        return "displayTimeUnit must be ms or ns";
    if (!document.contains("traceEvents") || !document["traceEvents"].is_array())
        return "traceEvents must be a list";
    std::map<std::pair<int, int>, std::vector<std::pair<std::int64_t, std::int64_t>>> threads; // [begin, end) in ns
    for (const nlohmann::json &event : document["traceEvents"]) {
        const std::string text = event.dump();
        if (!event.is_object() || !event.contains("ph") || !event["ph"].is_string())
            return "no phase: " + text;
        for (const char *key : {"pid", "tid"})
            if (!event.contains(key) || !event[key].is_number_integer())
                return "pid and tid must be counts: " + text;
        if (!event.contains("name") || !event["name"].is_string() || event["name"].get<std::string>().empty())
            return "no name: " + text;
        if (!event.contains("args") || !event["args"].is_object())
            return "args must be an object: " + text;
        if (event["ph"] == "M") {
            const std::string name = event["name"];
            if ((name != "process_name" && name != "thread_name") || !event["args"]["name"].is_string())
                return "unknown metadata: " + text;
            if (event.size() != 5)
                return "unknown member: " + text;
        } else if (event["ph"] == "X") {
            if (event.size() != 8 || !event.contains("cat") || !event["cat"].is_string())
                return "unknown or missing member: " + text;
            for (const char *key : {"ts", "dur"})
                if (!event.contains(key) || !event[key].is_number() || event[key].get<double>() < 0)
                    return "ts and dur must be numbers: " + text;
            const auto begin = std::llround(1e3 * event["ts"].get<double>());
            threads[{event["pid"], event["tid"]}].emplace_back(begin, begin + std::llround(1e3 * event["dur"].get<double>()));
        } else {
            return "a phase that we do not write: " + text;
        }
    }
    for (auto &[id, events] : threads) {
        std::stable_sort(events.begin(), events.end(), [](const auto &a, const auto &b) {
            return a.first != b.first ? a.first < b.first : a.second > b.second;
        });
        std::vector<std::int64_t> ends;
        for (const auto &[begin, end] : events) {
            while (!ends.empty() && ends.back() <= begin)
                ends.pop_back();
            if (!ends.empty() && end > ends.back())
                return "events of a thread overlap";
            ends.push_back(end);
        }
    }
    return {};
}

} // namespace zigzag::test
