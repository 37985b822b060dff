// SPDX-License-Identifier: GPL-3.0-or-later
// What a person gives for RULER's tasks: SQuAD's and HotpotQA's files, and a text to hide needles in.
#include "profiler/questions/ruler_draft.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(ruler_documents)
{
    const std::filesystem::path file = zigzag::test::fuzzFile("given", input);
    for (const auto &read : {zigzag::readSquad(file), zigzag::readHotpot(file)}) {
        if (!read)
            continue;
        zigzag::test::require(!read->questions.empty());
        for (const zigzag::RulerDocuments::Asked &asked : read->questions) {
            zigzag::test::require(!asked.answers.empty() && !asked.documents.empty());
            for (const std::string &answer : asked.answers)
                zigzag::test::require(!answer.empty());
            for (const std::vector<std::size_t> *numbers : {&asked.documents, &asked.near})
                for (const std::size_t number : *numbers)
                    zigzag::test::require(number < read->documents.size());
        }
    }
    const auto sentences = zigzag::readHaystack(file);
    if (!sentences)
        return;
    zigzag::test::require(!sentences->empty());
    for (const std::string &sentence : *sentences)
        zigzag::test::require(!sentence.empty() && sentence.size() <= 2000 && sentence.front() != ' ' && sentence.back() != ' ');
}
