// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/installation.h"

#include <dlfcn.h>
#include <link.h>
#include <system_error>

namespace zigzag {

namespace fs = std::filesystem;

fs::path ownFile()
{
    std::error_code error;
    Dl_info info = {};
    void *found = nullptr;
    const bool known = dladdr1(reinterpret_cast<const void *>(&ownFile), &info, &found, RTLD_DL_LINKMAP) != 0;
    // The program itself has no name there.
    const char *const library = known && found ? static_cast<const link_map *>(found)->l_name : nullptr;
    if (library && *library)
        if (fs::path file = fs::canonical(library, error); !error)
            return file;
    return fs::read_symlink("/proc/self/exe", error);
}

fs::path installedPath(const fs::path &relative)
{
    // From PREFIX/bin one step up, from PREFIX/lib/x86_64-linux-gnu two.
    std::error_code error;
    fs::path folder = ownFile().parent_path();
    for (int steps = 0; steps < 2 && folder.has_relative_path(); ++steps) {
        folder = folder.parent_path();
        if (fs::path path = folder / relative; fs::exists(path, error))
            return path;
    }
    return {};
}

fs::path moduleFile(const fs::path &name)
{
    std::error_code error;
    if (fs::path beside = ownFile().replace_filename(name); fs::exists(beside, error))
        return beside;
    return installedPath("lib/zigzag" / name);
}

} // namespace zigzag
