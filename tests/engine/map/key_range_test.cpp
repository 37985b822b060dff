// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/key_range.h"
#include "engine/map/kv_layout.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

TEST(KeyRange, IsTheDefinition)
{
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming})
        for (int sink = 0; sink <= 9; ++sink)
            for (int recent = 1; recent <= 9; ++recent)
                for (int i = 0; i < 30; ++i) {
                    const KeyRange range = visibleKeys(kind, i, sink, recent);
                    ASSERT_LE(range.sinkEnd, range.windowBegin);
                    std::int64_t seen = 0;
                    for (int j = 0; j < 35; ++j) {
                        const bool expected = j <= i && (kind == HeadKind::Retrieval || j < sink || i - j < recent);
                        const bool inRange = j < range.sinkEnd || (j >= range.windowBegin && j < range.windowEnd);
                        ASSERT_EQ(inRange, expected)
                            << "query " << i << ", key " << j << ", sink " << sink << ", recent " << recent;
                        seen += expected;
                    }
                    ASSERT_EQ(range.count(), seen);
                }
}

TEST(KeyRange, SlotsHoldWhatTheLastQuerySees)
{
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming})
        for (int sink = 0; sink <= 9; ++sink)
            for (int recent = 1; recent <= 9; ++recent)
                for (int context = 1; context < 30; ++context)
                    ASSERT_EQ(kvSlots(kind, context, sink, recent), visibleKeys(kind, context - 1, sink, recent).count())
                        << "context " << context << ", sink " << sink << ", recent " << recent;
}

TEST(KvBytes, OfLlama3AtAMillionTokens)
{
    const ModelShape llama{"Llama-3-8B", 32, 32, 8, 128, {}};
    const std::int64_t context = 1'048'576;
    HeadMap map(llama, HeadKind::Retrieval, 64, 256);
    EXPECT_EQ(kvBytes(map, context, DType::BF16), 137'438'953'472);
    EXPECT_EQ(kvBytes(map, context, DType::F32), 2 * 137'438'953'472);

    map.set(3, 5, HeadKind::Streaming);
    const std::int64_t headFull = 2 * 128 * 2 * context, headStreaming = 2 * 128 * 2 * (64 + 256);
    EXPECT_EQ(kvBytes(map, context, DType::BF16), 137'438'953'472 - headFull + headStreaming);
    EXPECT_EQ(KvLayout(map, context, DType::BF16).layerBytes(3), 7 * headFull + headStreaming);
    EXPECT_EQ(kvBytes(HeadMap(llama, HeadKind::Streaming, 64, 256), context, DType::BF16), 32 * 8 * headStreaming);
    // A context shorter than the window keeps every token, whatever the kind.
    EXPECT_EQ(kvBytes(HeadMap(llama, HeadKind::Streaming, 64, 256), 100, DType::BF16), std::int64_t{2} * 128 * 2 * 100 * 256);
}

} // namespace
} // namespace zigzag
