// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/token_file.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(tokens)
{
    const auto tokens = zigzag::parseTokens(input, 1000, "input");
    if (!tokens)
        return;
    zigzag::test::require(!tokens->empty());
    for (const int token : *tokens)
        zigzag::test::require(token >= 0 && token < 1000);
}
