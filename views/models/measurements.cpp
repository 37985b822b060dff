// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/measurements.h"

#include "engine/map/run_alike.h"

#include <algorithm>

namespace zigzag {

void Measurements::clear()
{
    m_records.clear();
    m_needles.clear();
    m_traces.clear();
}

void Measurements::addRecords(const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records)
{
    for (const BenchRecord &record : records) {
        const auto named = std::find_if(maps.begin(), maps.end(), [&](const NamedMap &map) { return map.name == record.map; });
        if (named == maps.end() || !record.failure.empty() || record.samplesMs.empty())
            continue;
        const auto known = std::find_if(m_records.begin(), m_records.end(), [&](const Measured &measured) {
            return measured.record.phase == record.phase && measured.record.context == record.context
                && measured.record.batch == record.batch && measured.record.mixed == record.mixed
                && runAlike(measured.map, named->map);
        });
        if (known == m_records.end())
            m_records.push_back({named->map, record});
        else
            known->record = record;
    }
}

void Measurements::addNeedle(const HeadMap &map, const NeedleResult &result, const std::string &engine)
{
    std::erase_if(m_needles, [&](const Asked &asked) { return asked.engine == engine && runAlike(asked.map, map); });
    m_needles.push_back({map, engine, result});
}

const BenchRecord *Measurements::find(const HeadMap &map, Phase phase, std::int64_t context) const
{
    const auto found = std::find_if(m_records.begin(), m_records.end(), [&](const Measured &measured) {
        return measured.record.phase == phase && measured.record.context == context && measured.record.batch == 1
            && runAlike(measured.map, map);
    });
    return found == m_records.end() ? nullptr : &found->record;
}

std::vector<BenchRecord> Measurements::all(const HeadMap &map, Phase phase) const
{
    std::vector<BenchRecord> found;
    for (const Measured &measured : m_records)
        if (measured.record.phase == phase && measured.record.batch == 1 && runAlike(measured.map, map))
            found.push_back(measured.record);
    std::sort(found.begin(), found.end(), [](const BenchRecord &a, const BenchRecord &b) { return a.context < b.context; });
    return found;
}

void Measurements::addTrace(const HeadMap &map, std::shared_ptr<const Trace> trace)
{
    std::erase_if(m_traces, [&](const Traced &traced) {
        return traced.trace->info.phase == trace->info.phase && traced.trace->info.context == trace->info.context
            && runAlike(traced.map, map);
    });
    m_traces.push_back({map, std::move(trace)});
}

std::shared_ptr<const Trace> Measurements::trace(const HeadMap &map, Phase phase, std::int64_t context) const
{
    const auto found = std::find_if(m_traces.begin(), m_traces.end(), [&](const Traced &traced) {
        return traced.trace->info.phase == phase && traced.trace->info.context == context && runAlike(traced.map, map);
    });
    return found == m_traces.end() ? nullptr : found->trace;
}

const NeedleResult *Measurements::needle(const HeadMap &map, const std::string &engine) const
{
    const auto found = std::find_if(m_needles.begin(), m_needles.end(),
                                    [&](const Asked &asked) { return asked.engine == engine && runAlike(asked.map, map); });
    return found == m_needles.end() ? nullptr : &found->result;
}

} // namespace zigzag
