// SPDX-License-Identifier: GPL-3.0-or-later
// tokenizer.json; then some text through whatever tokenizer it made.
#include "engine/model/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(tokenizer)
{
    const auto tokenizer = zigzag::Tokenizer::load(zigzag::test::fuzzFile("tokenizer.json", input));
    if (!tokenizer)
        return;
    for (const std::string_view text :
         {std::string_view("Hello  w\xc3\xb6rld 123\n"), std::string_view("\xff\x00 a\xcc\x81", 6)}) {
        const auto ids = tokenizer->encode(text, true);
        (void)tokenizer->decode(ids);
    }
}
