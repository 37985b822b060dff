// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/documents.h"

#include "engine/base/file_content.h"
#include "profiler/questions/files_below.h"

#include <fmt/format.h>

namespace zigzag {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> documentsOf(const fs::path &fileOrFolder)
{
    std::error_code ignored;
    if (!fs::is_directory(fileOrFolder, ignored))
        return std::vector<fs::path>{fileOrFolder};
    ZIGZAG_TRY(files, questions::filesBelow(fileOrFolder));
    std::vector<fs::path> documents;
    for (const fs::path &file : files) {
        const auto kind = kindOfFile(file);
        if (kind && !kind->isGzip && kind->content == FileContent::Text)
            documents.push_back(file);
    }
    if (documents.empty())
        return badInput(fmt::format("{}: no file of this folder is plain text; give one that has some", fileOrFolder.string()));
    return documents;
}

} // namespace zigzag
