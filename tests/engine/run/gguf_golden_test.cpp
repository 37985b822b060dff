// SPDX-License-Identifier: GPL-3.0-or-later
// GGUF files against transformers (tests/fixtures/make_gguf.py), whose networks have the numbers that the package gguf reads from
// the same file.
#include "tests/engine/run/golden_fixture.h"
#include "tests/gguf_builder.h"

#include <fmt/format.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/gguf";

struct Fixture {
    std::string name, family, type;
    std::vector<int> tokens;
    bool isQuantised = false;
    double tolerance = 0;
};

std::vector<Fixture> allFixtures()
{
    const auto manifest = nlohmann::json::parse(test::readText(fixtures / "manifest.json"));
    std::vector<Fixture> all;
    for (const auto &f : manifest)
        all.push_back({f.at("name"), f.at("family"), f.at("type"), f.at("tokens"), f.at("quantised"), f.at("tolerance")});
    return all;
}

/// Largest difference from the fixture's logits over the largest logit, with the whole prompt as one chunk or in several.
double differenceOf(const std::string &file, const Fixture &fixture, std::int64_t chunk)
{
    auto model = loadModel((fixtures / file).string());
    auto backend = createBackend(test::backendUnderTest());
    if (!model || !backend) {
        ADD_FAILURE() << (model ? backend.error().message : model.error().message);
        return INFINITY;
    }
    EXPECT_TRUE((*model)->config.is(fixture.family));
    auto device = uploadModel(*model, std::move(*backend));
    if (!device) {
        ADD_FAILURE() << device.error().message;
        return INFINITY;
    }
    const HeadMap full((*model)->shape(), HeadKind::Retrieval, 0, 1);
    auto session = Session::create(*device, full, {.maxContext = std::ssize(fixture.tokens), .chunk = chunk});
    auto logits = session ? (*session)->run(fixture.tokens, Session::Logits::All) : tl::unexpected(session.error());
    if (!logits) {
        ADD_FAILURE() << logits.error().message;
        return INFINITY;
    }
    return test::relativeDifference(*logits, test::readNpy(fixtures / (fixture.name + ".npy")));
}

TEST(GgufGolden, LogitsAgreeWithTransformers)
{
    constexpr double float32 = 1e-4;
    fmt::print("largest difference from transformers / largest logit; quantised matrices decoded to f32, and to bf16 as usual\n"
               "{:<16} {:<10} {:<6} {:>9} {:>9} {:>9}\n",
               "file", "family", "type", "f32", "as usual", "allowed");
    for (const Fixture &fixture : allFixtures()) {
        SCOPED_TRACE(fixture.name);
        const std::string file = fixture.name + ".gguf";
        std::string exact = "-";
        if (fixture.isQuantised) {
            const test::Environment asked("ZIGZAG_GGUF_TYPE", "f32");
            const double difference = differenceOf(file, fixture, std::ssize(fixture.tokens));
            EXPECT_LE(difference, float32);
            exact = fmt::format("{:.1e}", difference);
        }
        const double usual = differenceOf(file, fixture, 7);
        // Where a router rounds, two experts that are nearly equal change places, and with them the logits.
        if (fixture.family != "qwen3_moe" || !fixture.isQuantised) {
            EXPECT_LE(usual, fixture.tolerance);
        }
        fmt::print("{:<16} {:<10} {:<6} {:>9} {:>9.1e} {:>9.0e}\n", fixture.name, fixture.family, fixture.type, exact, usual,
                   fixture.tolerance);
    }
}

TEST(GgufGolden, ASplitModelIsTheSameModel)
{
    const Fixture first = allFixtures().front();
    EXPECT_LE(differenceOf("split-00002-of-00003.gguf", first, 16), first.tolerance);
}

} // namespace
} // namespace zigzag
