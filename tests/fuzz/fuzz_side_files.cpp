// SPDX-License-Identifier: GPL-3.0-or-later
// generation_config.json and tokenizer_config.json, and what the second does to a tokenizer without a template.
#include "engine/model/side_files.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/paths.h"

ZIGZAG_FUZZ(side_files)
{
    using namespace zigzag;
    if (const auto ends = parseGenerationConfig(input, "input"))
        for (const int end : *ends)
            test::require(end >= 0);
    const auto config = parseTokenizerConfig(input, "input");
    if (!config)
        return;
    const std::filesystem::path tokenizers = std::filesystem::path(test::sourceDir()) / "tests/fixtures/tokenizers";
    // One without a template, which is changed and so read anew each time, and one with a template.
    Tokenizer plain = Tokenizer::load(tokenizers / "gpt2/tokenizer.json").value();
    static Tokenizer begun = Tokenizer::load(tokenizers / "llama2/tokenizer.json").value();
    for (Tokenizer *tokenizer : {&plain, &begun}) {
        std::vector<std::string> notes;
        applyTokenizerConfig(*tokenizer, *config, *findFamily("llama"), notes, "input");
        test::require(notes.size() <= 3);
        for (const int id : tokenizer->encode("a", true))
            test::require(id >= 0 && id < tokenizer->vocabulary());
    }
}
