// SPDX-License-Identifier: GPL-3.0-or-later
// A session as a value, read from a file and written whole.
#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "profiler/session/session_blocks.h"
#include "profiler/session/session_file.h"
#include "profiler/session/session_manifest.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <unordered_map>

namespace zigzag {

namespace {

/// Contents by their hash; each is looked at once, when it is asked for first.
class Contents
{
public:
    explicit Contents(const SessionBlocks &split)
    {
        for (const SessionBlock &block : split.blocks)
            if (!block.isManifest)
                m_blocks.emplace(block.hash, Entry{block.bytes, nullptr, false});
    }
    bool isThere(const ContentName &name) const
    {
        const auto found = m_blocks.find(name.hash);
        return found != m_blocks.end() && found->second.bytes.size() == name.bytes;
    }
    /// Null where it is not there, or not what its name says.
    std::shared_ptr<const std::string> take(const ContentName &name)
    {
        if (!isThere(name))
            return {};
        Entry &entry = m_blocks.at(name.hash);
        if (!entry.isRead && sha256Of(entry.bytes) == name.hash)
            entry.content = std::make_shared<const std::string>(entry.bytes);
        entry.isRead = true;
        return entry.content;
    }

private:
    struct Entry {
        std::string_view bytes;
        std::shared_ptr<const std::string> content;
        bool isRead = false;
    };
    std::unordered_map<std::string, Entry> m_blocks;
};

/// The last manifest all of whose parts are there; where there is none, the last that can be read at all.
Result<Manifest> lastManifest(const SessionBlocks &split, const Contents &contents, const std::string &where)
{
    std::optional<Manifest> readable;
    Result<Manifest> refused = badInput(
        fmt::format("{}: the session has no whole manifest, so it is damaged or was cut short; open an earlier copy", where));
    for (auto block = split.blocks.rbegin(); block != split.blocks.rend(); ++block) {
        if (!block->isManifest || block->bytes.size() > largestManifest || sha256Of(block->bytes) != block->hash)
            continue;
        auto manifest = parseManifest(block->bytes, where);
        if (!manifest) {
            refused = std::move(manifest);
            continue;
        }
        if (std::all_of(manifest->contents.begin(), manifest->contents.end(),
                        [&](const ContentName &name) { return contents.isThere(name); }))
            return manifest;
        if (!readable)
            readable = std::move(*manifest);
    }
    if (readable)
        return std::move(*readable);
    return refused;
}

} // namespace

const SessionPart *SavedSession::find(std::string_view kind, std::string_view name) const
{
    const auto found = std::find_if(parts.begin(), parts.end(),
                                    [&](const SessionPart &part) { return part.kind == kind && part.name == name; });
    return found == parts.end() ? nullptr : &*found;
}

std::vector<const SessionPart *> SavedSession::all(std::string_view kind) const
{
    std::vector<const SessionPart *> found;
    for (const SessionPart &part : parts)
        if (part.kind == kind)
            found.push_back(&part);
    return found;
}

void SavedSession::put(SessionPart part)
{
    const auto found = std::find_if(parts.begin(), parts.end(),
                                    [&](const SessionPart &other) { return other.kind == part.kind && other.name == part.name; });
    if (found == parts.end())
        parts.push_back(std::move(part));
    else
        *found = std::move(part);
}

void SavedSession::remove(std::string_view kind, std::string_view name)
{
    std::erase_if(parts, [&](const SessionPart &part) { return part.kind == kind && part.name == name; });
}

std::string SavedSession::freeName(std::string_view kind, const std::string &name) const
{
    std::string free = name;
    for (int number = 2; find(kind, free); ++number)
        free = fmt::format("{} {}", name, number);
    return free;
}

Result<ReadSession> parseSession(std::string_view bytes, const std::string &where)
{
    ZIGZAG_TRY(split, splitSession(bytes, where));
    Contents contents(split);
    ZIGZAG_TRY(manifest, lastManifest(split, contents, where));
    ReadSession read;
    read.session = std::move(manifest.session);
    std::vector<SessionPart> parts = std::move(read.session.parts);
    read.session.parts.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].content = contents.take(manifest.contents[i]);
        if (parts[i].content)
            read.session.parts.push_back(std::move(parts[i]));
        else
            read.notes.push_back(fmt::format("{}: {} \"{}\" is damaged or missing, and left out", where, parts[i].kind,
                                             json::printable(parts[i].name)));
    }
    if (split.end < bytes.size())
        read.notes.push_back(fmt::format("{}: the last save did not end; this is the one before it", where));
    return read;
}

Result<ReadSession> readSession(const std::filesystem::path &file)
{
    ZIGZAG_TRY(bytes, readTextFile(file, largestSession));
    return parseSession(bytes, file.string());
}

Result<void> writeSession(const SavedSession &session, const std::filesystem::path &file)
{
    ZIGZAG_CHECK(checkSession(session, file.string()));
    std::unordered_map<const std::string *, std::string> hashes;
    const std::string manifest = manifestText(session, [&](const SessionPart &part) {
        std::string &hash = hashes[part.content.get()];
        if (hash.empty())
            hash = sha256Of(*part.content);
        return hash;
    });
    ZIGZAG_TRY(output, AtomicFile::create(file));
    ZIGZAG_CHECK(output.write(sessionBeginning() + blockLine(true, sha256Of(manifest), manifest.size()) + manifest + '\n'));
    std::set<std::string> written;
    for (const SessionPart &part : session.parts) {
        const std::string &hash = hashes[part.content.get()];
        if (!written.insert(hash).second)
            continue;
        ZIGZAG_CHECK(output.write(blockLine(false, hash, part.content->size())));
        ZIGZAG_CHECK(output.write(*part.content));
        ZIGZAG_CHECK(output.write("\n"));
    }
    return output.commit();
}

} // namespace zigzag
