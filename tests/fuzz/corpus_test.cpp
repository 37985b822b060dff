// SPDX-License-Identifier: GPL-3.0-or-later
// What the fuzzers started from and found, in the ordinary build: no input may crash, hang or break a parser's promise.
#include "tests/fuzz/fuzz_target.h"
#include "tests/paths.h"

#include <gtest/gtest.h>
#include <iterator>

#define ZIGZAG_FUZZERS(X)                                                                                                        \
    X(answers)                                                                                                                   \
    X(bench_file)                                                                                                                \
    X(chat_template)                                                                                                             \
    X(completion_reply)                                                                                                          \
    X(completion_request)                                                                                                        \
    X(duo_folder)                                                                                                                \
    X(exports)                                                                                                                   \
    X(forward)                                                                                                                   \
    X(gguf)                                                                                                                      \
    X(grammar)                                                                                                                   \
    X(head_map)                                                                                                                  \
    X(head_scores)                                                                                                               \
    X(machine_profile)                                                                                                           \
    X(model)                                                                                                                     \
    X(model_config)                                                                                                              \
    X(questions)                                                                                                                 \
    X(ruler_documents)                                                                                                           \
    X(safetensors)                                                                                                               \
    X(search_progress)                                                                                                           \
    X(session)                                                                                                                   \
    X(side_files)                                                                                                                \
    X(text)                                                                                                                      \
    X(tokenizer)                                                                                                                 \
    X(tokens)                                                                                                                    \
    X(trace)                                                                                                                     \
    X(weight_index)

#define ZIGZAG_DECLARE(name) void fuzz_##name(std::string_view input);
ZIGZAG_FUZZERS(ZIGZAG_DECLARE)

namespace zigzag {
namespace {

namespace fs = std::filesystem;

struct Fuzzer {
    const char *name;
    void (*run)(std::string_view input);
};

#define ZIGZAG_ENTRY(name) {#name, fuzz_##name},
constexpr Fuzzer fuzzers[] = {ZIGZAG_FUZZERS(ZIGZAG_ENTRY)};

const fs::path corpus = fs::path(test::sourceDir()) / "tests/fuzz/corpus";

class FuzzCorpus : public testing::TestWithParam<Fuzzer>
{ };

TEST_P(FuzzCorpus, IsParsedOrRefused)
{
    int inputs = 0;
    for (const auto &entry : fs::directory_iterator(corpus / GetParam().name)) {
        SCOPED_TRACE(entry.path().string());
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string whole{std::istreambuf_iterator<char>(file), {}};
        GetParam().run(whole);
        // Cut short, as an interrupted download is.
        for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 8)
            GetParam().run(std::string_view(whole).substr(0, length));
        ++inputs;
    }
    EXPECT_GT(inputs, 0);
    fs::remove_all(test::fuzzFolder());
    fs::create_directories(test::fuzzFolder());
}

TEST_P(FuzzCorpus, SurvivesABiteOfEveryByte)
{
    for (const auto &entry : fs::directory_iterator(corpus / GetParam().name)) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::string bitten{std::istreambuf_iterator<char>(file), {}};
        const std::size_t step = 1 + bitten.size() / 64;
        for (std::size_t at = 0; at < bitten.size(); at += step) {
            const char before = bitten[at];
            bitten[at] = static_cast<char>(before ^ 0x55);
            GetParam().run(bitten);
            bitten[at] = before;
        }
    }
    fs::remove_all(test::fuzzFolder());
    fs::create_directories(test::fuzzFolder());
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, testing::ValuesIn(fuzzers),
                         [](const auto &fuzzer) { return std::string(fuzzer.param.name); });

} // namespace
} // namespace zigzag
