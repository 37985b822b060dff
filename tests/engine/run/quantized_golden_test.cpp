// SPDX-License-Identifier: GPL-3.0-or-later
// Folders in FP8, of AWQ and of GPTQ against transformers (tests/fixtures/make_quantized.py), whose networks have the dequantised
// numbers.
#include "engine/base/sha256.h"
#include "engine/model/tensor_values.h"
#include "engine/model/weight_plan.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/engine/run/golden_fixture.h"
#include "tests/temp_folder.h"

#include <fmt/format.h>
#include <map>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/quantized";

struct Fixture {
    std::string name, form, dtype;
    std::map<std::string, std::string> matrices; ///< SHA-256 of each one's float32 numbers

    bool isF8() const { return form == "fp8" || form == "compressed"; }
    WeightType type() const { return isF8() ? WeightType(DType::F8) : WeightType(BlockType::Int4); }
    std::vector<int> tokens() const
    {
        std::ifstream file(fixtures / name / "tokens.txt");
        return {std::istream_iterator<int>(file), {}};
    }
    /// Keys and values in float32 on the processor, whatever the weights' type; the GPU runs them in theirs.
    std::shared_ptr<const Model> model() const
    {
        const bool onProcessor = test::backendUnderTest() == "cpu";
        auto loaded = loadModel((fixtures / name).string(), {}, onProcessor ? std::optional(DType::F32) : std::nullopt);
        if (!loaded) {
            ADD_FAILURE() << loaded.error().message;
            return {};
        }
        return *loaded;
    }
};

std::vector<Fixture> allFixtures()
{
    const auto manifest = nlohmann::json::parse(test::readText(fixtures / "manifest.json"));
    std::vector<Fixture> all;
    for (const auto &f : manifest.at("fixtures"))
        all.push_back({f.at("name"), f.at("form"), f.at("dtype"), f.at("matrices")});
    EXPECT_GE(all.size(), 8u);
    return all;
}

/// Largest difference from the fixture's logits over the largest logit.
double differenceOf(const std::shared_ptr<const Model> &model, const Fixture &fixture, std::shared_ptr<Backend> backend,
                    HeadKind kind, std::int64_t chunk)
{
    const auto device = uploadModel(model, std::move(backend));
    if (!device) {
        ADD_FAILURE() << device.error().message;
        return INFINITY;
    }
    const std::vector<int> tokens = fixture.tokens();
    auto session
        = Session::create(*device, HeadMap(model->shape(), kind, 4, 16), {.maxContext = std::ssize(tokens), .chunk = chunk});
    auto logits = session ? (*session)->run(tokens, Session::Logits::All) : tl::unexpected(session.error());
    if (!logits) {
        ADD_FAILURE() << logits.error().message;
        return INFINITY;
    }
    const char *const file = kind == HeadKind::Retrieval ? "full.npy" : "streaming.npy";
    return test::relativeDifference(*logits, test::readNpy(fixtures / fixture.name / file));
}

std::shared_ptr<Backend> backendOf()
{
    return std::move(*createBackend(test::backendUnderTest()));
}

/// One that takes floats alone, so that matrices are decoded to the config's dtype.
std::shared_ptr<test::FailingBackend> withoutQuantisedTypes()
{
    auto backend = std::make_shared<test::FailingBackend>(std::move(*createBackend("cpu")));
    backend->can = backend->capabilities();
    std::erase_if(backend->can->weightTypes, [](WeightType type) { return type.isQuantised(); });
    return backend;
}

TEST(QuantizedGolden, EveryMatrixDecodesToTheSameBits)
{
    for (const Fixture &fixture : allFixtures()) {
        SCOPED_TRACE(fixture.name);
        const auto model = fixture.model();
        ASSERT_TRUE(model);
        EXPECT_EQ(model->config.matrixTypes().front(), fixture.type());
        std::map<std::string, Sha256> found;
        for (const PlannedTensor &planned : planWeights(model->config)) {
            const TensorView &view = planned.in(model->weights);
            EXPECT_EQ(view.type, planned.type) << planned.name;
            if (!view.type.isQuantised())
                continue;
            const std::vector<float> numbers = floatsOf(view); // what files hold as one matrix comes piece by piece
            found[planned.name].update(numbers.data(), numbers.size() * sizeof(float));
        }
        EXPECT_EQ(found.size(), fixture.matrices.size());
        for (auto &[name, digest] : found)
            EXPECT_EQ(digest.hex(), fixture.matrices.at(name)) << name;
    }
}

