// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/mapped_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zigzag {

Result<MappedFile> MappedFile::open(const std::filesystem::path &file)
{
    const auto refuse = [&](std::string_view why) { return badInput(fmt::format("{}: cannot be read: {}", file.string(), why)); };
    // Without O_NONBLOCK opening a pipe would wait for its writer.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return refuse(fmt::format("{}; check the path and its permissions", std::strerror(errno)));
    struct stat info = {};
    const bool known = ::fstat(descriptor, &info) == 0;
    const auto size = static_cast<std::size_t>(info.st_size);
    void *memory = MAP_FAILED;
    int code = 0;
    if (known && S_ISREG(info.st_mode) && size > 0) {
        memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        code = errno;
    }
    ::close(descriptor);
    if (known && S_ISDIR(info.st_mode))
        return refuse("this is a folder, not a file; give a file");
    if (!known || !S_ISREG(info.st_mode))
        return refuse("this is not an ordinary file; give one");
    if (size == 0)
        return refuse("the file is empty; fetch it anew");
    if (memory == MAP_FAILED)
        return failed(
            fmt::format("{}: cannot be mapped into memory: {}; close other programs", file.string(), std::strerror(code)));
    return MappedFile{
        {static_cast<const std::byte *>(memory), size},
        std::shared_ptr<const void>(memory, [size](const void *pointer) { ::munmap(const_cast<void *>(pointer), size); })};
}

void fetchSoon(const std::byte *data, std::size_t bytes)
{
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t before = reinterpret_cast<std::uintptr_t>(data) % page; // within its first page
    if (bytes > 0) // what the system makes of it is its own affair: the bytes are read either way
        ::madvise(const_cast<std::byte *>(data - before), before + bytes, MADV_WILLNEED);
}

} // namespace zigzag
