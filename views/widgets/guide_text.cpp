// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/guide_text.h"

#include "engine/base/files.h"
#include "views/models/native_path.h"

#include <QFontDatabase>
#include <QImageReader>
#include <QRegularExpression>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextTable>

#include <algorithm>

namespace zigzag {

namespace {

constexpr std::uint64_t mostBytes = 1 << 20; ///< of a text
constexpr qreal sideMargin = 16;
constexpr std::chrono::milliseconds resizeEnds(120);

bool isBelow(const std::filesystem::path &path, const std::filesystem::path &folder)
{
    const std::filesystem::path relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
}

/// Links may name headings, which Qt's Markdown gives no names.
void nameHeadings(QTextDocument &document)
{
    for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
        if (block.blockFormat().headingLevel() == 0)
            continue;
        QTextCharFormat named;
        named.setAnchor(true);
        named.setAnchorNames({headingAnchor(block.text())});
        QTextCursor cursor(block);
        cursor.movePosition(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
        cursor.mergeCharFormat(named);
    }
}

void drawTables(QTextDocument &document, const QColor &line, qreal padding)
{
    for (QTextFrame *frame : document.rootFrame()->childFrames()) {
        auto *table = qobject_cast<QTextTable *>(frame);
        if (!table)
            continue;
        QTextTableFormat format = table->format();
        format.setCellPadding(padding);
        format.setCellSpacing(0);
        format.setBorder(1);
        format.setBorderCollapse(true);
        format.setBorderBrush(line);
        format.setBorderStyle(QTextFrameFormat::BorderStyle_Solid);
        table->setFormat(format);
    }
}

void shadeCode(QTextDocument &document, const QColor &ground)
{
    for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
        if (!block.blockFormat().nonBreakableLines())
            continue;
        QTextBlockFormat format = block.blockFormat();
        format.setBackground(ground);
        format.setNonBreakableLines(false); // a long command goes on in the next line rather than out of sight
        QTextCursor(block).setBlockFormat(format);
    }
}

/// Qt reads Markdown into a document that is shown block by block, and lays out all of it after each: a long table takes minutes.
/// One that nobody sees has no layout.
QString htmlOf(const QString &markdown, const QFont &font)
{
    QTextDocument unseen;
    unseen.setDefaultFont(font);
    unseen.setMarkdown(markdown);
    return unseen.toHtml();
}

} // namespace

GuideText::GuideText(const Guide &guide, QWidget *parent)
    : QTextBrowser(parent)
    , m_guide(guide)
{
    setAccessibleName(tr("Page of the guide"));
    setOpenExternalLinks(true);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn); // it would come and go with pictures that are fitted beside it
    document()->setDocumentMargin(sideMargin);
    document()->setDefaultFont(font());
    // However a page came: by a link, or by back and forward, which do not pass through doSetSource.
    connect(this, &QTextBrowser::sourceChanged, this, [this] {
        m_fitted = pictureWidth();
        dress();
        mark(false);
    });
    m_fit.setSingleShot(true);
    m_fit.setInterval(resizeEnds);
    connect(&m_fit, &QTimer::timeout, this, [this] {
        if (m_fitted == pictureWidth())
            return;
        const int place = verticalScrollBar()->value();
        reload();
        verticalScrollBar()->setValue(place);
    });
}

void GuideText::showPlace(const QString &place)
{
    const QString name = place.section(QLatin1Char('#'), 0, 0);
    const bool known = m_guide.find(name);
    QUrl url = QUrl::fromLocalFile(textOfPath(m_guide.folder() / ((known ? name.toStdString() : "index") + ".md")));
    if (known && place.contains(QLatin1Char('#')))
        url.setFragment(place.section(QLatin1Char('#'), 1));
    setSource(url);
}

QString GuideText::page() const
{
    const std::filesystem::path path = pathOf(source().toLocalFile());
    return path.parent_path() == m_guide.folder() ? QString::fromStdString(path.stem().string()) : QString();
}

void GuideText::setMarked(const QString &words)
{
    m_marked = words;
    mark(true);
}

QVariant GuideText::loadResource(int type, const QUrl &name)
{
    const QUrl url = name.isRelative() ? source().resolved(name) : name;
    const std::filesystem::path path = pathOf(url.toLocalFile()).lexically_normal();
    if (!url.isLocalFile() || !isBelow(path, m_guide.folder().parent_path()))
        return {};
    if (type == QTextDocument::ImageResource) {
        QImageReader reader(textOfPath(path));
        QImage picture = reader.read();
        const qreal ratio = devicePixelRatioF();
        const int most = static_cast<int>(pictureWidth() * ratio);
        if (picture.width() > most)
            picture = picture.scaledToWidth(most, Qt::SmoothTransformation);
        picture.setDevicePixelRatio(ratio);
        return picture;
    }
    if (path.parent_path() == m_guide.folder())
        if (const Guide::Page *page = m_guide.find(QString::fromStdString(path.stem().string())))
            return htmlOf(page->text, font());
    const auto text = readTextFile(path, mostBytes);
    return htmlOf(QString::fromStdString(text ? *text : text.error().message), font());
}

void GuideText::doSetSource(const QUrl &name, QTextDocument::ResourceType)
{
    QUrl page = name.isRelative() ? source().resolved(name) : name;
    page.setFragment({});
    if (page.isLocalFile() && !page.fileName().endsWith(QLatin1String(".md")))
        return; // a page has no links to other files; the pages of checked results have
    QTextBrowser::doSetSource(page, QTextDocument::HtmlResource);
    if (name.hasFragment())
        scrollToAnchor(name.fragment());
    else
        mark(true);
}

void GuideText::resizeEvent(QResizeEvent *event)
{
    QTextBrowser::resizeEvent(event);
    m_fit.start();
}

void GuideText::dress()
{
    constexpr qreal cellPadding = 4;
    QTextCursor all(document());
    all.beginEditBlock(); // laid out once, not after every change
    nameHeadings(*document());
    drawTables(*document(), palette().color(QPalette::Mid), cellPadding);
    shadeCode(*document(), palette().color(QPalette::AlternateBase));
    all.endEditBlock();
}

void GuideText::mark(bool andGo)
{
    QList<ExtraSelection> marks;
    const QStringList words = m_marked.split(QRegularExpression(QStringLiteral("\\s+")), Qt::SkipEmptyParts);
    QTextCursor first;
    for (const QString &word : words)
        for (QTextCursor at = document()->find(word, 0); !at.isNull(); at = document()->find(word, at)) {
            ExtraSelection mark;
            mark.cursor = at;
            mark.format.setBackground(palette().highlight());
            mark.format.setForeground(palette().highlightedText());
            marks.append(mark);
            if (first.isNull() || at.position() < first.position())
                first = at;
        }
    setExtraSelections(marks);
    if (andGo && !first.isNull()) {
        first.clearSelection();
        setTextCursor(first);
        ensureCursorVisible();
    }
}

int GuideText::pictureWidth() const
{
    constexpr int least = 120;
    return std::max(least, viewport()->width() - static_cast<int>(2 * sideMargin) - 2);
}

} // namespace zigzag
