// SPDX-License-Identifier: GPL-3.0-or-later
// The window is killed while somebody works in it: its session opens, and is at most two seconds behind. A few times here;
// ZIGZAG_KILLS=200 for as often as that.
#include "profiler/session/session_parts.h"
#include "session_window.h"

#include <QElapsedTimer>
#include <QProcess>

#include <cstdio>
#include <iostream>
#include <random>

namespace zigzag::test {

namespace {

constexpr int layers = 6, heads = 4;
constexpr int mostLostMs = 2000;
/// From a line that the child wrote to our reading it, on a machine where others work too.
constexpr int readingMs = 250;

/// What so many clicks make of the map: each flips the next head.
HeadMap after(int clicks)
{
    HeadMap map = fullMap(layers, heads);
    for (int click = 0; click < clicks; ++click) {
        const int layer = click / heads % layers, head = click % heads;
        map.set(layer, head, map.at(layer, head) == HeadKind::Streaming ? HeadKind::Retrieval : HeadKind::Streaming);
    }
    return map;
}

int clicksIn(const SavedSession &session)
{
    return std::stoi("0" + session.all(PartKind::Variant).at(0)->notes);
}

bool sameHeads(const HeadMap &a, const HeadMap &b)
{
    for (int layer = 0; layer < layers; ++layer)
        if (a.letters(layer) != b.letters(layer))
            return false;
    return true;
}

} // namespace

/// Not a test: what is killed. Clicks head after head and says how many there have been.
TEST_F(SessionWindowTest, DISABLED_ClicksUntilItIsKilled)
{
    const std::filesystem::path file = qgetenv("ZIGZAG_KILL_FILE").toStdString();
    ASSERT_FALSE(file.empty());
    start();
    ASSERT_TRUE(open(file)) << message().toStdString();
    Document &document = m_window->document();
    int clicks = document.variantAt(0).notes.toInt();
    std::printf("clicks %d\n", clicks);
    std::fflush(stdout);
    while (true) {
        const QPoint at = cell(clicks / heads % layers, clicks % heads);
        QTest::mouseClick(m_window->headMap().viewport(), Qt::LeftButton, {}, at);
        document.setVariantNotes(0, QString::number(++clicks));
        std::printf("clicks %d\n", clicks);
        std::fflush(stdout);
        QTest::qWait(7);
    }
}

TEST(SessionKill, LosesNoFileAndAtMostTwoSeconds)
{
    const TempFolder folder, scratch; // the killed ones leave folders of theirs
    const std::filesystem::path file = folder / "work.zigzag";
    SavedSession session;
    session.model = shapeOf(layers, heads);
    session.put(variantPart("map", fullMap(layers, heads)));
    session.put(reportPart("ballast", std::string(2 << 20, 'b'))); // so that writing it whole takes its time
    ASSERT_TRUE(writeSession(session, file));
    const int kills
        = std::max(1, qEnvironmentVariableIntValue("ZIGZAG_KILLS") > 0 ? qEnvironmentVariableIntValue("ZIGZAG_KILLS") : 4);
    std::mt19937 random(static_cast<unsigned>(kills)); // 200 and 201 are other moments
    double worstMs = 0;
    int total = 0;
    for (int round = 0; round < kills; ++round) {
        QProcess child;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("ZIGZAG_KILL_FILE"), QString::fromStdString(file.string()));
        environment.insert(QStringLiteral("TMPDIR"), QString::fromStdString(scratch.path().string()));
        environment.remove(QStringLiteral("GTEST_OUTPUT")); // the child is no test that counts
        child.setProcessEnvironment(environment);
        child.start(QCoreApplication::applicationFilePath(),
                    {QStringLiteral("--gtest_filter=SessionWindowTest.DISABLED_ClicksUntilItIsKilled"),
                     QStringLiteral("--gtest_also_run_disabled_tests")});
        std::vector<std::pair<qint64, int>> said; // when, and how many clicks
        QElapsedTimer clock;
        clock.start();
        const auto listen = [&](int ms) {
            child.waitForReadyRead(ms);
            while (child.canReadLine())
                if (const QByteArray line = child.readLine(); line.startsWith("clicks "))
                    said.emplace_back(clock.elapsed(), line.mid(7).trimmed().toInt());
        };
        while (said.empty() && clock.elapsed() < 60000 && child.state() != QProcess::NotRunning)
            listen(100);
        ASSERT_FALSE(said.empty()) << child.readAllStandardError().toStdString() << child.readAllStandardOutput().toStdString();
        const qint64 end = said.front().first + std::uniform_int_distribution<qint64>(0, 3500)(random);
        while (clock.elapsed() < end)
            listen(static_cast<int>(std::clamp<qint64>(end - clock.elapsed(), 1, 5)));
        const qint64 killed = clock.elapsed();
        child.kill(); // SIGKILL
        ASSERT_TRUE(child.waitForFinished());

        const auto found = readSession(file);
        ASSERT_TRUE(found) << "round " << round << ": " << found.error().message;
        const int saved = clicksIn(found->session);
        total = saved;
        EXPECT_TRUE(sameHeads(*mapOf(*found->session.all(PartKind::Variant).at(0)), after(saved))) << "round " << round;
        ASSERT_TRUE(found->session.find(PartKind::Report, "ballast"));
        EXPECT_EQ(found->session.find(PartKind::Report, "ballast")->content->size(), std::size_t{2} << 20);
        // The first click that was not saved was made so long before the end.
        double lostMs = 0;
        for (const auto &[when, clicks] : said)
            if (clicks > saved) {
                lostMs = static_cast<double>(killed - when);
                break;
            }
        worstMs = std::max(worstMs, lostMs);
        EXPECT_LE(lostMs, mostLostMs + readingMs) << "round " << round;
    }
    std::cout << kills << " kills, " << total << " clicks in the file, at most " << worstMs << " ms of work lost\n";
    EXPECT_GT(total, 0);
    std::size_t files = 0;
    ASSERT_TRUE(SessionFile::open(file)) << "nobody holds it any more";
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(folder.path()))
        ++files;
    EXPECT_EQ(files, 1u) << "nothing is left beside it";
}

} // namespace zigzag::test
