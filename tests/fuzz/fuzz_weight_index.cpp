// SPDX-License-Identifier: GPL-3.0-or-later
// model.safetensors.index.json over two shards that are in order.
#include "engine/model/checkpoint.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

std::string shard(const std::string &tensor)
{
    const std::string header = "{\"" + tensor + R"(": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})";
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(header.size());
    return bytes + header + std::string(4, '\0');
}

} // namespace

ZIGZAG_FUZZ(weight_index)
{
    static const bool written = [] {
        zigzag::test::fuzzFile("a.safetensors", shard("a"));
        zigzag::test::fuzzFile("b.safetensors", shard("b"));
        return true;
    }();
    (void)written;
    zigzag::test::fuzzFile("model.safetensors.index.json", input);
    const auto checkpoint = zigzag::Checkpoint::open(zigzag::test::fuzzFolder());
    if (checkpoint) {
        (void)checkpoint->find("a");
        (void)checkpoint->fileOf("b");
    }
}
