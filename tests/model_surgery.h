// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/temp_folder.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace zigzag::test {

// Ways to spoil the folder that writeTinyModel (tests/tiny_model.h) wrote.

using Json = nlohmann::ordered_json;

/// Changes members as JSON Merge Patch (RFC 7396) does: null removes.
inline void patchJson(const std::filesystem::path &file, const std::string &patch)
{
    Json document = Json::parse(readText(file));
    document.merge_patch(Json::parse(patch));
    writeText(file, document.dump());
}

/// Changes the header of a safetensors file and leaves the data as it is.
inline void editHeader(const std::filesystem::path &file, const std::function<void(Json &)> &edit)
{
    const std::string content = readText(file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    Json header = Json::parse(content.substr(sizeof length, length));
    edit(header);
    const std::string text = header.dump();
    const std::uint64_t changed = text.size();
    writeText(file,
              std::string(reinterpret_cast<const char *>(&changed), sizeof changed) + text
                  + content.substr(sizeof length + length));
}

/// Writes `value` over the last number of a float32 tensor.
inline void spoilTensor(const std::filesystem::path &file, const std::string &tensor, float value)
{
    std::string content = readText(file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    const Json header = Json::parse(content.substr(sizeof length, length));
    const auto end = header.at(tensor).at("data_offsets").at(1).get<std::size_t>();
    std::memcpy(content.data() + sizeof length + length + end - sizeof value, &value, sizeof value);
    writeText(file, content);
}

/// Turns model.safetensors into a shard of an index that sends one tensor to another shard, given as JSON.
inline void shardWith(const std::filesystem::path &folder, const std::string &tensor, const std::string &shard)
{
    const std::string sound = "model-00001-of-00002.safetensors";
    std::filesystem::rename(folder / "model.safetensors", folder / sound);
    writeText(folder / "empty.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
    Json index;
    editHeader(folder / sound, [&](Json &header) {
        for (const auto &[name, entry] : header.items())
            index["weight_map"][name] = name == tensor ? Json::parse(shard) : Json(sound);
    });
    writeText(folder / "model.safetensors.index.json", index.dump());
}

} // namespace zigzag::test
