// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/memory_limit.h"

#include "engine/model/resources.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace zigzag {

namespace {

/// The single number in a file of the kernel, or −1 ("max", or no such file).
std::int64_t numberIn(const char *file)
{
    std::int64_t number = -1;
    std::ifstream stream(file);
    return stream >> number ? number : -1;
}

std::atomic<std::int64_t> ownLimit{0};

/// Bytes of this process that lie in memory; 0 where the kernel does not say.
std::int64_t residentBytes()
{
    std::ifstream stream("/proc/self/statm");
    std::int64_t all = 0, resident = 0;
    return stream >> all >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

} // namespace

void limitMemory(std::int64_t bytes)
{
    ownLimit = bytes;
}

std::int64_t availableMemory()
{
    std::int64_t available = INT64_MAX;
    std::ifstream information("/proc/meminfo");
    std::string word;
    while (information >> word)
        if (word == "MemAvailable:" && information >> available) {
            available *= 1024;
            break;
        }
    // Memory that a container uses counts its page cache, which would be given back; so this errs on the careful side.
    const std::int64_t limit = numberIn("/sys/fs/cgroup/memory.max"), used = numberIn("/sys/fs/cgroup/memory.current");
    if (limit >= 0 && used >= 0)
        available = std::min(available, std::max<std::int64_t>(0, limit - used));
    if (const std::int64_t own = ownLimit; own > 0)
        available = std::min(available, std::max<std::int64_t>(0, own - residentBytes()));
    return available;
}

Result<void> checkFitsMemory(std::string_view what, std::int64_t needed, std::int64_t available)
{
    if (needed <= available)
        return {};
    const std::string preset = largestPresetWithin(available);
    return badInput(fmt::format("{}: the weights need {} bytes, but {} are available; {}", what, needed, available,
                                preset.empty() ? std::string("no preset would fit, close other programs")
                                               : fmt::format("preset:{} would fit", preset)));
}

} // namespace zigzag
