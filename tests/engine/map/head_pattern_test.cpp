// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace zigzag {
namespace {

/// Every small window as a map has it and as a model's file has it, and full attention.
std::vector<HeadPattern> smallPatterns()
{
    std::vector<HeadPattern> patterns = {HeadPattern::full()};
    for (int recent = 1; recent <= 9; ++recent) {
        patterns.push_back(HeadPattern::ofFile(recent));
        for (int sink = 0; sink <= 9; ++sink)
            patterns.push_back(HeadPattern::streaming(sink, recent));
    }
    return patterns;
}

std::string textOf(const HeadPattern &pattern)
{
    return pattern.letter() + (" sink " + std::to_string(pattern.sink())) + " recent " + std::to_string(pattern.recent());
}

/// The rule as the contract has it.
bool sees(const HeadPattern &pattern, std::int64_t query, std::int64_t key)
{
    return key <= query && (pattern.keepsEverything() || key < pattern.sink() || query - key < pattern.recent());
}

TEST(HeadPattern, SeesWhatTheRuleSays)
{
    for (const HeadPattern &pattern : smallPatterns())
        for (int i = 0; i < 30; ++i) {
            const KeyRange range = pattern.visibleKeys(i);
            ASSERT_LE(range.sinkEnd, range.windowBegin);
            std::int64_t seen = 0;
            for (int j = 0; j < 35; ++j) {
                const bool inRange = j < range.sinkEnd || (j >= range.windowBegin && j < range.windowEnd);
                ASSERT_EQ(inRange, sees(pattern, i, j)) << "query " << i << ", key " << j << ", " << textOf(pattern);
                seen += inRange;
            }
            ASSERT_EQ(range.count(), seen);
        }
}

TEST(HeadPattern, SlotsHoldWhatTheLastQuerySees)
{
    for (const HeadPattern &pattern : smallPatterns())
        for (int context = 1; context < 30; ++context)
            ASSERT_EQ(pattern.slots(context), pattern.visibleKeys(context - 1).count())
                << "context " << context << ", " << textOf(pattern);
}

TEST(HeadPattern, CountsPairsAndKeysOfAPass)
{
    for (const HeadPattern &pattern : smallPatterns()) {
        std::int64_t pairs = 0;
        for (int context = 0; context < 30; ++context) {
            ASSERT_EQ(pattern.pairs(context), pairs) << "context " << context << ", " << textOf(pattern);
            pairs += pattern.visibleKeys(context).count();
        }
        for (int first = 0; first < 12; ++first)
            for (int tokens = 1; tokens < 12; ++tokens) {
                int keys = 0; // that at least one query sees
                for (int key = 0; key < first + tokens; ++key) {
                    bool seen = false;
                    for (int query = first; query < first + tokens; ++query)
                        seen = seen || sees(pattern, query, key);
                    keys += seen;
                }
                ASSERT_EQ(pattern.keysOf(first, tokens), keys) << first << " + " << tokens << ", " << textOf(pattern);
            }
    }
}

TEST(HeadPattern, IsWrittenAsALetterAndComparedAsAValue)
{
    EXPECT_EQ(HeadPattern::full().letter(), 'R');
    EXPECT_EQ(HeadPattern::streaming(4, 16).letter(), 'S');
    EXPECT_EQ(HeadPattern::ofFile(16).letter(), 'L');
    EXPECT_TRUE(HeadPattern::ofFile(16).isOfFile());
    EXPECT_FALSE(HeadPattern::streaming(0, 16).isOfFile());
    EXPECT_EQ(HeadPattern(), HeadPattern::full());
    EXPECT_NE(HeadPattern::streaming(0, 16), HeadPattern::ofFile(16)); // the same keys, but not the map's to change
    EXPECT_NE(HeadPattern::streaming(4, 16), HeadPattern::streaming(5, 16));
    EXPECT_EQ(patternOf(HeadKind::Retrieval, {4, 16}), HeadPattern::full());
    EXPECT_EQ(patternOf(HeadKind::Streaming, {4, 16}), HeadPattern::streaming(4, 16));
    // The largest numbers that are let in do not overflow.
    const HeadPattern widest = HeadPattern::streaming(1 << 30, 1 << 30);
    const std::int64_t longest = std::int64_t{1} << 40;
    EXPECT_EQ(widest.slots(longest), std::int64_t{1} << 31);
    EXPECT_EQ(HeadPattern::full().slots(longest), longest);
    EXPECT_EQ(HeadPattern::full().visibleKeys(longest), (KeyRange{0, 0, longest + 1}));
    EXPECT_EQ(HeadPattern::full().keysOf(longest, 512), longest + 512);
}

TEST(HeadMapWindows, AreOneOrALayersOwn)
{
    HeadMap map({"m", 3, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 16);
    map.setLayer(0, HeadKind::Streaming);
    map.set(2, 1, HeadKind::Streaming);
    EXPECT_EQ(map.oneWindow(), (StreamingWindow{4, 16}));
    const HeadMap before = map;
    map.setLayerWindow(1, 1, 2); // of a layer that streams nowhere
    EXPECT_FALSE(map.oneWindow());
    EXPECT_EQ(map.oneStreamingWindow(), (StreamingWindow{4, 16}));
    EXPECT_NE(map, before);
    EXPECT_EQ(map.pattern(1, 0), HeadPattern::full());
    map.setLayerWindow(2, 1, 2);
    EXPECT_FALSE(map.oneStreamingWindow());
    EXPECT_EQ(map.pattern(0, 1), HeadPattern::streaming(4, 16));
    EXPECT_EQ(map.pattern(2, 0), HeadPattern::full());
    EXPECT_EQ(map.pattern(2, 1), HeadPattern::streaming(1, 2));
    EXPECT_EQ(map.letters(2), "RS");
    const HeadMap all = map.withEvery(HeadKind::Streaming);
    EXPECT_EQ(all.streamingHeads(), 6);
    EXPECT_EQ(all.window(2), (StreamingWindow{1, 2}));
    map.setWindow(4, 16);
    EXPECT_EQ(map, before);
}

TEST(KvBytes, AddUpOverWindowsThatDiffer)
{
    HeadMap map({"m", 3, 4, 2, 8, {}}, HeadKind::Streaming, 4, 16);
    map.setLayerWindow(1, 1, 50);
    map.set(2, 0, HeadKind::Retrieval);
    const std::int64_t row = 32; // key and value, 8 numbers of 2 bytes
    EXPECT_EQ(kvBytes(map, 1000, DType::BF16), row * (2 * 20 + 2 * 51 + 1000 + 20));
    EXPECT_EQ(KvLayout(map, 1000, DType::BF16).layerBytes(1), row * 2 * 51);
    EXPECT_EQ(kvBytes(map, 30, DType::BF16), row * (2 * 20 + 2 * 30 + 30 + 20)); // shorter than a window
}

TEST(KvBytes, OfLlama3AtAMillionTokens)
{
    const ModelShape llama{"Llama-3-8B", 32, 32, 8, 128, {}};
    const std::int64_t context = 1'048'576;
    HeadMap map(llama, HeadKind::Retrieval, 64, 256);
    EXPECT_EQ(kvBytes(map, context, DType::BF16), 137'438'953'472);
    EXPECT_EQ(kvBytes(map, context, DType::F32), 2 * 137'438'953'472);

    map.set(3, 5, HeadKind::Streaming);
    const std::int64_t row = 512; // key and value, 128 numbers of 2 bytes
    const std::int64_t headFull = row * context, headStreaming = row * (64 + 256);
    EXPECT_EQ(kvBytes(map, context, DType::BF16), 137'438'953'472 - headFull + headStreaming);
    EXPECT_EQ(KvLayout(map, context, DType::BF16).layerBytes(3), 7 * headFull + headStreaming);
    EXPECT_EQ(kvBytes(HeadMap(llama, HeadKind::Streaming, 64, 256), context, DType::BF16), 32 * 8 * headStreaming);
    // A context shorter than the window keeps every token, whatever the kind.
    EXPECT_EQ(kvBytes(HeadMap(llama, HeadKind::Streaming, 64, 256), 100, DType::BF16), row * 100 * 256);
}

} // namespace
} // namespace zigzag
