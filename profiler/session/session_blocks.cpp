// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/session/session_blocks.h"

#include "engine/base/file_content.h"
#include "engine/base/json_input.h"
#include "engine/base/sha256.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace zigzag {

namespace {

constexpr std::size_t longestFirstLine = 4096, longestBlockLine = 128, hashDigits = 64, mostBlocks = 1 << 20;
constexpr std::string_view partWord = "part ", manifestWord = "manifest ";

/// The block that begins at `rest`, and how long it is with its lines; nothing where it is not whole.
std::optional<std::pair<SessionBlock, std::size_t>> blockAt(std::string_view rest)
{
    const std::size_t lineEnd = rest.substr(0, longestBlockLine).find('\n');
    if (lineEnd == std::string_view::npos)
        return {};
    std::string_view line = rest.substr(0, lineEnd);
    SessionBlock block;
    block.isManifest = line.starts_with(manifestWord);
    if (!block.isManifest && !line.starts_with(partWord))
        return {};
    line.remove_prefix(block.isManifest ? manifestWord.size() : partWord.size());
    if (line.size() < hashDigits + 2 || line[hashDigits] != ' ')
        return {};
    block.hash = line.substr(0, hashDigits);
    line.remove_prefix(hashDigits + 1);
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), bytes);
    if (error != std::errc{} || end != line.data() + line.size())
        return {};
    const std::size_t left = rest.size() - lineEnd - 1;
    if (bytes >= left || rest[lineEnd + 1 + bytes] != '\n') // the last line's end belongs to it
        return {};
    block.bytes = rest.substr(lineEnd + 1, bytes);
    return std::pair{block, lineEnd + 1 + static_cast<std::size_t>(bytes) + 1};
}

} // namespace

Result<SessionBlocks> splitSession(std::string_view bytes, const std::string &where)
{
    const std::size_t lineEnd = bytes.substr(0, longestFirstLine).find('\n');
    const std::string_view first = bytes.substr(0, lineEnd);
    if (const FileContent content = contentOf(first); content != FileContent::Session && content != FileContent::OtherJson)
        return wrongContent(where, {contentOf(bytes.substr(0, longestFirstLine)), false}, "a session");
    ZIGZAG_TRY(header, json::parse(first, where));
    ZIGZAG_CHECK(json::checkFormat(header, sessionFormat, sessionVersion, where));
    if (lineEnd == std::string_view::npos)
        return badInput(fmt::format("{}: the session ends in its first line; open an earlier copy", where));
    SessionBlocks split;
    split.end = lineEnd + 1;
    while (split.blocks.size() < mostBlocks) {
        auto found = blockAt(bytes.substr(split.end));
        if (!found)
            break;
        split.blocks.push_back(std::move(found->first));
        split.end += found->second;
    }
    return split;
}

std::string sessionBeginning()
{
    return fmt::format("{{\"format\": \"{}\", \"version\": {}}}\n", sessionFormat, sessionVersion);
}

std::string blockLine(bool isManifest, std::string_view hash, std::uint64_t bytes)
{
    return fmt::format("{}{} {}\n", isManifest ? manifestWord : partWord, hash, bytes);
}

std::string sha256Of(std::string_view bytes)
{
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

} // namespace zigzag
