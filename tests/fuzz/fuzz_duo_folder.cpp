// SPDX-License-Identifier: GPL-3.0-or-later
// A DuoAttention folder as scores and as a map: full_attention_heads.tsv, a NUL, config.json.
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(duo_folder)
{
    const std::size_t split = std::min(input.find('\0'), input.size());
    zigzag::test::fuzzFile("full_attention_heads.tsv", input.substr(0, split));
    zigzag::test::fuzzFile("config.json", input.substr(std::min(split + 1, input.size())));
    const auto scores = zigzag::readHeadScores(zigzag::test::fuzzFolder());
    const auto map = zigzag::readHeadMap(zigzag::test::fuzzFolder());
    if (map)
        zigzag::test::require(scores && map->layers() == scores->model.layers && map->oneWindow()
                              && map->oneWindow()->recent >= 1);
}
