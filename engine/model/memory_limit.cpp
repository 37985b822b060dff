// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/memory_limit.h"

#include "engine/model/resources.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>

namespace zigzag {

namespace {

/// The single number in a file of the kernel, or −1 ("max", or no such file).
std::int64_t numberIn(const char *file)
{
    std::int64_t number = -1;
    std::ifstream stream(file);
    return stream >> number ? number : -1;
}

} // namespace

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
    return limit < 0 || used < 0 ? available : std::min(available, std::max<std::int64_t>(0, limit - used));
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
