// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_file.h"

#include "engine/model/gguf/gguf_keys.h"
#include "tests/gguf_builder.h"
#include "tests/paths.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::GgufBuilder;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/gguf";

std::string zeros(std::size_t count)
{
    return std::string(count, '\0');
}

GgufFile open(const fs::path &file)
{
    auto opened = GgufFile::open(file);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : GgufFile();
}

TEST(GgufFile, ValuesHaveTheirTypes)
{
    const test::TempFolder scratch;
    GgufBuilder builder;
    builder.text("name", "a b").u32("u32", 7).u64("u64", 1ull << 40).f32("f32", 1e-5f).flag("flag", true);
    builder.raw("i16", 3, GgufBuilder::bytes(std::int16_t{-5})).raw("f64", 12, GgufBuilder::bytes(0.1));
    builder.texts("texts", {"x", "", "yz"});
    builder.raw("ints", 9,
                GgufBuilder::bytes(std::uint32_t{1}) + GgufBuilder::bytes(std::uint64_t{3}) + std::string("\x04\x04\xfc", 3));
    builder.raw("same", 9,
                GgufBuilder::bytes(std::uint32_t{4}) + GgufBuilder::bytes(std::uint64_t{2}) + GgufBuilder::bytes(9u)
                    + GgufBuilder::bytes(9u));
    const GgufFile file = open(builder.write(scratch / "a.gguf"));
    EXPECT_EQ(ggufText(file, "name").value(), "a b");
    EXPECT_EQ(ggufInteger(file, "u32").value(), 7);
    EXPECT_EQ(ggufInteger(file, "u64").value(), std::int64_t{1} << 40);
    EXPECT_EQ(ggufInteger(file, "same").value(), 9);
    EXPECT_EQ(ggufInteger(file, "absent").value(), std::nullopt);
    EXPECT_EQ(ggufNumber(file, "f32").value(), 1e-5); // as written, not 9.99999974e-06
    EXPECT_EQ(ggufNumber(file, "f64").value(), 0.1);
    EXPECT_EQ(ggufFlag(file, "flag").value(), true);
    const GgufArray *ints = ggufArray(file, "ints").value(), *texts = ggufArray(file, "texts").value();
    ASSERT_TRUE(ints && texts);
    EXPECT_EQ(ints->integer(2), -4);
    EXPECT_EQ(texts->text(2), "yz");
    for (const char *key : {"name", "i16", "f32", "ints", "texts"})
        EXPECT_FALSE(ggufInteger(file, key)) << key;
    EXPECT_NE(ggufText(file, "u32").error().message.find("u32 in its metadata must be a string"), std::string::npos);
}

TEST(GgufFile, ShapesAreRowsFirstAndDataIsWhereItLies)
{
    const test::TempFolder scratch;
    GgufBuilder builder;
    builder.tensor("v", {2}, 0, GgufBuilder::bytes(1.5f) + GgufBuilder::bytes(2.5f));
    builder.tensor("m", {32, 3, 2}, 2, zeros(6 * 17) + std::string(6, 'x'));
    for (const std::uint32_t version : {2u, 3u}) {
        builder.version = version;
        const GgufFile file = open(builder.write(scratch / "a.gguf"));
        const GgufTensor *vector = file.findTensor("v"), *matrix = file.findTensor("m");
        ASSERT_TRUE(vector && matrix);
        EXPECT_EQ(matrix->shape, (std::vector<std::int64_t>{2, 3, 32}));
        EXPECT_EQ(matrix->typeName(), "Q4_0");
        EXPECT_EQ(matrix->bytes, 6u * 18);
        EXPECT_EQ(static_cast<char>(matrix->data[6 * 18 - 1]), 'x');
        float numbers[2];
        decodeNumbers(*vector->type->stored, vector->data, 2, numbers);
        EXPECT_EQ(numbers[1], 2.5f);
        EXPECT_EQ(file.tensorBytes(), 8 + 6 * 18);
    }
}

