// SPDX-License-Identifier: GPL-3.0-or-later
// The window in another language: its file of words is whole, and every word is looked up where it was found.
#include "app/studio/language.h"
#include "tests/paths.h"
#include "window_fixture.h"

#include <QAbstractButton>
#include <QAbstractItemModel>
#include <QComboBox>
#include <QDockWidget>
#include <QGroupBox>
#include <QLabel>
#include <QRegularExpression>
#include <QTabBar>
#include <QTableView>
#include <QXmlStreamReader>
#include <map>

namespace zigzag::test {

namespace {

struct Message {
    QString context, source;
    QStringList forms;
    bool finished = true;
};

std::vector<Message> messagesOf(const char *file)
{
    QFile device(QString::fromStdString(sourceDir() + "/resources/translations/" + file));
    EXPECT_TRUE(device.open(QIODevice::ReadOnly)) << device.fileName().toStdString();
    QXmlStreamReader xml(&device);
    std::vector<Message> messages;
    QString context;
    while (!xml.atEnd()) {
        if (xml.readNext() != QXmlStreamReader::StartElement)
            continue;
        const QString name = xml.name().toString();
        if (name == "name")
            context = xml.readElementText();
        else if (name == "message")
            messages.push_back({context, {}, {}});
        else if (name == "source")
            messages.back().source = xml.readElementText();
        else if (name == "translation") {
            messages.back().finished = !xml.attributes().hasAttribute("type");
            const QString text = xml.readElementText(QXmlStreamReader::IncludeChildElements);
            messages.back().forms << text;
        }
    }
    EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
    return messages;
}

QStringList placesIn(const QString &text)
{
    static const QRegularExpression place(QStringLiteral("%\\d+"));
    QStringList places;
    for (auto match = place.globalMatch(text); match.hasNext();)
        places << match.next().captured();
    places.sort();
    return places;
}

/// Every text that the window shows or would show: those of widgets, actions, headings and lists.
QStringList textsOf(QWidget &window)
{
    QStringList texts;
    for (const QWidget *widget : window.findChildren<QWidget *>()) {
        texts << widget->windowTitle() << widget->toolTip() << widget->accessibleName() << widget->accessibleDescription();
        if (const auto *label = qobject_cast<const QLabel *>(widget))
            texts << label->text();
        if (const auto *button = qobject_cast<const QAbstractButton *>(widget))
            texts << button->text();
        if (const auto *group = qobject_cast<const QGroupBox *>(widget))
            texts << group->title();
        if (const auto *tabs = qobject_cast<const QTabBar *>(widget))
            for (int index = 0; index < tabs->count(); ++index)
                texts << tabs->tabText(index);
        if (const auto *box = qobject_cast<const QComboBox *>(widget))
            for (int index = 0; index < box->count(); ++index)
                texts << box->itemText(index);
        if (const auto *table = qobject_cast<const QTableView *>(widget); table && table->model())
            for (int column = 0; column < table->model()->columnCount(); ++column)
                texts << table->model()->headerData(column, Qt::Horizontal).toString();
    }
    for (const QAction *action : window.findChildren<QAction *>())
        texts << action->text() << action->statusTip();
    texts.removeAll(QString());
    return texts;
}

class TranslationTest : public WindowTest
{
protected:
    ~TranslationTest() override { speak(QStringLiteral("en")); }
};

} // namespace

TEST(Translation, LanguagesAreEnglishAndThoseThatAreBuiltIn)
{
    const std::vector<Language> all = languages();
    ASSERT_GE(all.size(), 2u);
    EXPECT_EQ(all[0].code, "en");
    EXPECT_EQ(all[1].code, "de");
    EXPECT_EQ(all[1].name, "Deutsch");
    EXPECT_FALSE(speak(QStringLiteral("tlh")));
    EXPECT_TRUE(speak(QStringLiteral("en")));
}

TEST(Translation, IsWholeAndKeepsEveryPlaceForANumber)
{
    const std::vector<Message> messages = messagesOf("zigzag_de.ts");
    EXPECT_GT(messages.size(), 1000u);
    for (const Message &each : messages) {
        const std::string where = (each.context + ": " + each.source).toStdString();
        EXPECT_TRUE(each.finished) << where;
        // Where a class has no tr() of its own, what the tools found is not what the program asks for (views/models/text.h).
        EXPECT_TRUE(each.context == "zigzag" || each.context.startsWith("zigzag::")) << where;
        for (const QString &form : each.forms) {
            EXPECT_FALSE(form.isEmpty()) << where;
            QStringList places = placesIn(form);
            places.removeDuplicates(); // plural forms are read as one text
            QStringList wanted = placesIn(each.source);
            wanted.removeDuplicates();
            EXPECT_EQ(places, wanted) << where;
            EXPECT_EQ(form.contains("%n"), each.source.contains("%n")) << where;
        }
    }
}

TEST_F(TranslationTest, NothingInTheWindowStaysEnglish)
{
    ASSERT_TRUE(speak(QStringLiteral("de")));
    build(std::make_unique<EngineWorker>());
    ASSERT_TRUE(m_window->open(QStringLiteral("bundled:zigzag-tiny")));
    QCoreApplication::processEvents();
    // Words that are the same in both languages, or whose English form means something else in another place, prove nothing.
    std::map<QString, bool> english;
    for (const Message &each : messagesOf("zigzag_de.ts"))
        if (each.source.size() > 3 && !each.source.contains('%')) {
            const bool same = each.forms.contains(each.source);
            english.try_emplace(each.source, true).first->second &= !same;
        }
    int asked = 0;
    for (const QString &text : textsOf(*m_window)) {
        const auto found = english.find(text);
        EXPECT_FALSE(found != english.end() && found->second) << text.toStdString();
        ++asked;
    }
    EXPECT_GT(asked, 300);
    EXPECT_EQ(m_window->actions().preferences->text(), QStringLiteral("E&instellungen…"));
}

} // namespace zigzag::test
