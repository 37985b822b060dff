// SPDX-License-Identifier: GPL-3.0-or-later
// The folder that duo-attention's load_attn_pattern reads: full_attention_heads.tsv, written as numpy.savetxt writes it
// (1 = full attention), and config.json with the two window sizes.
#include "engine/base/files.h"
#include "profiler/exports/format_list.h"

#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace {

std::string headsTsv(const HeadMap &map)
{
    std::string text;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head)
            text += fmt::format("{:.18e}{}", map.at(layer, head) == HeadKind::Retrieval ? 1.0 : 0.0,
                                head + 1 < map.kvHeads() ? '\t' : '\n');
    return text;
}

Result<void> write(const HeadMap &map, const std::filesystem::path &out)
{
    std::error_code error;
    const bool created = std::filesystem::create_directory(out, error); // an existing folder is no error
    if (error)
        return badInput(fmt::format("{}: the folder cannot be made ({}); choose a folder whose parent exists", out.string(),
                                    error.message()));
    auto done = writeFileAtomically(out / "full_attention_heads.tsv", headsTsv(map));
    if (done)
        done = writeFileAtomically(out / "config.json",
                                   fmt::format("{{\"sink_size\": {}, \"recent_size\": {}}}\n", map.sink(), map.recent()));
    if (!done && created) // leave no half of an export behind
        std::filesystem::remove_all(out, error);
    return done;
}

} // namespace

ExportFormat duoAttentionFormat()
{
    return {"duo-attention", "DuoAttention folder", true,
            [](const HeadMap &) {
                return ExportVerdict{true, true, true,
                                     "its decode sees sink + recent keys and the token itself: one key more than our window; its "
                                     "mixed layers run as two attention calls"};
            },
            write};
}

} // namespace zigzag
