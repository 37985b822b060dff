// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weight_type.h"

#include <array>
#include <gtest/gtest.h>
#include <set>
#include <string_view>

namespace zigzag {
namespace {

/// Bytes of 256 numbers, as the format's own documents have them.
TEST(WeightType, BytesOfARow)
{
    struct Row {
        WeightType type;
        std::string_view name;
        std::int64_t block, bytes;
    };
    const std::array rows = {
        Row{DType::F32, "f32", 1, 1024},       Row{DType::F16, "f16", 1, 512},         Row{DType::BF16, "bf16", 1, 512},
        Row{BlockType::Q40, "q4_0", 32, 144},  Row{BlockType::Q41, "q4_1", 32, 160},   Row{BlockType::Q50, "q5_0", 32, 176},
        Row{BlockType::Q51, "q5_1", 32, 192},  Row{BlockType::Q80, "q8_0", 32, 272},   Row{BlockType::Q4K, "q4_k", 256, 144},
        Row{BlockType::Q5K, "q5_k", 256, 176}, Row{BlockType::Q6K, "q6_k", 256, 210},  Row{BlockType::Mxfp4, "mxfp4", 32, 136},
        Row{DType::F8, "fp8", 1, 256},         Row{BlockType::Int4, "int4", 128, 136},
    };
    std::set<WeightType> seen;
    for (const Row &row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(nameOf(row.type), row.name);
        EXPECT_EQ(findWeightType(row.name), row.type);
        EXPECT_EQ(row.type.blockLength(), row.block);
        EXPECT_EQ(rowBytes(row.type, 256), row.bytes);
        EXPECT_EQ(rowBytes(row.type, 4096), 16 * row.bytes);
        EXPECT_EQ(row.type.isBlocks(), row.block > 1);
        EXPECT_EQ(row.type.plain().has_value(), row.block == 1);
        EXPECT_EQ(row.type.block().has_value(), row.block > 1);
        EXPECT_EQ(row.type.isQuantised(), row.block > 1 || row.type == DType::F8);
        seen.insert(row.type);
    }
    EXPECT_EQ(seen.size(), rows.size());
    EXPECT_EQ(weightTypes().size(), rows.size());
    EXPECT_FALSE(findWeightType("Q4_K"));
}

} // namespace
} // namespace zigzag
