// SPDX-License-Identifier: GPL-3.0-or-later
// Names of files are bytes, and need not be UTF-8: every way into the window takes them.
#include "app/studio/open_target.h"
#include "app/studio/pages/compare_page.h"
#include "app/studio/pages/runs_page.h"
#include "app/studio/recent_files.h"
#include "app/studio/start_options.h"
#include "profiler/measure/bench_file.h"
#include "profiler/trace/trace_file.h"
#include "trace_samples.h"
#include "views/models/native_path.h"
#include "window_fixture.h"

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QMimeData>
#include <QSettings>
#include <QUrl>

namespace zigzag::test {

namespace {

const std::string odd = "caf\xe9 \xff\xf0\x9f\x98\x80.x"; // Latin-1, a stray byte, and an emoji that is right

class PathTest : public WindowTest
{
protected:
    QString text(const std::string &name) { return textOfPath(m_folder / name); }
    bool openText(const QString &name) { return m_window->open(name); }
};

} // namespace

TEST(NativePath, BytesComeBackAsTheyWere)
{
    for (const std::string &bytes : {std::string("plain"), std::string("caf\xc3\xa9"), std::string("caf\xe9"),
                                     std::string("\xff"), odd, std::string("\xed\xb2\x80"), std::string("\xf0\x9f\x98"),
                                     std::string("\xc0\x80"), std::string("\xef\xbf\xbd"), std::string()})
        EXPECT_EQ(pathOf(textOfPath(QByteArray::fromStdString(bytes))).string(), bytes);
    for (int byte = 1; byte < 256; ++byte) {
        const std::string bytes = {'a', static_cast<char>(byte), 'b'};
        const QString text = textOfPath(QByteArray::fromStdString(bytes));
        EXPECT_EQ(pathOf(text).string(), bytes);
        EXPECT_EQ(pathOf(restoredPath(storedPath(text))).string(), bytes);
        EXPECT_EQ(QString::fromUtf8(storedPath(text).toUtf8()), storedPath(text)) << "settings keep it";
    }
    EXPECT_EQ(textOfPath(QByteArray("caf\xc3\xa9")), QString::fromUtf8("café")) << "as anybody else reads it";
    EXPECT_EQ(storedPath("/a/b.json"), "/a/b.json");
    EXPECT_EQ(shownPath(textOfPath(QByteArray("caf\xe9"))), QString::fromUtf8("caf\xef\xbf\xbd"));
    EXPECT_EQ(pathOf(textOfUrl(QUrl::fromEncoded("file:///tmp/caf%E9%20x.json"))).string(), "/tmp/caf\xe9 x.json");
    EXPECT_EQ(pathOf(textOfUrl(QUrl::fromLocalFile("/tmp/50% é?#.json"))).string(), "/tmp/50% \xc3\xa9?#.json");
}

TEST_F(PathTest, EveryKindOfFileOpensAndIsSaved)
{
    savedMap(fullMap(8, 4), odd);
    ASSERT_TRUE(openText(text(odd))) << message().toStdString();
    EXPECT_EQ(map().layers(), 8);
    EXPECT_TRUE(m_window->windowTitle().contains(QChar::ReplacementCharacter));
    m_window->document().toggleLayer(1);
    m_window->actions().save->trigger();
    EXPECT_EQ(readHeadMap(m_folder / odd)->streamingHeads(), 4) << message().toStdString();
    EXPECT_TRUE(m_window->saveTo(text("second" + odd)));
    EXPECT_TRUE(std::filesystem::exists(m_folder / ("second" + odd)));

    write("scores" + odd,
          "0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n"
          "0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n0.1\t0.2\t0.3\t0.4\n");
    ASSERT_TRUE(openText(text("scores" + odd))) << message().toStdString();
    EXPECT_TRUE(m_window->document().state().scores);
    ASSERT_TRUE(writeTrace(*sampleTrace(300, 8), m_folder / ("trace" + odd)));
    EXPECT_TRUE(openText(text("trace" + odd))) << message().toStdString();
    BenchRecord record;
    record.map = "full";
    record.samplesMs = {1};
    record.medianMs = 1;
    record.context = 8;
    ASSERT_TRUE(writeBenchFile(m_folder / ("runs" + odd), "m", {}, {}, {record}));
    EXPECT_TRUE(openText(text("runs" + odd))) << message().toStdString();
    EXPECT_TRUE(m_window->findChild<ComparePage *>()->compareWith(text(odd))) << message().toStdString();
    EXPECT_FALSE(openText(text("missing" + odd)));
    EXPECT_TRUE(message().contains("does not exist"));
    m_prompts->files = {text("map\xff.csv")};
    m_window->findChild<QAction *>("save_head-map")->trigger();
    EXPECT_TRUE(std::filesystem::exists(m_folder / "map\xff.csv")) << message().toStdString();
}

TEST_F(PathTest, AModelFolderADropAndWhatWasOpenedLast)
{
    const auto folder = writeTinyModel(m_folder / "model\xff", {.layers = 2});
    ASSERT_TRUE(openText(textOfPath(folder))) << message().toStdString();
    EXPECT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value() || !message().isEmpty(); }, 60000));
    EXPECT_TRUE(m_window->studio().loaded()) << message().toStdString();
    m_window->runs().cancel();

    savedMap(fullMap(4, 2), odd);
    QMimeData mime;
    mime.setData("text/uri-list",
                 "file://" + QByteArray::fromStdString((m_folder / odd).string()).toPercentEncoding("/") + "\r\n");
    QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, &mime, Qt::LeftButton, {}); // a drop goes where the drag has entered
    QCoreApplication::sendEvent(m_window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(5, 5), Qt::CopyAction, &mime, Qt::LeftButton, {});
    QCoreApplication::sendEvent(m_window.get(), &drop);
    EXPECT_EQ(map().layers(), 4) << message().toStdString();

    const QString ini = QString::fromStdString((m_folder / "settings.ini").string());
    {
        QSettings settings(ini, QSettings::IniFormat);
        RecentFiles(&settings).add(text(odd));
    }
    QSettings settings(ini, QSettings::IniFormat);
    const RecentFiles recent(&settings);
    ASSERT_EQ(recent.names().size(), 1);
    EXPECT_EQ(pathOf(recent.names().front()).string(), (m_folder / odd).string());

    std::string argument = (m_folder / odd).string();
    char program[] = "zigzag-studio";
    char *arguments[] = {program, argument.data()};
    EXPECT_EQ(parseStart(2, arguments).open, QStringList{text(odd)});
}

} // namespace zigzag::test
