// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong with folders in FP8, of AWQ and of GPTQ, each in one line; numbers and logits are tests/engine/run/
// quantized_golden_test.cpp.
#include "engine/model/model.h"
#include "engine/model/weight_plan.h"
#include "tests/model_surgery.h"
#include "tests/paths.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::Json;

const std::string tensors = "model.safetensors", key = "model.layers.1.self_attn.k_proj.";

/// A copy of a fixture, to be spoilt.
class Copy
{
public:
    explicit Copy(const std::string &name)
    {
        fs::copy(fs::path(test::sourceDir()) / "tests/fixtures/quantized" / name, m_scratch / "model");
    }
    fs::path file(const std::string &name) const { return m_scratch / "model" / name; }
    std::string folder() const { return (m_scratch / "model").string(); }

    /// Its config.json with other members of quantization_config.
    void patch(const std::string &members) const
    {
        test::patchJson(file("config.json"), R"({"quantization_config": )" + members + "}");
    }
    void rename(const std::string &from, const std::string &to) const
    {
        test::editHeader(file(tensors), [&](Json &header) {
            header[to] = header.at(from);
            header.erase(from);
        });
    }
    void edit(const std::string &tensor, const std::function<void(Json &)> &change) const
    {
        test::editHeader(file(tensors), [&](Json &header) { change(header.at(tensor)); });
    }
    /// Bytes over the end of a tensor.
    template <class Value> void spoil(const std::string &tensor, Value value) const
    {
        std::string content = test::readText(file(tensors));
        std::uint64_t length = 0;
        std::memcpy(&length, content.data(), sizeof length);
        const auto end = Json::parse(content.substr(8, length)).at(tensor).at("data_offsets").at(1).get<std::size_t>();
        std::memcpy(content.data() + 8 + length + end - sizeof value, &value, sizeof value);
        test::writeText(file(tensors), content);
    }
    /// The one line that it is refused with.
    std::string refusal() const
    {
        const auto model = loadModel(folder());
        if (model)
            return "was loaded";
        EXPECT_EQ(std::count(model.error().message.begin(), model.error().message.end(), '\n'), 0);
        EXPECT_EQ(model.error().kind, ErrorKind::BadInput);
        return model.error().message;
    }

private:
    test::TempFolder m_scratch;
};

void expectRefused(const std::string &fixture, const std::string &what, const std::string &says,
                   const std::function<void(const Copy &)> &spoil)
{
    SCOPED_TRACE(fixture + ": " + what);
    const Copy copy(fixture);
    spoil(copy);
    const std::string refusal = copy.refusal();
    EXPECT_NE(refusal.find(says), std::string::npos) << refusal;
}

TEST(QuantizedTensors, WhatIsWrongWithFp8)
{
    const std::string inverse = key + "weight_scale_inv", channel = key + "weight_scale";
    expectRefused("fp8-block", "no scales", "neither", [&](const Copy &copy) { copy.rename(inverse, key + "scale"); });
    expectRefused("fp8-block", "scales of two kinds", "are both",
                  [&](const Copy &copy) { copy.rename("model.layers.1.mlp.down_proj.weight_scale_inv", channel); });
    expectRefused("fp8-block", "other blocks", "are not of one model",
                  [](const Copy &copy) { copy.patch(R"({"weight_block_size": [32, 128]})"); });
    expectRefused("fp8-block", "blocks of one number", "weight_block_size must be two numbers",
                  [](const Copy &copy) { copy.patch(R"({"weight_block_size": [128]})"); });
    expectRefused("fp8-block", "scales of another type", "I32",
                  [&](const Copy &copy) { copy.edit(inverse, [](Json &entry) { entry["dtype"] = "I32"; }); });
    expectRefused("fp8-block", "a scale that is none", "no number",
                  [&](const Copy &copy) { copy.spoil(inverse, std::numeric_limits<float>::quiet_NaN()); });
    expectRefused("fp8-block", "nothing said", "needs a quantization_config",
                  [](const Copy &copy) { test::patchJson(copy.file("config.json"), R"({"quantization_config": null})"); });
    expectRefused("fp8-channel", "channels that are not there", "are not of one model",
                  [&](const Copy &copy) { copy.edit(channel, [](Json &entry) { entry["shape"] = Json::parse("[1, 64]"); }); });
    expectRefused("fp8-tensor", "a vector in FP8", "matrices in layers", [](const Copy &copy) {
        copy.edit("model.norm.weight", [](Json &entry) {
            entry["dtype"] = "F8_E4M3";
            entry["data_offsets"][1] = entry["data_offsets"][0].get<int>() + 128;
        });
    });
}

