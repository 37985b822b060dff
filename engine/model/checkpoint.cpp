// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/checkpoint.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"

#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

/// An index may name files of its own folder only.
bool isPlainName(const std::string &name)
{
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos
        && name.find('\0') == std::string::npos;
}

} // namespace

Result<Checkpoint> Checkpoint::open(const fs::path &folder)
{
    Checkpoint checkpoint;
    checkpoint.m_folder = folder;
    constexpr auto single = "model.safetensors";
    const fs::path index = folder / "model.safetensors.index.json";
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(folder / single, ignored))) {
        ZIGZAG_TRY(file, openSafetensors(folder / single));
        for (const auto &[name, tensor] : file.tensors)
            checkpoint.m_fileOf.emplace(name, 0);
        checkpoint.m_files.push_back(std::move(file));
        checkpoint.m_fileNames.emplace_back(single);
        return checkpoint;
    }
    if (!fs::exists(fs::symlink_status(index, ignored)))
        return badInput(fmt::format("{}: there is no {} and no {}; download the model's safetensors files into this folder",
                                    folder.string(), single, index.filename().string()));

    const std::string where = index.string();
    ZIGZAG_TRY(text, readTextFile(index));
    ZIGZAG_TRY(document, json::parse(text, where));
    ZIGZAG_TRY(shardOf, json::objectIn(document, "weight_map", where));
    std::map<std::string, std::size_t> opened;
    for (const auto &[tensor, value] : shardOf->items()) {
        ZIGZAG_TRY(shard, json::asString(value, fmt::format("the shard of \"{}\"", json::printable(tensor)), where));
        if (!isPlainName(shard))
            return badInput(fmt::format("{}: shard \"{}\" is not a file name in this folder; correct the index", where,
                                        json::printable(shard)));
        const auto [place, isNew] = opened.emplace(shard, checkpoint.m_files.size());
        if (isNew) {
            if (!fs::exists(fs::symlink_status(folder / shard, ignored)))
                return badInput(
                    fmt::format("{}: shard \"{}\" is missing; download it into this folder", where, json::printable(shard)));
            ZIGZAG_TRY(file, openSafetensors(folder / shard));
            checkpoint.m_files.push_back(std::move(file));
            checkpoint.m_fileNames.push_back(shard);
        }
        if (!checkpoint.m_files[place->second].tensors.contains(tensor))
            return badInput(fmt::format("{}: tensor \"{}\" is not in its shard \"{}\"; fetch both anew", where,
                                        json::printable(tensor), json::printable(shard)));
        checkpoint.m_fileOf.emplace(tensor, place->second);
    }
    return checkpoint;
}

const StoredTensor *Checkpoint::find(std::string_view name) const
{
    const auto place = m_fileOf.find(name);
    return place == m_fileOf.end() ? nullptr : &m_files[place->second].tensors.find(name)->second;
}

std::string Checkpoint::fileOf(std::string_view name) const
{
    const auto place = m_fileOf.find(name);
    return (place == m_fileOf.end() ? m_folder : m_folder / m_fileNames[place->second]).string();
}

std::vector<std::shared_ptr<const void>> Checkpoint::owners() const
{
    std::vector<std::shared_ptr<const void>> all;
    for (const SafetensorsFile &file : m_files)
        all.push_back(file.owner);
    return all;
}

} // namespace zigzag
