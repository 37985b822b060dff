// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <QString>
#include <filesystem>
#include <vector>

namespace zigzag {

/// The guide: short pages in Markdown, in the order in which its index names them. They are files of resources/guide, readable
/// where the repository is read; the glossary is made from the words of the window itself, so in its language.
class Guide
{
public:
    struct Page {
        QString name; ///< its file's, without .md: "plots"
        QString title; ///< its first heading
        QString text; ///< Markdown
    };

    /// Reads index.md of a folder, and every page beside it that the index names. A page that is missing is an error: what is
    /// installed in part is not shown as if it were whole.
    static Result<Guide> read(const std::filesystem::path &folder);

    const std::filesystem::path &folder() const { return m_folder; }
    const std::vector<Page> &pages() const { return m_pages; } ///< the index first
    /// Null where there is none of that name.
    const Page *find(const QString &name) const;
    /// Rows of pages that have every word, those first whose title has them; all where nothing is asked for.
    std::vector<int> search(const QString &words) const;

private:
    std::filesystem::path m_folder;
    std::vector<Page> m_pages;
};

/// What names a heading in a link, as GitHub makes it: "How numbers are got" is "how-numbers-are-got".
QString headingAnchor(const QString &heading);

} // namespace zigzag