TEST(QuantizedTensors, WhatIsWrongWithFourBits)
{
    for (const std::string fixture : {"awq", "gptq"}) {
        expectRefused(fixture, "no zeros", "qzeros\" is missing",
                      [](const Copy &copy) { copy.rename(key + "qzeros", key + "zeros"); });
        expectRefused(fixture, "words of another shape", "config.json implies", [](const Copy &copy) {
            copy.edit(key + "qweight", [](Json &entry) { entry["shape"] = Json::parse("[1024]"); });
        });
        expectRefused(fixture, "words of another type", "I32 is read",
                      [](const Copy &copy) { copy.edit(key + "qweight", [](Json &entry) { entry["dtype"] = "F32"; }); });
        expectRefused(fixture, "a scale that is none", "no number of float16",
                      [](const Copy &copy) { copy.spoil(key + "scales", std::uint16_t{0x7e00}); });
        expectRefused(fixture, "other groups", "group_size", [](const Copy &copy) { copy.patch(R"({"group_size": "all"})"); });
        expectRefused(fixture, "small groups", "groups of 64 numbers",
                      [](const Copy &copy) { copy.patch(R"({"group_size": 64})"); });
        expectRefused(fixture, "groups longer than a row", "no whole number of groups",
                      [](const Copy &copy) { copy.patch(R"({"group_size": 1024})"); });
        expectRefused(fixture, "three bits", "3 bits", [](const Copy &copy) { copy.patch(R"({"bits": 3})"); });
    }
    expectRefused("awq", "another layout", "gemv", [](const Copy &copy) { copy.patch(R"({"version": "gemv"})"); });
    expectRefused("gptq", "another layout", "marlin", [](const Copy &copy) { copy.patch(R"({"checkpoint_format": "marlin"})"); });
    expectRefused("gptq", "features in another order", "desc_act",
                  [](const Copy &copy) { copy.spoil(key + "g_idx", std::uint32_t{7}); });
    expectRefused("gptq", "a zero that is read in two ways", "gptq_v2",
                  [](const Copy &copy) { copy.spoil(key + "qzeros", std::uint32_t{0xf7777777}); });
}

TEST(QuantizedTensors, OtherQuantisationsAreRefusedByName)
{
    struct Case {
        std::string members, says;
    };
    const std::vector<Case> cases
        = {{R"({"quant_method": "bitsandbytes"})", "bitsandbytes"},
           {R"({"quant_method": null})", "quant_method"},
           {R"({"format": "pack-quantized"})", "pack-quantized"},
           {R"({"config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}})", "of 4 bits"},
           {R"({"config_groups": {"group_1": {}}})", "2 groups"},
           {R"({"sparsity_config": {"format": "sparse-24"}})", "sparsity_config"},
           {R"({"ignore": "lm_head"})", "ignore"}};
    for (const Case &each : cases)
        expectRefused("fp8-tensor", each.members, each.says, [&](const Copy &copy) { copy.patch(each.members); });
}

/// Scales of activations are said once; biases of nothing, which packers of GPTQ write, are no news; those of something are.
TEST(QuantizedTensors, WhatLiesBesideMatricesIsNoted)
{
    const auto noted = [](const Copy &copy) {
        const auto model = loadModel(copy.folder());
        EXPECT_TRUE(model) << model.error().message;
        return model ? (*model)->config.notes : std::vector<std::string>();
    };
    const std::vector<std::string> ofInputs = noted(Copy("fp8-tensor"));
    ASSERT_EQ(ofInputs.size(), 1u);
    EXPECT_NE(ofInputs.front().find("14 scales of activations are not used"), std::string::npos) << ofInputs.front();
    const Copy copy("gptq-rows");
    EXPECT_TRUE(noted(copy).empty());
    copy.spoil(key + "bias", std::uint16_t{0x3c00});
    const std::vector<std::string> ofBias = noted(copy);
    ASSERT_EQ(ofBias.size(), 1u);
    EXPECT_NE(ofBias.front().find("k_proj.bias"), std::string::npos) << ofBias.front();
}

/// The files decide what is quantised: a matrix that was kept is read as it is, whatever the list says.
TEST(QuantizedTensors, AListThatForgetsAKeptMatrixChangesNothing)
{
    const Copy copy("fp8-experts");
    const auto listed = loadModel(copy.folder());
    copy.patch(R"({"modules_to_not_convert": null})");
    const auto unlisted = loadModel(copy.folder());
    ASSERT_TRUE(listed && unlisted) << unlisted.error().message;
    EXPECT_EQ((*listed)->weights.fingerprint, (*unlisted)->weights.fingerprint);
    EXPECT_EQ((*listed)->config.storedTypes, (*unlisted)->config.storedTypes);
    EXPECT_EQ((*listed)->config.weightType(0, WeightId::Router), DType::F32);
    EXPECT_EQ((*listed)->config.weightType(0, WeightId::ExpertDown), DType::F8);
}

} // namespace
} // namespace zigzag
