// SPDX-License-Identifier: GPL-3.0-or-later
// A session's file while somebody works in it.
#include "profiler/session/session_file.h"

#include "engine/base/files.h"
#include "profiler/session/session_blocks.h"
#include "profiler/session/session_manifest.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

/// Earlier saves may take this much of a file before it is written anew.
constexpr std::uint64_t leastWaste = 1 << 20;

tl::unexpected<Error> cannotSave(const fs::path &file, int code)
{
    return badInput(fmt::format("{}: cannot be saved: {}; free some space, or save the session elsewhere", file.string(),
                                std::strerror(code)));
}

/// What writers of this file left that were killed in the middle: ".NAME.PID-N.part" (AtomicFile) of processes that are gone. We
/// hold the file, so nobody is at it.
void sweepLeftovers(const fs::path &file)
{
    std::error_code ignored;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    const std::string beginning = "." + file.filename().string() + ".";
    for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with(beginning) || !name.ends_with(".part"))
            continue;
        int process = 0;
        const auto [rest, error] = std::from_chars(name.data() + beginning.size(), name.data() + name.size(), process);
        if (error == std::errc{} && *rest == '-' && process > 0 && ::kill(process, 0) != 0 && errno == ESRCH)
            fs::remove(entry->path(), ignored);
    }
}

Result<void> writeAt(int descriptor, std::string_view bytes, std::uint64_t offset, const fs::path &file)
{
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return cannotSave(file, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

} // namespace

SessionFile::SessionFile(SessionFile &&other) noexcept
    : m_path(std::move(other.m_path))
    , m_found(std::move(other.m_found))
    , m_descriptor(std::exchange(other.m_descriptor, -1))
    , m_end(other.m_end)
    , m_wantWhole(other.m_wantWhole)
    , m_manifest(std::move(other.m_manifest))
    , m_known(std::move(other.m_known))
    , m_inFile(std::move(other.m_inFile))
{ }

SessionFile &SessionFile::operator=(SessionFile &&other) noexcept
{
    std::swap(m_path, other.m_path);
    std::swap(m_found, other.m_found);
    std::swap(m_descriptor, other.m_descriptor);
    std::swap(m_end, other.m_end);
    std::swap(m_wantWhole, other.m_wantWhole);
    std::swap(m_manifest, other.m_manifest);
    std::swap(m_known, other.m_known);
    std::swap(m_inFile, other.m_inFile);
    return *this;
}

SessionFile::~SessionFile()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor); // and with it the lock
}

SessionFile::Place SessionFile::whereIsIt() const
{
    struct stat here = {}, there = {};
    if (::stat(m_path.c_str(), &there) != 0)
        return Place::Nowhere;
    const bool isSame = ::fstat(m_descriptor, &here) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev;
    return isSame ? Place::Ours : Place::Other;
}

Result<void> SessionFile::lock()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
    m_descriptor = ::open(m_path.c_str(), O_RDWR | O_CLOEXEC);
    if (m_descriptor < 0)
        return cannotSave(m_path, errno);
    // Not every file system has locks; there, nothing tells two windows apart.
    if (::flock(m_descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return badInput(fmt::format("{}: is open in another window; close it there, or save a copy of it", m_path.string()));
    if (whereIsIt() != Place::Ours)
        return badInput(fmt::format("{}: was replaced while it was opened; open it again", m_path.string()));
    return {};
}

Result<SessionFile> SessionFile::open(const fs::path &file)
{
    SessionFile opened;
    opened.m_path = file;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) // a link to nothing too: the file that it names is made
        ZIGZAG_CHECK(writeSession(SavedSession(), file));
    ZIGZAG_CHECK(opened.lock());
    const fs::path target = fs::canonical(file, ignored);
    sweepLeftovers(target.empty() ? file : target);
    ZIGZAG_TRY(bytes, readTextFile(file, largestSession));
    ZIGZAG_TRY(found, parseSession(bytes, file.string()));
    ZIGZAG_TRY(split, splitSession(bytes, file.string()));
    opened.m_end = split.end;
    for (const SessionBlock &block : split.blocks)
        if (!block.isManifest)
            opened.m_inFile.emplace(block.hash, block.bytes.size());
    // What is damaged is not there: where it is worked out once more, it has to be written.
    opened.m_wantWhole = !found.notes.empty();
    opened.m_found = std::move(found);
    return opened;
}