/// FP8 multiplies in float32 with few tokens, and as bf16 does with many where the processor has units for that. Four bits are
/// multiplied with activations of eight, as GGUF's are; their numbers decoded to float32 show that nothing else differs.
TEST(QuantizedGolden, LogitsAgreeWithTransformers)
{
    constexpr double float32 = 1e-4, bf16 = 2e-2, eightBits = 4e-2;
    fmt::print(
        "largest difference from transformers / largest logit, by tokens of a chunk\n{:<14} {:<10} {:>9} {:>9} {:>9} {:>9} "
        "{:>9}\n",
        "folder", "map", "1", "7", "64", "whole", "decoded");
    for (const Fixture &fixture : allFixtures()) {
        SCOPED_TRACE(fixture.name);
        const auto model = fixture.model();
        ASSERT_TRUE(model);
        for (const auto &[kind, name] : {std::pair(HeadKind::Retrieval, "full"), std::pair(HeadKind::Streaming, "streaming")}) {
            fmt::print("{:<14} {:<10}", fixture.name, name);
            for (const std::int64_t chunk : {1, 7, 64, 512}) {
                const double difference = differenceOf(model, fixture, backendOf(), kind, chunk);
                fmt::print(" {:>9.1e}", difference);
                const bool inFloat32 = chunk <= 8 && test::backendUnderTest() == "cpu";
                EXPECT_LE(difference, !fixture.isF8() ? eightBits : inFloat32 ? float32 : bf16) << name << " " << chunk;
            }
            if (fixture.dtype == "float32") {
                const double decoded = differenceOf(model, fixture, withoutQuantisedTypes(), kind, 64);
                fmt::print(" {:>9.1e}", decoded);
                EXPECT_LE(decoded, float32) << name;
            }
            fmt::print("\n");
        }
    }
}

TEST(QuantizedGolden, ABackendWithoutTheTypeGetsItDecodedAndSaysSo)
{
    for (const Fixture &fixture : allFixtures()) {
        SCOPED_TRACE(fixture.name);
        const auto model = fixture.model();
        ASSERT_TRUE(model);
        const auto decoded = uploadModel(model, withoutQuantisedTypes()), stored = uploadModel(model, backendOf());
        ASSERT_TRUE(decoded && stored);
        ASSERT_EQ((*decoded)->notes.size(), 1u);
        EXPECT_NE((*decoded)->notes.front().find(fmt::format("does not multiply with {}", nameOf(fixture.type()))),
                  std::string::npos)
            << (*decoded)->notes.front();
        if (test::backendUnderTest() == "cpu") { // a GPU decodes experts, and what stands in float32 models
            EXPECT_TRUE((*stored)->notes.empty());
        }
    }
}

/// A folder whose weights are still to be fetched is described as it will be.
TEST(QuantizedGolden, TheConfigAloneTellsTheTypes)
{
    for (const Fixture &fixture : allFixtures()) {
        SCOPED_TRACE(fixture.name);
        const auto model = fixture.model();
        ASSERT_TRUE(model);
        const test::TempFolder scratch;
        fs::copy_file(fixtures / fixture.name / "config.json", scratch / "config.json");
        const auto config = loadModelConfig(scratch.path().string());
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->weightBytes(), model->config.weightBytes());
        EXPECT_EQ(config->matrixTypes(), model->config.matrixTypes());
        const auto described = describeModel((fixtures / fixture.name).string());
        ASSERT_TRUE(described);
        EXPECT_EQ((*described)->weights.fingerprint, model->weights.fingerprint);
        EXPECT_EQ((*described)->config.storedTypes, model->config.storedTypes);
    }
}

} // namespace
} // namespace zigzag