/// Bit for bit what the Python package makes of the same blocks (tests/fixtures/make_gguf.py).
TEST(GgufFile, BlocksOfEveryTypeDecodeToTheSameBits)
{
    const GgufFile file = open(fixtures / "blocks.gguf");
    int types = 0;
    for (const auto &[name, tensor] : file.tensors()) {
        if (name.ends_with(".decoded"))
            continue;
        SCOPED_TRACE(name);
        const GgufTensor *decoded = file.findTensor(std::string(name) + ".decoded");
        ASSERT_TRUE(decoded && tensor.type && tensor.type->isRead() && tensor.type->stored->isBlocks());
        EXPECT_EQ(tensor.type->name, name);
        ASSERT_EQ(decoded->shape, tensor.shape);
        std::vector<float> numbers(decoded->bytes / sizeof(float));
        decodeNumbers(*tensor.type->stored, tensor.data, std::ssize(numbers), numbers.data());
        EXPECT_GT(numbers.size(), 5000u);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            std::uint32_t expected = 0;
            std::memcpy(&expected, decoded->data + i * sizeof(float), sizeof expected);
            wrong += std::bit_cast<std::uint32_t>(numbers[i]) != expected ? 1 : 0;
        }
        EXPECT_EQ(wrong, 0u);
        ++types;
    }
    EXPECT_EQ(types, 9);
}

struct Wrong {
    const char *name;
    std::string content, message;
};

std::vector<Wrong> wrongFiles()
{
    const auto one = [](const std::function<void(GgufBuilder &)> &spoil) {
        GgufBuilder builder;
        spoil(builder);
        return builder.content();
    };
    GgufBuilder good;
    good.u32("key", 1).tensor("t", {4}, 0, zeros(16));
    const std::string whole = good.content();
    return {
        {"magic", "GGML" + whole.substr(4), "no GGUF file"},
        {"version1", one([](auto &b) { b.version = 1; }), "version 1 of GGUF"},
        {"bigEndian", one([](auto &b) { b.version = 0x03000000; }), "big-endian"},
        {"version", one([](auto &b) { b.version = 4; }), "version 4 of GGUF is not read, only versions 2 and 3 are"},
        {"counts", one([](auto &b) { b.extraTensors = 1ull << 60; }), "do not fit into its 32 bytes"},
        {"values", one([](auto &b) { b.extraValues = 1ull << 60; }), "do not fit into its 32 bytes"},
        {"cutHeader", whole.substr(0, 20), "ends within its count of metadata"},
        {"cutValue", whole.substr(0, 40), "truncated"},
        {"cutData", whole.substr(0, whole.size() - 32), "lie outside its 0 bytes"},
        {"type", one([](auto &b) { b.raw("k", 13, zeros(8)); }), "\"k\" is of a type that GGUF does not have (13)"},
        {"longText", one([](auto &b) { b.raw("k", 8, GgufBuilder::bytes(std::uint64_t{1} << 62)); }), "go beyond its end"},
        {"longArray", one([](auto &b) { b.raw("k", 9, GgufBuilder::bytes(10u) + GgufBuilder::bytes(std::uint64_t{1} << 61)); }),
         "values of \"k\" go beyond its end"},
        {"nested", one([](auto &b) { b.raw("k", 9, GgufBuilder::bytes(9u) + zeros(16)); }), "array of a type"},
        {"twice", one([](auto &b) { b.u32("k", 1).u32("k", 2); }), "\"k\" is there twice"},
        {"alignment", one([](auto &b) { b.u32("general.alignment", 24); }), "not a power of two"},
        {"noAlignment", one([](auto &b) { b.u32("general.alignment", 0); }), "not a power of two"},
        {"tensorTwice", one([](auto &b) { b.tensor("t", {4}, 0, zeros(16)).tensor("t", {4}, 0, zeros(16)); }),
         "tensor \"t\" is there twice"},
        {"overlap", one([](auto &b) { b.tensor("a", {16}, 0, zeros(64)).place("b", {4}, 0, 32); }), "\"a\" and \"b\" overlap"},
        {"outside", one([](auto &b) { b.place("t", {4}, 0, 1ull << 62); }), "lie outside"},
        {"unaligned", one([](auto &b) { b.tensor("a", {16}, 0, zeros(64)).place("b", {4}, 0, 68); }), "not aligned to 32"},
        {"rank", one([](auto &b) {
             b.tensor("t", {1, 1, 1, 1, 1}, 0, zeros(4));
         }),
         "has 5 dimensions"},
        {"noRank", one([](auto &b) { b.tensor("t", {}, 0, zeros(4)); }), "has 0 dimensions"},
        {"empty", one([](auto &b) { b.tensor("t", {0}, 0, ""); }), "a shape that no file can hold"},
        {"shape", one([](auto &b) {
             b.tensor("t", {1ull << 40, 1ull << 40}, 0, "");
         }),
         "a shape that no file can hold"},
        {"bytes", one([](auto &b) { b.tensor("t", {1ull << 62}, 0, ""); }), "a shape that no file can hold"},
        {"partBlock", one([](auto &b) {
             b.tensor("t", {33, 32}, 2, zeros(1000));
         }),
         "rows of 33 numbers"},
    };
}

