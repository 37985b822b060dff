// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/checkpoint.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"

#include <fmt/format.h>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

/// An index may name files of its own folder only.
bool isPlainName(const std::string &name)
{
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos
        && name.find('\0') == std::string::npos;
}

constexpr auto single = "model.safetensors", indexName = "model.safetensors.index.json";

Result<json::Value> readIndex(const fs::path &index)
{
    ZIGZAG_TRY(text, readTextFile(index));
    ZIGZAG_TRY(document, json::parse(text, index.string()));
    ZIGZAG_CHECK(json::objectIn(document, "weight_map", index.string()));
    return document;
}

} // namespace

bool Checkpoint::isAbsent(const fs::path &folder)
{
    if (isThere(folder / single))
        return false;
    if (!isThere(folder / indexName))
        return true;
    const auto document = readIndex(folder / indexName);
    if (!document || document->at("weight_map").empty())
        return false; // `open` says what is wrong with it
    std::string last;
    for (const json::Value &shard : document->at("weight_map")) {
        if (!shard.is_string() || !isPlainName(shard.get_ref<const std::string &>()))
            return false;
        if (shard.get_ref<const std::string &>() == last)
            continue; // neighbours are mostly in one shard
        last = shard.get_ref<const std::string &>();
        if (isThere(folder / last))
            return false;
    }
    return true;
}

Result<Checkpoint> Checkpoint::open(const fs::path &folder)
{
    Checkpoint checkpoint;
    checkpoint.m_folder = folder;
    const fs::path index = folder / indexName;
    if (isThere(folder / single)) {
        ZIGZAG_TRY(file, openSafetensors(folder / single));
        for (const auto &[name, tensor] : file.tensors)
            checkpoint.m_fileOf.emplace(name, 0);
        checkpoint.m_files.push_back(std::move(file));
        checkpoint.m_fileNames.emplace_back(single);
        return checkpoint;
    }
    if (!isThere(index))
        return badInput(fmt::format("{}: there is no {} and no {}; download the model's safetensors files into this folder",
                                    folder.string(), single, index.filename().string()));

    const std::string where = index.string();
    ZIGZAG_TRY(document, readIndex(index));
    ZIGZAG_TRY(shardOf, json::objectIn(document, "weight_map", where));
    std::map<std::string, std::size_t> opened;
    for (const auto &[tensor, value] : shardOf->items()) {
        ZIGZAG_TRY(shard, json::asString(value, fmt::format("the shard of \"{}\"", json::printable(tensor)), where));
        if (!isPlainName(shard))
            return badInput(fmt::format("{}: shard \"{}\" is not a file name in this folder; correct the index", where,
                                        json::printable(shard)));
        const auto [place, isNew] = opened.emplace(shard, checkpoint.m_files.size());
        if (isNew) {
            if (!isThere(folder / shard))
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

std::vector<std::string> Checkpoint::names() const
{
    std::vector<std::string> all;
    for (const auto &[name, file] : m_fileOf)
        all.push_back(name);
    return all;
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
