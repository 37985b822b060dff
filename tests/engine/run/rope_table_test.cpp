// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/rope.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

/// How the first position's cosine is scaled: cos 0 is 1.
double scaleOf(const ModelConfig &config)
{
    return rotationTable(config, 1).front();
}

void expectSame(const Result<ModelConfig> &config, const Json &answer)
{
    ASSERT_EQ(config.has_value(), !answer.is_null()) << (config ? "it was read" : config.error().message);
    if (!config)
        return;
    const std::vector<float> frequencies = rotationFrequencies(*config);
    ASSERT_EQ(frequencies.size(), answer.at("frequencies").size());
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const auto expected = answer.at("frequencies")[i].get<double>();
        EXPECT_NEAR(frequencies[i], expected, 1e-5 * expected) << "frequency " << i;
    }
    EXPECT_NEAR(scaleOf(*config), answer.at("scale").get<double>(), 1e-6);
}

/// Every pair of what rope_scaling and rope_parameters may say, beside a rope_theta and an original_max_position_embeddings
/// or none: tests/fixtures/make_rope_table.py asked transformers what it makes of each.
TEST(RopeTable, WhichPlaceWinsIsAsInTransformers)
{
    const Json table = Json::parse(test::readText(std::filesystem::path(test::sourceDir()) / "tests/fixtures/rope_table.json"));
    const auto put = [](Json &config, const char *key, const Json &value) {
        if (value != "absent")
            config[key] = value;
    };
    std::size_t place = 0;
    for (const Json &scaling : table.at("sections"))
        for (const Json &parameters : table.at("sections"))
            for (const Json &theta : table.at("thetas"))
                for (const Json &original : table.at("originals")) {
                    const Json &answer = table.at("answers")[table.at("table").at(place++).get<std::size_t>()];
                    for (const char *family : {"llama", "mistral", "qwen2", "qwen3"}) {
                        Json config = table.at("shape");
                        config["model_type"] = family;
                        put(config, "rope_scaling", scaling);
                        put(config, "rope_parameters", parameters);
                        put(config, "rope_theta", theta);
                        put(config, "original_max_position_embeddings", original);
                        SCOPED_TRACE(config.dump());
                        expectSame(parseModelConfig(config.dump(), "config.json"), answer);
                    }
                    if (testing::Test::HasFailure())
                        return;
                }
    EXPECT_EQ(place, table.at("table").size());
    EXPECT_EQ(place, 23u * 23u * 4u * 3u);
}

/// What transformers' LlamaRotaryEmbedding computes for a sequence as long as the context that is planned for.
TEST(RopeTable, DynamicScalingActsBeyondTheLongestContext)
{
    const auto config = parseModelConfig(
        R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 32, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
            "rope_scaling": {"type": "dynamic", "factor": 4}})",
        "config.json");
    ASSERT_TRUE(config) << config.error().message;
    const auto expectNear = [&](std::int64_t context, const std::vector<double> &expected) {
        const std::vector<float> found = rotationFrequencies(*config, config->rope, context);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_NEAR(found[i], expected[i], 2e-6 * expected[i]) << context << ", frequency " << i;
    };
    expectNear(512, {1, 0.31622776, 0.1, 0.031622779, 0.0099999998, 0.0031622779, 0.001, 0.00031622779});
    expectNear(1000, {1, 0.25264952, 0.063831776, 0.016127067, 0.0040744958, 0.0010294194, 0.00026008228, 6.5709661e-05});
    EXPECT_EQ(scaleOf(*config), 1);
}

} // namespace
} // namespace zigzag
