// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/checkpoint.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

/// An index may name files of its own folder only.
bool isPlainName(const std::string &name)
{
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos
        && name.find('\0') == std::string::npos;
}

/// What models that also see put before the names of their text part, in the place of "model.".
constexpr std::string_view textPrefixes[] = {"model.language_model.", "language_model.model."};

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
    auto checkpoint = openFiles(folder);
    if (checkpoint)
        checkpoint->keepTextPart();
    return checkpoint;
}

void Checkpoint::keepTextPart()
{
    constexpr std::string_view alone = "model.", head = "lm_head.weight", outerHead = "language_model.lm_head.weight";
    const auto hasEmbedding
        = [&](std::string_view prefix) { return m_places.contains(fmt::format("{}embed_tokens.weight", prefix)); };
    if (hasEmbedding(alone))
        return;
    const auto prefix = std::find_if(std::begin(textPrefixes), std::end(textPrefixes), hasEmbedding);
    if (prefix == std::end(textPrefixes))
        return;
    std::map<std::string, Place, std::less<>> kept;
    for (auto &[name, place] : m_places) {
        if (name.starts_with(*prefix))
            kept.emplace(fmt::format("{}{}", alone, name.substr(prefix->size())), std::move(place));
        else if (name == head || name == outerHead)
            kept.emplace(head, std::move(place));
    }
    m_places = std::move(kept);
}

Result<Checkpoint> Checkpoint::openFiles(const fs::path &folder)
{
    Checkpoint checkpoint;
    checkpoint.m_folder = folder;
    const fs::path index = folder / indexName;
    if (isThere(folder / single)) {
        ZIGZAG_TRY(file, openSafetensors(folder / single));
        for (const auto &[name, tensor] : file.tensors)
            checkpoint.m_places.emplace(name, Place{0, name});
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
        checkpoint.m_places.emplace(tensor, Place{place->second, tensor});
    }
    return checkpoint;
}

const StoredTensor *Checkpoint::find(std::string_view name) const
{
    const auto place = m_places.find(name);
    if (place == m_places.end())
        return nullptr;
    const auto &[file, stored] = place->second;
    return &m_files[file].tensors.find(stored)->second;
}

std::vector<std::string> Checkpoint::names() const
{
    std::vector<std::string> all;
    for (const auto &[name, place] : m_places)
        all.push_back(name);
    return all;
}

std::string Checkpoint::fileOf(std::string_view name) const
{
    const auto place = m_places.find(name);
    return (place == m_places.end() ? m_folder : m_folder / m_fileNames[place->second.file]).string();
}

std::vector<std::shared_ptr<const void>> Checkpoint::owners() const
{
    std::vector<std::shared_ptr<const void>> all;
    for (const SafetensorsFile &file : m_files)
        all.push_back(file.owner);
    return all;
}

} // namespace zigzag
