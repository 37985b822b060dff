// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/sha256.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

TEST(Sha256, GivesThePublishedDigests)
{
    // FIPS 180-4 examples.
    EXPECT_EQ(Sha256().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256 whole, pieces;
    whole.update("abc");
    pieces.update("a");
    pieces.update("bc");
    EXPECT_EQ(whole.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(pieces.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace zigzag
