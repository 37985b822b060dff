// SPDX-License-Identifier: GPL-3.0-or-later
// resources/tasks/*.json; then some text from whatever grammar it made.
#include "profiler/evaluate/needle_grammar.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(grammar)
{
    const auto grammar = zigzag::parseNeedleGrammar(input, "input");
    if (!grammar)
        return;
    std::mt19937_64 random(1);
    (void)grammar->sentence(random);
    zigzag::test::require(grammar->heldOutKey(random).size() == static_cast<std::size_t>(grammar->digits));
}