std::string SessionFile::hashOf(const std::shared_ptr<const std::string> &content)
{
    Known &known = m_known[content.get()];
    if (!known.content)
        known = {content, sha256Of(*content)};
    return known.hash;
}

void SessionFile::forgetAllBut(const SavedSession &session)
{
    std::set<const std::string *> used;
    for (const SessionPart &part : session.parts)
        used.insert(part.content.get());
    std::erase_if(m_known, [&](const auto &entry) { return !used.contains(entry.first); });
}

Result<void> SessionFile::save(const SavedSession &session)
{
    ZIGZAG_CHECK(checkSession(session, m_path.string()));
    const std::string manifest = manifestText(session, [this](const SessionPart &part) { return hashOf(part.content); });
    forgetAllBut(session);
    const Place place = whereIsIt();
    if (place == Place::Other)
        return badInput(
            fmt::format("{}: another program has put another file there; save the session under another name", m_path.string()));
    const bool isOurs = place == Place::Ours;
    if (isOurs && !m_wantWhole && manifest == m_manifest)
        return {};
    std::uint64_t live = manifest.size(), added = manifest.size();
    std::set<std::string> counted;
    for (const SessionPart &part : session.parts) {
        const std::string hash = hashOf(part.content);
        if (!counted.insert(hash).second)
            continue;
        live += part.content->size();
        added += m_inFile.contains(hash) ? 0 : part.content->size();
    }
    const bool isWasteful = m_end + added > live + std::max(live, leastWaste);
    return isOurs && !m_wantWhole && !isWasteful ? append(session, manifest) : writeWhole(session, manifest);
}

Result<void> SessionFile::append(const SavedSession &session, const std::string &manifest)
{
    // The rest of a save that did not end is written over; a whole block would else lie behind something that is none.
    if (::ftruncate(m_descriptor, static_cast<off_t>(m_end)) != 0)
        return cannotSave(m_path, errno);
    std::uint64_t end = m_end;
    const auto put = [&](std::string_view bytes) -> Result<void> {
        ZIGZAG_CHECK(writeAt(m_descriptor, bytes, end, m_path));
        end += bytes.size();
        return {};
    };
    const auto writeAll = [&]() -> Result<void> {
        std::set<std::string> written;
        for (const SessionPart &part : session.parts) {
            const std::string hash = hashOf(part.content);
            if (m_inFile.contains(hash) || !written.insert(hash).second)
                continue;
            ZIGZAG_CHECK(put(blockLine(false, hash, part.content->size())));
            ZIGZAG_CHECK(put(*part.content));
            ZIGZAG_CHECK(put("\n"));
        }
        // The manifest's own hash tells whether it is whole, so both may reach the disk in any order.
        ZIGZAG_CHECK(put(blockLine(true, sha256Of(manifest), manifest.size()) + manifest + '\n'));
        if (::fdatasync(m_descriptor) != 0 && errno != EINVAL)
            return cannotSave(m_path, errno);
        return {};
    };
    if (auto written = writeAll(); !written) {
        // What is there stays; the next save begins behind it.
        static_cast<void>(::ftruncate(m_descriptor, static_cast<off_t>(m_end)) == 0);
        return written;
    }
    for (const SessionPart &part : session.parts)
        m_inFile.emplace(hashOf(part.content), part.content->size());
    m_end = end;
    m_manifest = manifest;
    return {};
}

Result<void> SessionFile::writeWhole(const SavedSession &session, const std::string &manifest)
{
    ZIGZAG_CHECK(writeSession(session, m_path));
    ZIGZAG_CHECK(lock());
    struct stat info = {};
    if (::fstat(m_descriptor, &info) != 0)
        return cannotSave(m_path, errno);
    m_inFile.clear();
    for (const SessionPart &part : session.parts)
        m_inFile.emplace(hashOf(part.content), part.content->size());
    m_end = static_cast<std::uint64_t>(info.st_size);
    m_manifest = manifest;
    m_wantWhole = false;
    return {};
}

} // namespace zigzag