TEST(GgufFile, EverythingWrongIsOneError)
{
    const test::TempFolder scratch;
    for (const Wrong &wrong : wrongFiles()) {
        SCOPED_TRACE(wrong.name);
        const fs::path file = scratch / "a.gguf";
        test::writeText(file, wrong.content);
        const auto opened = GgufFile::open(file);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().kind, ErrorKind::BadInput);
        EXPECT_NE(opened.error().message.find(wrong.message), std::string::npos) << opened.error().message;
        EXPECT_EQ(opened.error().message.rfind(file.string() + ": ", 0), 0u) << opened.error().message;
    }
}

TEST(GgufFile, TypesThatAreNotReadAreKeptByName)
{
    const test::TempFolder scratch;
    GgufBuilder builder;
    builder.place("iq", {256}, 18, 0).place("new", {3}, 250, 0);
    const GgufFile file = open(builder.write(scratch / "a.gguf"));
    EXPECT_EQ(file.findTensor("iq")->typeName(), "IQ3_XXS");
    EXPECT_FALSE(file.findTensor("iq")->type->isRead());
    EXPECT_EQ(file.findTensor("new")->typeName(), "number 250");
}

TEST(GgufFile, AnyFileOfASplitModelOpensAll)
{
    const GgufFile whole = open(fixtures / "llama-f32.gguf");
    for (int part = 1; part <= 3; ++part) {
        const GgufFile split = open(fixtures / fmt::format("split-{:05}-of-00003.gguf", part));
        ASSERT_EQ(split.tensors().size(), whole.tensors().size());
        EXPECT_EQ(ggufText(split, "general.architecture").value(), "llama");
        for (const auto &[name, tensor] : whole.tensors()) {
            const GgufTensor *other = split.findTensor(name);
            ASSERT_TRUE(other && other->bytes == tensor.bytes) << name;
            EXPECT_EQ(std::memcmp(other->data, tensor.data, tensor.bytes), 0) << name;
        }
        EXPECT_NE(split.fileOf("output_norm.weight"), split.fileOf("token_embd.weight"));
    }
}

TEST(GgufFile, APartThatIsMissingOrMisnamedIsNamed)
{
    const test::TempFolder scratch;
    const auto copy = [&](const char *from, const char *to) { fs::copy_file(fixtures / from, scratch / to); };
    const auto messageOf = [&](const char *name) {
        const auto opened = GgufFile::open(scratch / name);
        return opened ? std::string("opened") : opened.error().message;
    };
    copy("split-00002-of-00003.gguf", "m-00002-of-00003.gguf");
    EXPECT_NE(messageOf("m-00002-of-00003.gguf").find("m-00001-of-00003.gguf: the first of the 3 files"), std::string::npos);
    copy("split-00001-of-00003.gguf", "m-00001-of-00003.gguf");
    EXPECT_NE(messageOf("m-00002-of-00003.gguf").find("m-00003-of-00003.gguf: file 3 of the 3"), std::string::npos);
    copy("split-00002-of-00003.gguf", "m-00003-of-00003.gguf");
    EXPECT_NE(messageOf("m-00001-of-00003.gguf").find("is there twice"), std::string::npos);
    copy("split-00001-of-00003.gguf", "renamed.gguf");
    EXPECT_NE(messageOf("renamed.gguf").find("its name does not end in -00001-of-00003.gguf"), std::string::npos);
}

} // namespace
} // namespace zigzag
