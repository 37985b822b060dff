// SPDX-License-Identifier: GPL-3.0-or-later
// What the window says of itself: its title, its messages, and cells of a question as they are answered.
#include "app/studio/pages/page.h"
#include "held_window.h"
#include "views/widgets/needle_view.h"

#include <QLabel>

namespace zigzag::test {

namespace {
constexpr int patience = 180000; // ms; a loaded machine, a sanitizer
}

TEST_F(WindowTest, TheTitleNamesTheModelThatIsOpen)
{
    EXPECT_EQ(m_window->windowTitle(), "Zigzag Studio");
    const auto begin = [this](const std::string &name) {
        ModelShape shape = shapeOf(4, 2);
        shape.name = name;
        m_window->document().begin(HeadMap(shape, HeadKind::Retrieval, 4, 60), {});
    };
    begin("first");
    EXPECT_TRUE(m_window->windowTitle().contains("first")) << m_window->windowTitle().toStdString();
    begin("second");
    EXPECT_TRUE(m_window->windowTitle().contains("second")) << m_window->windowTitle().toStdString();
    EXPECT_FALSE(m_window->windowTitle().contains("first"));
    ASSERT_TRUE(m_window->saveTo(QString::fromStdString((m_folder / "mine.json").string())));
    EXPECT_TRUE(m_window->windowTitle().contains("mine.json")) << m_window->windowTitle().toStdString();
    ASSERT_TRUE(open(writeTinyModel(m_folder / "third")));
    EXPECT_TRUE(m_window->windowTitle().contains("third")) << m_window->windowTitle().toStdString();
}

TEST_F(WindowTest, AMessageMovesNothing)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    const auto place = [this] { return m_window->headMap().viewport()->mapTo(m_window.get(), cell(3, 1)); };
    m_window->refreshNow();
    settle();
    const QPoint before = place();
    m_window->studio().say(MessageBar::Kind::Error, "something went wrong");
    settle();
    ASSERT_TRUE(m_window->messages().isVisible());
    EXPECT_EQ(place(), before);
    EXPECT_EQ(m_window->messages().width(), m_window->centralWidget()->width());
    m_window->resize(1500, 900);
    settle();
    EXPECT_EQ(m_window->messages().width(), m_window->centralWidget()->width());
    const int oneLine = m_window->messages().height();
    m_window->studio().say(MessageBar::Kind::Error, QString("something went wrong, and it takes long to say. ").repeated(12));
    EXPECT_GT(m_window->messages().height(), oneLine);
    m_window->messages().close();
    settle();
    EXPECT_FALSE(m_window->messages().isVisible());
}

TEST_F(WindowTest, ANoteGoesByItselfAndAnErrorStays)
{
    m_window->messages().setNoteLife(std::chrono::milliseconds(60));
    m_window->studio().say(MessageBar::Kind::Note, "done");
    EXPECT_TRUE(m_window->messages().isVisible());
    EXPECT_TRUE(QTest::qWaitFor([&] { return !m_window->messages().isVisible(); }, 10000));
    m_window->studio().say(MessageBar::Kind::Note, "done");
    m_window->studio().say(MessageBar::Kind::Error, "broken");
    QTest::qWait(200);
    EXPECT_EQ(message(), "broken");
}

TEST_F(HeldWindow, AMessageOfWhatWasBeforeGoesWithANewRun)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Measure});
    m_window->studio().say(MessageBar::Kind::Error, "of a run before");
    m_window->studio().calibrateModel(false);
    EXPECT_EQ(message(), "of a run before") << "nobody asked for that calibration";
    m_window->actions().measure->trigger();
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
    m_window->studio().say(MessageBar::Kind::Error, "of this document");
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    settle();
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
}

TEST_F(HeldWindow, NeedleCellsComeAsTheyAreAnsweredOnTheirPage)
{
    hold({RunName::Calibrate, RunName::Score});
    m_held->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    m_window->showPage("profile");
    std::vector<std::size_t> cells;
    int planned = 0;
    QObject::connect(m_held, &RunWorker::delivered, m_window.get(), [&] {
        const NeedleResult *result = m_window->plotted().measurements().needle(map());
        if (!result || !m_window->runs().isBusy())
            return;
        if (cells.empty() || cells.back() != result->grid.size()) // each cell is told several times, by the question
            cells.push_back(result->grid.size());
        planned = result->planned;
        if (cells.size() == 3)
            m_window->runs().cancel();
    });
    m_window->actions().needle->trigger();
    EXPECT_TRUE(comesToFront("needle")) << "its page is raised";
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    EXPECT_EQ(cells, (std::vector<std::size_t>{1, 2, 3}));
    EXPECT_GT(planned, 3);
    const NeedleResult *kept = m_window->plotted().measurements().needle(map());
    ASSERT_TRUE(kept) << "what was answered stays";
    EXPECT_EQ(kept->grid.size(), 3u);
    m_window->refreshNow();
    const int trials = m_window->findChild<NeedleView *>()->currentGrid().model().trials();
    EXPECT_GT(trials, 10) << "two whole cells of five";
    EXPECT_LE(trials, 15);
    const QString headline = m_window->headline().text();
    EXPECT_TRUE(!headline.contains("Needle") || headline.contains("so far")) << "a part is no result: " << headline.toStdString();
}

} // namespace zigzag::test
