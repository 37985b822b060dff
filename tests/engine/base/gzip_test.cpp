// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace zigzag {
namespace {

std::string gzipped(const std::string &text)
{
    z_stream stream = {};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef *>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.erase(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

TEST(Gzip, UnpacksEveryMemberAndIgnoresWhatFollows)
{
    const std::string text(300'000, 'x');
    EXPECT_EQ(gunzip(gzipped(text), 1 << 20, "f").value(), text);
    EXPECT_EQ(gunzip(gzipped("one ") + gzipped("two"), 100, "f").value(), "one two");
    EXPECT_EQ(gunzip(gzipped("one") + "rest", 100, "f").value(), "one");
    EXPECT_EQ(gunzip(gzipped(""), 100, "f").value(), "");
    EXPECT_EQ(gunzipBeginning(gzipped(text), 10), std::string(10, 'x'));
    const std::string packed = gzipped(text + "y");
    EXPECT_EQ(gunzipBeginning(packed.substr(0, packed.size() / 2), 10), std::string(10, 'x'));
    EXPECT_EQ(gunzipBeginning("\x1f\x8b garbage", 10), "");
}

TEST(Gzip, BombsDamageAndCutsAreRefused)
{
    const std::string bomb = gzipped(std::string(64 << 20, '\0'));
    ASSERT_LT(bomb.size(), 100'000u);
    const auto refusal = [](const std::string &bytes, std::uint64_t limit) {
        const auto unpacked = gunzip(bytes, limit, "f.gz");
        return unpacked ? std::string() : unpacked.error().message;
    };
    EXPECT_EQ(refusal(bomb, 1 << 20),
              "f.gz: unpacks to more than 1048576 bytes, the most that is read here; give a smaller file");
    EXPECT_EQ(refusal(bomb, 64 << 20), "");
    const std::string packed = gzipped("a text that is long enough to be cut");
    EXPECT_NE(refusal(packed.substr(0, packed.size() - 1), 100).find("cut off"), std::string::npos);
    std::string damaged = packed;
    damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1); // its checksum
    EXPECT_NE(refusal(damaged, 100).find("damaged"), std::string::npos);
    EXPECT_NE(refusal("\x1f\x8b garbage", 100).find("f.gz: "), std::string::npos);
}

} // namespace
} // namespace zigzag
