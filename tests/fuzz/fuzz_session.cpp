// SPDX-License-Identifier: GPL-3.0-or-later
// A session's file, and every part that has a reader.
#include "profiler/evaluate/answers_file.h"
#include "profiler/measure/bench_file.h"
#include "profiler/session/session_parts.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(session)
{
    using namespace zigzag;
    const auto read = parseSession(input, "fuzz.zigzag");
    if (!read)
        return;
    for (const SessionPart &part : read->session.parts) {
        test::require(part.content != nullptr);
        if (part.kind == PartKind::Needle) {
            if (const auto needle = needleOf(part))
                test::require(needle->result.accuracy >= 0 && needle->result.accuracy <= 1
                              && needleOf(needlePart("again", *needle)));
        } else if (part.kind == PartKind::Sweep) {
            if (const auto sweep = sweepOf(part))
                test::require(sweepOf(sweepPart("again", *sweep)).has_value());
        } else if (part.kind == PartKind::Variant || part.kind == PartKind::MeasuredMap) {
            static_cast<void>(mapOf(part));
        } else if (part.kind == PartKind::Scores) {
            static_cast<void>(scoresOf(part));
        } else if (part.kind == PartKind::Bench) {
            if (const auto bench = benchOf(part))
                test::require(benchOf(benchPart("again", *bench)).has_value());
        }
    }
    // What was read can be written, and is the same then.
    const auto file = test::fuzzFolder() / "written.zigzag";
    test::require(writeSession(read->session, file).has_value());
    const auto again = readSession(file);
    test::require(again && again->notes.empty() && again->session.parts.size() == read->session.parts.size());
}
