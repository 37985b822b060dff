// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/model_files.h"

#include "engine/model/checkpoint.h"

#include <fmt/format.h>
#include <set>
#include <system_error>

namespace zigzag {

namespace {

namespace fs = std::filesystem;

constexpr const char *tokenizerFiles[]
    = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",     "vocab.json",
       "merges.txt",     "tokenizer.model",       "chat_template.jinja",     "generation_config.json"};
constexpr const char *shardIndex = "model.safetensors.index.json";

} // namespace

Result<void> bringFile(const fs::path &from, const fs::path &to, WeightFiles files)
{
    std::error_code error;
    fs::remove(to, error);
    const fs::path source = fs::canonical(from, error);
    if (!error && files == WeightFiles::Link)
        fs::create_symlink(source, to, error);
    else if (!error)
        fs::copy_file(source, to, error);
    if (error)
        return failed(fmt::format("{}: could not be made from {} ({}); free space, or choose another folder", to.string(),
                                  from.string(), error.message()));
    return {};
}

Result<void> bringTokenizer(const fs::path &folder, const fs::path &to)
{
    for (const char *name : tokenizerFiles)
        if (std::error_code ignored; fs::exists(folder / name, ignored))
            ZIGZAG_CHECK(bringFile(folder / name, to / name, WeightFiles::Copy));
    return {};
}

Result<int> bringWeights(const fs::path &folder, const fs::path &to, WeightFiles files)
{
    ZIGZAG_TRY(checkpoint, Checkpoint::open(folder));
    std::set<std::string> weights;
    for (const std::string &tensor : checkpoint.names())
        weights.insert(checkpoint.fileOf(tensor));
    for (const std::string &file : weights)
        ZIGZAG_CHECK(bringFile(file, to / fs::path(file).filename(), files));
    if (std::error_code ignored; fs::exists(folder / shardIndex, ignored))
        ZIGZAG_CHECK(bringFile(folder / shardIndex, to / shardIndex, WeightFiles::Copy));
    ZIGZAG_CHECK(bringTokenizer(folder, to));
    return static_cast<int>(weights.size());
}

} // namespace zigzag
