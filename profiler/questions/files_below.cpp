// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/files_below.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::questions {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> filesBelow(const fs::path &folder)
{
    constexpr std::size_t mostEntries = 10'000;
    constexpr int deepest = 8;
    std::vector<fs::path> files;
    std::error_code error;
    std::size_t entries = 0;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (++entries > mostEntries || at.depth() > deepest)
            return badInput(
                fmt::format("{}: more than {} files and folders, or more than {} levels of them; give a smaller folder",
                            folder.string(), mostEntries, deepest));
        std::error_code ignored;
        const bool isHidden = at->path().filename().string().starts_with(".");
        if (isHidden && at->is_directory(ignored))
            at.disable_recursion_pending();
        else if (!isHidden && at->is_regular_file(ignored))
            files.push_back(at->path());
    }
    if (error)
        return badInput(fmt::format("{}: cannot be read: {}; check the folder", folder.string(), error.message()));
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace zigzag::questions
