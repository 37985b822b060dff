// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "profiler/base/run_types.h"
#include "profiler/evaluate/needle.h"
#include "profiler/trace/trace.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// What was measured, kept by what the map does rather than by its name: a result returns when an undo brings its map back.
class Measurements
{
public:
    /// One needle grid.
    struct Asked {
        HeadMap map;
        std::string engine; ///< that ran the map; empty: ours
        NeedleResult result;
    };
    void clear();
    /// Takes the records of a run; a newer record of the same map, phase, context and batch replaces the older one.
    void addRecords(const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records);
    /// `engine`: that ran the map, as `--as-engine` names it; empty: ours.
    void addNeedle(const HeadMap &map, const NeedleResult &result, const std::string &engine = {});

    // Plots and figures speak of one sequence: records of several at once are kept, and not found by these two.
    const BenchRecord *find(const HeadMap &map, Phase phase, std::int64_t context) const;
    /// Every record of the map in one phase, by rising context.
    std::vector<BenchRecord> all(const HeadMap &map, Phase phase) const;
    /// A newer trace of the same map, phase and context replaces the older one.
    void addTrace(const HeadMap &map, std::shared_ptr<const Trace> trace);
    std::shared_ptr<const Trace> trace(const HeadMap &map, Phase phase, std::int64_t context) const;
    const NeedleResult *needle(const HeadMap &map, const std::string &engine = {}) const;
    const std::vector<Asked> &needles() const { return m_needles; }
    bool isEmpty() const { return m_records.empty() && m_needles.empty(); }

private:
    struct Measured {
        HeadMap map;
        BenchRecord record;
    };
    std::vector<Measured> m_records;
    struct Traced {
        HeadMap map;
        std::shared_ptr<const Trace> trace;
    };
    std::vector<Asked> m_needles;
    std::vector<Traced> m_traces;
};

} // namespace zigzag
