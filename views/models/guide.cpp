// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/guide.h"

#include "engine/base/files.h"
#include "views/models/glossary.h"

#include <QRegularExpression>
#include <QStringList>

#include <algorithm>

namespace zigzag {

namespace {

constexpr std::uint64_t mostBytes = 1 << 20; ///< of a page
constexpr std::size_t mostPages = 100;

QString titleOf(const QString &text)
{
    const QString first = text.section(QLatin1Char('\n'), 0, 0);
    return first.startsWith(QLatin1String("# ")) ? first.mid(2).trimmed() : QString();
}

Result<Guide::Page> readPage(const std::filesystem::path &folder, const QString &name)
{
    Guide::Page page{name, {}, {}};
    if (name == QLatin1String("glossary")) {
        page.text = glossaryPage();
    } else {
        ZIGZAG_TRY(text, readTextFile(folder / (name.toStdString() + ".md"), mostBytes));
        page.text = QString::fromStdString(text);
    }
    page.title = titleOf(page.text);
    if (page.title.isEmpty())
        return badInput((folder / (name.toStdString() + ".md")).string()
                        + ": a page of the guide begins with its title, \"# …\"");
    return page;
}

} // namespace

Result<Guide> Guide::read(const std::filesystem::path &folder)
{
    Guide guide;
    guide.m_folder = folder;
    ZIGZAG_TRY(index, readPage(folder, QStringLiteral("index")));
    guide.m_pages.push_back(index);
    // Of pages beside it alone: what lies elsewhere belongs to the page that names it.
    static const QRegularExpression link(QStringLiteral("\\]\\(([a-z0-9-]+)\\.md\\)"));
    for (auto matches = link.globalMatch(index.text); matches.hasNext() && guide.m_pages.size() < mostPages;) {
        const QString name = matches.next().captured(1);
        if (guide.find(name))
            continue;
        ZIGZAG_TRY(page, readPage(folder, name));
        guide.m_pages.push_back(std::move(page));
    }
    return guide;
}

const Guide::Page *Guide::find(const QString &name) const
{
    const auto found = std::find_if(m_pages.begin(), m_pages.end(), [&](const Page &page) { return page.name == name; });
    return found == m_pages.end() ? nullptr : &*found;
}

std::vector<int> Guide::search(const QString &words) const
{
    const QStringList wanted = words.split(QRegularExpression(QStringLiteral("\\s+")), Qt::SkipEmptyParts);
    const auto hasAll = [&](const QString &text) {
        return std::all_of(wanted.begin(), wanted.end(),
                           [&](const QString &word) { return text.contains(word, Qt::CaseInsensitive); });
    };
    std::vector<int> byTitle, byText;
    for (int row = 0; row < static_cast<int>(m_pages.size()); ++row) {
        const Page &page = m_pages[static_cast<std::size_t>(row)];
        if (hasAll(page.title))
            byTitle.push_back(row);
        else if (hasAll(page.text))
            byText.push_back(row);
    }
    byTitle.insert(byTitle.end(), byText.begin(), byText.end());
    return byTitle;
}

QString headingAnchor(const QString &heading)
{
    QString anchor;
    for (const QChar letter : heading.toLower()) {
        if (letter.isLetterOrNumber() || letter == QLatin1Char('-') || letter == QLatin1Char('_'))
            anchor += letter;
        else if (letter == QLatin1Char(' '))
            anchor += QLatin1Char('-');
    }
    return anchor;
}

} // namespace zigzag
