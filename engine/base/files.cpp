// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/files.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

struct Descriptor {
    int number = -1;

    explicit Descriptor(int number_)
        : number(number_)
    { }
    Descriptor(Descriptor &&other) noexcept
        : number(std::exchange(other.number, -1))
    { }
    Descriptor &operator=(Descriptor &&) = delete;
    ~Descriptor()
    {
        if (number >= 0)
            ::close(number);
    }
};

/// An open file, and how large it says that it is: 0 for pipes and devices.
struct Source {
    Descriptor descriptor;
    std::size_t size = 0;
};

/// A path, a permission and a full disk are the giver's to mend; a broken device is nobody's in advance.
tl::unexpected<Error> systemError(std::string_view what, const fs::path &file, int code)
{
    const std::string reason = std::strerror(code);
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return badInput(fmt::format("{}: {}: there is no such file or folder; check the path", file.string(), what));
    case EACCES:
    case EPERM:
    case EROFS:
        return badInput(
            fmt::format("{}: {}: no permission ({}); change it, or choose another path", file.string(), what, reason));
    case EISDIR:
        return badInput(fmt::format("{}: {}: this is a folder, not a file; give a file", file.string(), what));
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
        return badInput(fmt::format("{}: {}: {}; choose another path", file.string(), what, reason));
    case ENOSPC:
    case EDQUOT:
        return badInput(
            fmt::format("{}: {}: the disk is full ({}); free some space, or choose another path", file.string(), what, reason));
    default:
        return failed(fmt::format("{}: {}: {}; check the disk, or choose another path", file.string(), what, reason));
    }
}

constexpr std::string_view cannotRead = "cannot be read";
constexpr std::string_view cannotWrite = "cannot be written";

Result<Source> openToRead(const fs::path &file)
{
    Source source{Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC))};
    struct stat info = {};
    if (source.descriptor.number < 0 || ::fstat(source.descriptor.number, &info) != 0)
        return systemError(cannotRead, file, errno);
    if (S_ISDIR(info.st_mode))
        return systemError(cannotRead, file, EISDIR);
    source.size = S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) : 0;
    return source;
}

/// The next bytes, at most `count`; 0 at the end.
Result<std::size_t> readSome(const Source &source, char *to, std::size_t count, const fs::path &file)
{
    while (true) {
        const ssize_t read = ::read(source.descriptor.number, to, count);
        if (read >= 0)
            return static_cast<std::size_t>(read);
        if (errno != EINTR)
            return systemError(cannotRead, file, errno);
    }
}

} // namespace

bool isThere(const fs::path &file)
{
    std::error_code ignored;
    return fs::exists(fs::symlink_status(file, ignored));
}

Result<std::string> readTextFile(const fs::path &file, std::uint64_t limit)
{
    ZIGZAG_TRY(source, openToRead(file));
    const auto tooLarge = [&] {
        return badInput(
            fmt::format("{}: larger than {} bytes, the most that is read here; give a smaller file", file.string(), limit));
    };
    if (source.size > limit)
        return tooLarge();
    std::string content;
    content.reserve(source.size);
    // Read to the end whatever the size said: a pipe has none, and a file may grow.
    std::string block(64 << 10, '\0');
    while (true) {
        ZIGZAG_TRY(count, readSome(source, block.data(), block.size(), file));
        if (count == 0)
            return content;
        if (content.size() + count > limit)
            return tooLarge();
        content.append(block.data(), count);
    }
}

Result<std::string> readBeginning(const fs::path &file, std::size_t count)
{
    ZIGZAG_TRY(source, openToRead(file));
    std::string content(count, '\0');
    std::size_t size = 0;
    while (size < count) {
        ZIGZAG_TRY(more, readSome(source, content.data() + size, count - size, file));
        if (more == 0)
            break;
        size += more;
    }
    content.resize(size);
    return content;
}

Result<AtomicFile> AtomicFile::create(const fs::path &file)
{
    AtomicFile result;
    struct stat info = {};
    const bool exists = ::stat(file.c_str(), &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return systemError(cannotWrite, file, EISDIR);
    if (exists && !S_ISREG(info.st_mode)) {
        // Renaming over a device or a pipe would replace it by a file.
        result.m_target = file;
        result.m_descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
        if (result.m_descriptor < 0)
            return systemError(cannotWrite, file, errno);
        return result;
    }
    if (file.filename().empty())
        return systemError(cannotWrite, file, ENOENT);
    std::error_code ignored;
    // A link stays a link: the file that it names is replaced.
    const fs::path resolved = exists ? fs::canonical(file, ignored) : file;
    result.m_target = resolved.empty() ? file : resolved;
    static std::atomic<unsigned> counter = 0;
    do {
        const std::string name = fmt::format(".{}.{}-{}.part", result.m_target.filename().string(), ::getpid(), counter++);
        result.m_temporary = result.m_target.parent_path() / name;
        result.m_descriptor = ::open(result.m_temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (result.m_descriptor < 0 && errno == EEXIST);
    if (result.m_descriptor < 0) {
        const int code = errno;
        result.m_temporary.clear();
        return systemError(cannotWrite, file, code);
    }
    return result;
}

AtomicFile::AtomicFile(AtomicFile &&other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
    , m_target(std::move(other.m_target))
    , m_temporary(std::exchange(other.m_temporary, {}))
{ }

AtomicFile::~AtomicFile()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
    if (!m_temporary.empty())
        ::unlink(m_temporary.c_str());
}

Result<void> AtomicFile::write(std::string_view piece)
{
    while (!piece.empty()) {
        const ssize_t count = ::write(m_descriptor, piece.data(), piece.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemError(cannotWrite, m_target, errno);
        piece.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> AtomicFile::commit()
{
    // Devices and pipes know no fsync; for them closing is what reports the last error.
    const bool isFile = !m_temporary.empty();
    if (isFile && ::fsync(m_descriptor) != 0)
        return systemError(cannotWrite, m_target, errno);
    if (::close(std::exchange(m_descriptor, -1)) != 0)
        return systemError(cannotWrite, m_target, errno);
    if (!isFile)
        return {};
    if (::rename(m_temporary.c_str(), m_target.c_str()) != 0)
        return systemError(cannotWrite, m_target, errno);
    m_temporary.clear();
    const fs::path folder = m_target.has_parent_path() ? m_target.parent_path() : fs::path(".");
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Not every file system can sync a folder (EINVAL); the new file is in place all the same.
    if (descriptor.number >= 0 && ::fsync(descriptor.number) != 0 && errno != EINVAL && errno != EROFS)
        return systemError(cannotWrite, folder, errno);
    return {};
}

Result<void> writeFileAtomically(const fs::path &file, std::string_view content)
{
    ZIGZAG_TRY(output, AtomicFile::create(file));
    ZIGZAG_CHECK(output.write(content));
    return output.commit();
}

} // namespace zigzag
