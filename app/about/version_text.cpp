// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/version_text.h"

#include "commit.h" // written by commit.cmake, whenever something is built
#include "engine/backend_names.h"
#include "engine/run/backend.h"

#include <fmt/format.h>

namespace zigzag {

std::string_view commitDate()
{
    return ZIGZAG_COMMIT_DATE;
}

std::string versionText(std::string_view program)
{
    std::string text = fmt::format("{} {}\ncommit {}\n", program, ZIGZAG_VERSION, ZIGZAG_COMMIT);
    for (const std::string_view name : backendNames()) {
        const auto backend = createBackend(name);
        if (backend) {
            text += fmt::format("backend {}: {}\n", name, (*backend)->device().name);
            continue;
        }
        std::string_view why = backend.error().message;
        if (const std::string begin = fmt::format("backend {}: ", name); why.starts_with(begin))
            why.remove_prefix(begin.size());
        text += fmt::format("backend {}: not available: {}\n", name, why);
    }
    return text;
}

} // namespace zigzag
