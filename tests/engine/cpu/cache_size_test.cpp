// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/cache_size.h"
#include "tests/temp_folder.h"

#include <fstream>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

void addCache(const std::filesystem::path &processors, int processor, int index, const char *level, const char *type,
              const char *size, const char *shared)
{
    const auto folder = processors / ("cpu" + std::to_string(processor)) / "cache" / ("index" + std::to_string(index));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "level") << level << '\n';
    std::ofstream(folder / "type") << type << '\n';
    std::ofstream(folder / "size") << size << '\n';
    std::ofstream(folder / "shared_cpu_list") << shared << '\n';
}

TEST(CacheSize, EveryLastLevelCacheCountsOnce)
{
    test::TempFolder folder;
    for (int processor = 0; processor < 4; ++processor) {
        addCache(folder.path(), processor, 0, "1", "Data", "48K", std::to_string(processor).c_str());
        addCache(folder.path(), processor, 1, "1", "Instruction", "32K", std::to_string(processor).c_str());
        addCache(folder.path(), processor, 2, "3", "Unified", "32768K", processor < 2 ? "0-1" : "2-3");
        addCache(folder.path(), processor, 3, "2", "Unified", "1M", std::to_string(processor).c_str());
    }
    EXPECT_EQ(lastLevelCacheBytes(folder.path()), 64 << 20);
}

TEST(CacheSize, WhatCannotBeReadIsNotCounted)
{
    test::TempFolder folder;
    const std::int64_t unknown = lastLevelCacheBytes(folder.path()); // what the C library says
    EXPECT_GE(unknown, 0);
    addCache(folder.path(), 0, 0, "2", "Unified", "999999999999999999999G", "0");
    EXPECT_EQ(lastLevelCacheBytes(folder.path()), 999999999);
    addCache(folder.path(), 0, 0, "two", "Unified", "much", "0");
    EXPECT_EQ(lastLevelCacheBytes(folder.path()), unknown);
}

} // namespace
} // namespace zigzag
