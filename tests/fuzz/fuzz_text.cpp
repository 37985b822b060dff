// SPDX-License-Identifier: GPL-3.0-or-later
// Any text, through tokenizers of the tests: a byte-level one and one with byte fallback.
#include "engine/model/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/paths.h"

ZIGZAG_FUZZ(text)
{
    using zigzag::Tokenizer;
    const std::filesystem::path tokenizers = std::filesystem::path(zigzag::test::sourceDir()) / "tests/fixtures/tokenizers";
    static const Tokenizer byteLevel = Tokenizer::load(tokenizers / "gpt2/tokenizer.json").value();
    static const Tokenizer fallback = Tokenizer::load(tokenizers / "llama2/tokenizer.json").value();
    for (const Tokenizer *tokenizer : {&byteLevel, &fallback})
        for (const int id : tokenizer->encode(input, true))
            zigzag::test::require(id >= 0 && id < tokenizer->vocabulary());
}
