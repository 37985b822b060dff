// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/cache_size.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>

namespace zigzag {
namespace {

std::string wordOf(const std::filesystem::path &file)
{
    std::ifstream in(file);
    std::string word;
    in >> word;
    return word;
}

/// "32768K" and "32M" in bytes; 0 where it is no size.
std::int64_t bytesOf(const std::string &size)
{
    std::size_t digits = 0;
    while (digits < size.size() && digits < 9 && size[digits] >= '0' && size[digits] <= '9')
        ++digits;
    if (digits == 0)
        return 0;
    const std::string unit = size.substr(digits);
    return std::stoll(size.substr(0, digits)) * (unit == "K" ? 1 << 10 : unit == "M" ? 1 << 20 : 1);
}

} // namespace

std::int64_t lastLevelCacheBytes(const std::filesystem::path &processors)
{
    int last = 0;
    std::map<std::string, std::int64_t> caches; // of the last level, by the processors that share one
    constexpr int mostProcessors = 4096, mostLevels = 8;
    for (int processor = 0; processor < mostProcessors; ++processor) {
        const std::filesystem::path folder = processors / ("cpu" + std::to_string(processor)) / "cache";
        std::error_code error;
        if (!std::filesystem::is_directory(folder, error))
            break;
        for (int index = 0; index < mostLevels; ++index) {
            const std::filesystem::path cache = folder / ("index" + std::to_string(index));
            const int level = static_cast<int>(bytesOf(wordOf(cache / "level")));
            if (level < last || level == 0 || wordOf(cache / "type") == "Instruction")
                continue;
            if (level > last)
                caches.clear();
            last = level;
            caches[wordOf(cache / "shared_cpu_list")] = bytesOf(wordOf(cache / "size"));
        }
    }
    std::int64_t sum = 0;
    for (const auto &[shared, bytes] : caches)
        sum += bytes;
    if (sum > 0)
        return sum;
    for (const int level : {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE})
        sum = std::max<std::int64_t>(sum, sysconf(level));
    return sum;
}

} // namespace zigzag
