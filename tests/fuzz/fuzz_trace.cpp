// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag-trace and Chrome's Trace Event Format, told apart by content.
#include "profiler/trace/trace_file.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(trace)
{
    (void)zigzag::readTrace(zigzag::test::fuzzFile("trace.json", input));
}
