// SPDX-License-Identifier: GPL-3.0-or-later
// The guide in the window: F1 at the page that is in front, links, search, back and forward, pictures; the glossary's one source.
#include "app/studio/pages/page.h"
#include "engine/base/files.h"
#include "engine/model/resources.h"
#include "held_window.h"
#include "views/models/glossary.h"
#include "views/widgets/guide_text.h"
#include "views/widgets/guide_window.h"

#include <QDockWidget>
#include <QLineEdit>
#include <QListWidget>
#include <QScrollBar>
#include <QTextBlock>
#include <algorithm>
#include <fstream>

namespace zigzag::test {

namespace {

/// The width of the widest picture of a page as it is drawn.
double widestPicture(const QTextDocument &page)
{
    double widest = 0;
    for (QTextBlock block = page.begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (const QTextImageFormat image = it.fragment().charFormat().toImageFormat(); image.isValid()) {
                const auto picture = page.resource(QTextDocument::ImageResource, QUrl(image.name())).value<QImage>();
                widest = std::max(widest, picture.deviceIndependentSize().width());
            }
    return widest;
}

} // namespace

class GuideTest : public WindowTest
{
protected:
    GuideWindow *guide() { return m_window->findChild<GuideWindow *>("guide"); }
    /// As a person asks for it, with the keyboard where it is.
    GuideText &askedFrom(const QString &page)
    {
        m_window->showPage(page);
        settle();
        m_window->actions().guide->trigger();
        settle();
        return guide()->text();
    }
};

TEST_F(GuideTest, EveryPageOfTheWindowHasItsPlaceInTheGuide)
{
    const auto read = Guide::read(resourceFolder() / "guide");
    ASSERT_TRUE(read) << read.error().message;
    for (const Page *page : m_window->findChildren<Page *>()) {
        const QString name = page->guidePage().section('#', 0, 0), heading = page->guidePage().section('#', 1);
        const Guide::Page *found = read->find(name);
        ASSERT_TRUE(found) << page->objectName().toStdString() << ": " << name.toStdString();
        QStringList anchors;
        for (const QString &line : found->text.split('\n'))
            if (line.startsWith("## "))
                anchors << headingAnchor(line.mid(3));
        EXPECT_TRUE(heading.isEmpty() || anchors.contains(heading)) << page->guidePage().toStdString();
    }
}

TEST_F(GuideTest, OpensAtThePageThatIsInFront)
{
    EXPECT_EQ(m_window->actions().guide->shortcut(), QKeySequence(Qt::Key_F1));
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    m_window->headMap().setFocus();
    m_window->actions().guide->trigger();
    ASSERT_TRUE(guide());
    EXPECT_TRUE(guide()->isVisible());
    EXPECT_EQ(guide()->text().page(), "edit");
    EXPECT_EQ(askedFrom("plots").page(), "plots");
    EXPECT_EQ(askedFrom("profile").page(), "profile");
    EXPECT_EQ(askedFrom("quality").page(), "quality");
    EXPECT_EQ(guide()->text().source().fragment(), QString()) << "the page itself is what back and forward know";
    EXPECT_GT(guide()->text().verticalScrollBar()->value(), 0) << "at the heading of the sweep";
    EXPECT_EQ(m_window->findChildren<GuideWindow *>().size(), 1);
    auto *index = guide()->findChild<QListWidget *>();
    EXPECT_EQ(index->currentItem()->text(), "Quality and needles");
}

TEST_F(GuideTest, LinksBackAndForwardAndNothingFromTheNet)
{
    GuideText &text = askedFrom("find");
    text.setSource(QUrl("exports.md"));
    EXPECT_EQ(text.page(), "exports");
    text.setSource(QUrl("../checked/engines.md"));
    EXPECT_EQ(text.page(), "") << "a table of the resources is none of the guide's pages, and is shown";
    EXPECT_TRUE(text.toPlainText().contains("vLLM"));
    text.backward();
    EXPECT_EQ(text.page(), "exports");
    text.forward();
    text.backward();
    text.backward();
    EXPECT_EQ(text.page(), "find");
    EXPECT_FALSE(text.loadResource(QTextDocument::ImageResource, QUrl("https://example.org/a.png")).isValid());
    EXPECT_FALSE(text.loadResource(QTextDocument::HtmlResource, QUrl("file:///etc/passwd")).isValid());
    EXPECT_FALSE(text.loadResource(QTextDocument::HtmlResource, QUrl("../../README.md")).isValid()) << "above the resources";
}

TEST_F(GuideTest, SearchFindsPagesAndMarksTheWords)
{
    GuideText &text = askedFrom("find");
    auto *search = guide()->findChild<QLineEdit *>();
    auto *index = guide()->findChild<QListWidget *>();
    const int all = index->count();
    EXPECT_GT(all, 12);
    search->setText("stand-ins granite");
    EXPECT_LT(index->count(), all);
    QStringList found;
    for (int row = 0; row < index->count(); ++row)
        found << index->item(row)->text();
    EXPECT_TRUE(found.contains("Exports by engine"));
    EXPECT_FALSE(found.contains("The window"));
    index->setCurrentRow(static_cast<int>(found.indexOf("Exports by engine")));
    EXPECT_EQ(text.page(), "exports");
    EXPECT_FALSE(text.extraSelections().isEmpty());
    search->setText("wordthatnobodywrote");
    ASSERT_EQ(index->count(), 1);
    EXPECT_FALSE(index->item(0)->flags().testFlag(Qt::ItemIsEnabled));
    search->clear();
    EXPECT_EQ(index->count(), all);
    EXPECT_TRUE(text.extraSelections().isEmpty());
    QTest::keyClick(guide(), Qt::Key_Escape);
    EXPECT_FALSE(guide()->isVisible());
}

TEST_F(GuideTest, PicturesAreThereAndNoWiderThanThePage)
{
    const auto read = Guide::read(resourceFolder() / "guide");
    ASSERT_TRUE(read);
    askedFrom("find");
    int shown = 0;
    for (const int width : {1100, 620}) {
        guide()->resize(width, 500);
        settle();
        for (const Guide::Page &page : read->pages()) {
            guide()->open(page.name);
            settle();
            const double widest = widestPicture(*guide()->text().document());
            EXPECT_EQ(widest > 0, page.text.contains("![")) << page.name.toStdString();
            EXPECT_LE(widest, guide()->text().viewport()->width()) << page.name.toStdString();
            shown += widest > 0;
        }
    }
    EXPECT_GE(shown, 8);
}

TEST_F(GuideTest, WhatIsMissingIsSaidAndThePageThereStays)
{
    write("index.md", "# Guide\n\n[a](a.md)\n");
    const auto missing = Guide::read(m_folder / ".");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("a.md"), std::string::npos);
    write("a.md", "no title\n");
    EXPECT_FALSE(Guide::read(m_folder / "."));
    write("a.md", "# A\n");
    const auto read = Guide::read(m_folder / ".");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->pages().size(), 2u);
    EXPECT_EQ(read->search("guide"), std::vector<int>{0});
    EXPECT_EQ(headingAnchor("How numbers are got (2)"), "how-numbers-are-got-2");
}

TEST(Glossary, ThePageInTheRepositoryIsWhatTheWindowSays)
{
    const auto file = readTextFile(resourceFolder() / "guide" / "glossary.md");
    ASSERT_TRUE(file) << file.error().message;
    const QString page = glossaryPage();
    if (page.toStdString() != *file)
        std::ofstream("glossary.md", std::ios::binary) << page.toStdString();
    EXPECT_EQ(page.toStdString(), *file) << "the page as it should be was written to glossary.md here: put it in its place";
    QString before;
    for (const GlossaryEntry &entry : glossary()) {
        EXPECT_LT(before.compare(entry.word, Qt::CaseInsensitive), 0) << "twice, or not in order: " << entry.word.toStdString();
        EXPECT_TRUE(entry.meaning.endsWith('.')) << entry.word.toStdString();
        before = entry.word;
    }
}

} // namespace zigzag::test
