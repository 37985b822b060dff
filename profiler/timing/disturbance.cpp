// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/disturbance.h"

#include <fmt/format.h>

namespace zigzag {

Disturbance disturbanceOf(const std::vector<BenchRecord> &records, int repeats)
{
    Disturbance all;
    for (const BenchRecord &record : records) {
        if (!record.failure.empty() || record.samplesMs.empty())
            continue;
        ++all.points;
        all.samples += static_cast<int>(record.samplesMs.size());
        all.disturbed += record.disturbed;
        all.shortened += std::ssize(record.samplesMs) < repeats;
        all.ceilingsMoved += record.ceilingMoved();
    }
    return all;
}

std::string textOf(const Disturbance &all)
{
    std::string text;
    if (all.disturbed > 0)
        text += fmt::format("Other programs slowed the machine during {} of {} samples; left alone, its times are shorter and "
                            "steadier.",
                            all.disturbed, all.samples);
    if (all.shortened > 0)
        text += fmt::format("{}{} of {} points have fewer samples than were asked for, as the time of the whole job was used up "
                            "or it was interrupted.",
                            text.empty() ? "" : " ", all.shortened, all.points);
    if (all.ceilingsMoved > 0)
        text += fmt::format(
            "{}{} of {} points have no floor ratio: they were faster than the ceiling that was measured beside them, "
            "so the machine changed in between.",
            text.empty() ? "" : " ", all.ceilingsMoved, all.points);
    return text;
}

} // namespace zigzag
