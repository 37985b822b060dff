// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/files.h"

#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path &folder)
{
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Files, WhatWasWrittenIsRead)
{
    const test::TempFolder folder;
    const std::string content("one\0two\n", 8);
    ASSERT_TRUE(writeFileAtomically(folder / "a", content));
    ASSERT_TRUE(writeFileAtomically(folder / "a", content + content));
    const auto read = readTextFile(folder / "a");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, content + content);
    EXPECT_EQ(entries(folder.path()), 1u); // no temporary file is left
}

TEST(Files, ReadingRefusesFoldersMissingFilesAndLargeOnes)
{
    const test::TempFolder folder;
    test::writeText(folder / "a", "12345");
    for (const auto &refused : {readTextFile(folder.path()), readTextFile(folder / "none"), readTextFile(folder / "a", 4)}) {
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
        EXPECT_NE(refused.error().message.find(folder.path().string()), std::string::npos) << refused.error().message;
    }
    EXPECT_TRUE(readTextFile(folder / "a", 5));
    EXPECT_FALSE(readTextFile("/dev/zero", 1000)); // endless
}

TEST(Files, AnUncommittedFileLeavesTheOldOne)
{
    const test::TempFolder folder;
    ASSERT_TRUE(writeFileAtomically(folder / "a", "old"));
    {
        auto file = AtomicFile::create(folder / "a");
        ASSERT_TRUE(file) << file.error().message;
        ASSERT_TRUE(file->write("new"));
    }
    EXPECT_EQ(test::readText(folder / "a"), "old");
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Files, AFullDiskIsAFailureAndADeviceStaysADevice)
{
    const auto written = writeFileAtomically("/dev/full", "content");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::BadInput);
    EXPECT_NE(written.error().message.find("disk is full"), std::string::npos) << written.error().message;
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(Files, WritingRefusesFoldersAndMissingFolders)
{
    const test::TempFolder folder;
    for (const auto &refused :
         {writeFileAtomically(folder.path(), "x"), writeFileAtomically(folder / "none/a", "x"), writeFileAtomically("", "x")}) {
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
    }
    EXPECT_EQ(entries(folder.path()), 0u);
}

TEST(Files, ALinkStaysALink)
{
    const test::TempFolder folder;
    ASSERT_TRUE(writeFileAtomically(folder / "real", "old"));
    fs::create_symlink(folder / "real", folder / "link");
    ASSERT_TRUE(writeFileAtomically(folder / "link", "new"));
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(test::readText(folder / "real"), "new");
}

} // namespace
} // namespace zigzag
