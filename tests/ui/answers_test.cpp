// SPDX-License-Identifier: GPL-3.0-or-later
// Two maps that answer beside each other: the models behind the page, and the page in the real window.
#include "held_window.h"
#include "views/models/layer_changes.h"
#include "views/models/side_by_side.h"
#include "views/models/text.h"
#include "views/widgets/answer_view.h"
#include "views/widgets/needle_view.h"

#include <QAccessible>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QItemSelectionModel>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QToolTip>

namespace zigzag::test {

namespace {

jobs::AnsweredToken tokenOf(int id, const std::string &bytes, double probability, std::optional<double> others = {})
{
    jobs::AnsweredToken token;
    token.token = id;
    token.bytes = token.text = bytes;
    token.probability = probability;
    token.likeliest = {{id, bytes, probability}, {9, "no", 1 - probability}};
    token.othersProbability = others;
    if (others)
        token.othersLikeliest = {{9, "no", 1 - *others}, {id, bytes, *others}};
    return token;
}

/// "4" in both, then "8" against "1"; the left goes on.
jobs::SideBySide parted()
{
    jobs::SideBySide both;
    both.promptTokens = 7;
    both.answers[0] = {"Full", {tokenOf(4, "4", 0.9, 0.8), tokenOf(8, "8", 0.62, 0.03), tokenOf(2, "2", 0.5)}, {}};
    both.answers[1] = {"This map", {tokenOf(4, "4", 0.8, 0.9), tokenOf(1, "1", 0.48, 0.0002)}, jobs::MapAnswer::End::Stop};
    both.answers[1].tokens.back().isEnd = true;
    both.parting = 1;
    return both;
}

std::shared_ptr<const jobs::SideBySide> shared(jobs::SideBySide both)
{
    return std::make_shared<const jobs::SideBySide>(std::move(both));
}

} // namespace

TEST(SideBySideModel, SaysWhereTheyPartAndHowSureEachWas)
{
    SideBySideModel model;
    EXPECT_TRUE(model.isEmpty());
    EXPECT_EQ(model.verdict(), QString());
    model.show(shared(parted()));
    ASSERT_EQ(model.rowCount(), 3);
    EXPECT_EQ(model.partingRow(), 1);
    EXPECT_EQ(model.verdict(),
              "They part at token 2: Full says “8” with 62 %, to which This map gives 3.0 %; This map says its "
              "end with 48 %, to which Full gives 0.02 %.");
    EXPECT_EQ(model.index(0, 0).data().toString(), "4");
    EXPECT_FALSE(model.index(2, 1).data().isValid()) << "that answer has ended";
    const QString thoughts = model.thoughts(1, 0);
    for (const char *part :
         {"Token 2 of Full: “8”, where they part", "62 %", "This map, after the same text: 3.0 %", "“no” 97 %"})
        EXPECT_TRUE(thoughts.contains(QString::fromUtf8(part))) << part << " in " << thoughts.toStdString();
    EXPECT_TRUE(model.thoughts(2, 0).contains("This map has not read this text"));
    EXPECT_TRUE(model.index(1, 1).data(Qt::AccessibleTextRole).toString().contains("they part here"));
    EXPECT_EQ(model.heading(1), "2 tokens, ended");
    EXPECT_TRUE(model.asText("What?").startsWith("Prompt:\nWhat?\n\nFull (3 tokens):\n482\n"));
}

TEST(SideBySideModel, GrowsWithoutForgettingWhereThePersonIs)
{
    SideBySideModel model;
    jobs::SideBySide begun = parted();
    begun.parting.reset();
    for (jobs::MapAnswer &answer : begun.answers) {
        answer.tokens.resize(1);
        answer.end = {};
    }
    model.show(shared(begun));
    EXPECT_EQ(model.verdict(), "The same so far: 1 tokens.");
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset), inserted(&model, &QAbstractItemModel::rowsInserted);
    const QPersistentModelIndex first = model.index(0, 1);
    model.show(shared(parted()));
    EXPECT_EQ(reset.count(), 0);
    ASSERT_EQ(inserted.count(), 1);
    EXPECT_EQ(inserted.front()[1].toInt(), 1);
    EXPECT_EQ(inserted.front()[2].toInt(), 2);
    EXPECT_TRUE(first.isValid());
    jobs::SideBySide other = parted();
    other.answers[0].tokens[0] = tokenOf(7, "7", 1);
    model.show(shared(other));
    EXPECT_EQ(reset.count(), 1) << "another answer";
}

TEST(SideBySideModel, TokensAreTextWhateverTheirBytes)
{
    EXPECT_EQ(shownToken("\n", 1), QString(QChar(0x21b5)));
    EXPECT_EQ(shownToken("\xe2\x96", 1), QStringLiteral("⟨e2⟩⟨96⟩")) << "two thirds of a character";
    EXPECT_EQ(shownToken("für", 1), QStringLiteral("für"));
    EXPECT_EQ(shownToken("", 31), "token 31") << "of a model without text";
}

TEST(LayerChanges, AreTheLayersThatComputeOtherwise)
{
    const HeadMap full = fullMap(4, 2, 4, 60);
    HeadMap some = full;
    some.setLayer(1, HeadKind::Streaming);
    some.set(2, 0, HeadKind::Streaming);
    some.setLayerWindow(3, 1, 7); // of which nothing streams: no difference
    PlottedMaps plotted;
    plotted.setModel(full.model(), {});
    const auto scores = risingScores(4, 2);
    FoundScores ablation;
    ablation.effects.resize(4);
    ablation.effects[1].loss = 0.25;
    LayerChangesModel model;
    model.show(layerChanges(plotted, {full, some}, 1024, scores.get(), &ablation), true, "Ablation of layers");
    ASSERT_EQ(model.rowCount(), 3) << "two layers, and all";
    EXPECT_EQ(model.layerAt(0), 1);
    EXPECT_EQ(model.layerAt(1), 2);
    EXPECT_EQ(model.layerAt(2), -1);
    const auto text = [&](int row, int column) { return model.index(row, column).data().toString(); };
    EXPECT_EQ(text(0, LayerChangesModel::Keeps), QStringLiteral("all → 4 + 60"));
    EXPECT_EQ(text(1, LayerChangesModel::Keeps), QStringLiteral("all → all in 1 of 2 heads, else 4 + 60"));
    EXPECT_EQ(
        text(0, LayerChangesModel::Kv),
        QStringLiteral("%1 → %2").arg(bytesText(plotted.layerKv(full, 1, 1024)), bytesText(plotted.layerKv(some, 1, 1024))));
    EXPECT_EQ(text(0, LayerChangesModel::Decode), QStringLiteral("–")) << "nothing was calibrated";
    EXPECT_EQ(text(0, LayerChangesModel::Score), QString::number(static_cast<double>(scores->at(1, 1)), 'f', 2));
    EXPECT_EQ(text(1, LayerChangesModel::Score), QString::number(static_cast<double>(scores->at(2, 0)), 'f', 2))
        << "of the head that differs";
    EXPECT_TRUE(text(0, LayerChangesModel::Effect).startsWith("0.25"));
    model.show(layerChanges(plotted, {full, full}, 1024, scores.get(), nullptr), true, {});
    EXPECT_EQ(model.rowCount(), 0);
    model.show(layerChanges(plotted, {full, fullMap(3, 2)}, 1024, nullptr, nullptr), true, {});
    EXPECT_EQ(model.rowCount(), 0) << "maps of two models";
}

namespace {

class AnswersTest : public HeldWindow
{
protected:
    template <class T> T &child(const char *name)
    {
        T *found = m_window->findChild<T *>(QString::fromLatin1(name));
        if (!found)
            throw std::runtime_error(std::string("there is no ") + name);
        return *found;
    }
    AnswerView &view() { return child<AnswerView>("answers"); }
    void show(std::set<std::string> held = {})
    {
        hold(std::move(held));
        m_window->showPage("answers");
        m_window->runs().cancelAll(); // scores would come, and a map by them
        m_window->document().applyMap(map().withEvery(HeadKind::Retrieval));
        m_window->document().setKind({{1, 0}, {1, 1}}, HeadKind::Streaming);
        m_window->document().setWindow(1, 6);
        child<QPlainTextEdit>("prompt").setPlainText("Some text that is longer than the window of layer one.");
        m_window->refreshNow();
    }
    bool waitForEnd()
    {
        return QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 180000);
    }
};

} // namespace

TEST_F(AnswersTest, BothAnswerAndTheKeysWalkThroughTheirTokens)
{
    show();
    child<QSpinBox>("mostTokens").setValue(12);
    ASSERT_TRUE(child<QPushButton>("askBoth").isEnabled());
    QTest::mouseClick(&child<QPushButton>("askBoth"), Qt::LeftButton);
    ASSERT_TRUE(waitForEnd());
    ASSERT_TRUE(view().model().both()) << message().toStdString();
    EXPECT_TRUE(view().model().both()->isComplete);
    ASSERT_GT(view().model().rowCount(), 2);
    EXPECT_FALSE(child<QLabel>("verdict").text().isEmpty());
    EXPECT_EQ(view().model().headerData(0, Qt::Horizontal).toString(), "Full");

    view().setFocus();
    QTest::keyClick(&view(), Qt::Key_Home);
    QTest::keyClick(&view(), Qt::Key_Home);
    EXPECT_EQ(view().selectionModel()->currentIndex(), view().model().index(0, 0));
    QTest::keyClick(&view(), Qt::Key_Right);
    EXPECT_EQ(view().selectionModel()->currentIndex(), view().model().index(1, 0));
    EXPECT_EQ(child<QLabel>("thoughts").text(), view().model().thoughts(1, 0));
    QTest::keyClick(&view(), Qt::Key_Right, Qt::ControlModifier);
    EXPECT_EQ(view().selectionModel()->currentIndex(), view().model().index(1, 1));
    QTest::keyClick(&view(), Qt::Key_End);
    EXPECT_EQ(view().selectionModel()->currentIndex().row(),
              static_cast<int>(view().model().both()->answers[1].tokens.size()) - 1);
    QTest::mouseClick(view().viewport(), Qt::LeftButton, {}, view().visibleToken(0, 1).center());
    EXPECT_EQ(view().selectionModel()->currentIndex(), view().model().index(0, 1));

    QHelpEvent help(QEvent::ToolTip, view().visibleToken(1, 0).center(), QPoint());
    QCoreApplication::sendEvent(view().viewport(), &help);
    EXPECT_EQ(QToolTip::text(), view().model().thoughts(1, 0));
    QAccessibleInterface *told = QAccessible::queryAccessibleInterface(&view());
    ASSERT_TRUE(told && told->tableInterface());
    EXPECT_EQ(told->tableInterface()->rowCount(), view().model().rowCount());
    EXPECT_EQ(told->tableInterface()->cellAt(1, 1)->text(QAccessible::Name),
              view().model().index(1, 1).data(Qt::AccessibleTextRole).toString());
    m_window->findChild<QAction *>("copyAnswers")->trigger();
    EXPECT_TRUE(QGuiApplication::clipboard()->text().contains("Some text that is longer"));

    // The layers that differ, and the selection that all pages share.
    auto &table = child<QTableView>("layerChanges");
    ASSERT_EQ(table.model()->rowCount(), 2);
    table.selectRow(0);
    EXPECT_EQ(m_window->studio().selection().layers(), std::vector{1});
    m_window->studio().selection().set({0});
    EXPECT_TRUE(table.selectionModel()->selectedRows().isEmpty());

    // Another map than the one that answered.
    m_window->document().setKind({{0, 0}}, HeadKind::Streaming);
    m_window->refreshNow();
    EXPECT_TRUE(child<QLabel>("verdict").text().contains("other maps")) << child<QLabel>("verdict").text().toStdString();
    EXPECT_EQ(table.model()->rowCount(), 3);
}

/// Any two of them, by name, whichever is in front.
TEST_F(AnswersTest, VariantsAreComparedWithEachOther)
{
    show();
    auto &left = child<QComboBox>("leftMap"), &right = child<QComboBox>("rightMap");
    ASSERT_EQ(left.count(), 4);
    m_window->document().duplicateVariant("wide");
    m_window->document().toggle({{0, 0}});
    m_window->refreshNow();
    ASSERT_EQ(left.count(), 6);
    EXPECT_EQ(left.currentText(), "Full") << "what was chosen stays chosen";
    EXPECT_EQ(left.itemText(4), m_window->document().variantName(0));
    EXPECT_EQ(left.itemText(5), "wide");
    left.setCurrentIndex(4);
    right.setCurrentIndex(5);
    m_window->refreshNow();
    auto &table = child<QTableView>("layerChanges");
    EXPECT_EQ(table.model()->rowCount(), 2) << "the layer and the row of all";
    m_window->document().showVariant(0);
    m_window->refreshNow();
    EXPECT_EQ(right.currentText(), "wide");
    EXPECT_EQ(table.model()->rowCount(), 2);
    m_window->document().removeVariant(1);
    m_window->refreshNow();
    EXPECT_EQ(left.count(), 4) << "of one variant this map is enough";
}

TEST_F(AnswersTest, ACancelInTheMiddleLeavesWhatWasGenerated)
{
    show();
    child<QSpinBox>("mostTokens").setValue(120);
    SideBySideModel &model = view().model();
    const auto stop = [&] {
        if (model.rowCount() > 0)
            m_window->runs().cancel();
    };
    QObject::connect(&model, &QAbstractItemModel::modelReset, &model, stop);
    QObject::connect(&model, &QAbstractItemModel::rowsInserted, &model, stop);
    m_window->findChild<QAction *>("answerBoth")->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return model.rowCount() > 0; }, 180000)) << message().toStdString();
    const int kept = model.rowCount();
    ASSERT_TRUE(waitForEnd());
    QTest::qWait(50);
    EXPECT_EQ(model.rowCount(), kept) << "nothing comes behind a cancel";
    EXPECT_LT(kept, 120);
    EXPECT_FALSE(model.both()->isComplete);
    EXPECT_FALSE(child<QLabel>("verdict").text().isEmpty());
}

TEST_F(AnswersTest, StopEndsARunAndTheHintSaysThatItRuns)
{
    show({"answers"});
    EXPECT_FALSE(child<QPushButton>("stopAnswers").isEnabled());
    QTest::mouseClick(&child<QPushButton>("askBoth"), Qt::LeftButton);
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->runs().isRunning("answers"); }, 180000));
    m_window->refreshNow();
    ASSERT_TRUE(child<QPushButton>("stopAnswers").isEnabled());
    QTest::mouseClick(&child<QPushButton>("stopAnswers"), Qt::LeftButton);
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_held->cancelled.load() == 1; }, 180000));
    m_window->refreshNow();
    EXPECT_FALSE(child<QPushButton>("stopAnswers").isEnabled());
}

TEST_F(AnswersTest, ACellOfTheNeedlePageShowsItsAnswers)
{
    show();
    NeedleResult result;
    result.grid = {{200, 0.5, 1, 0}};
    result.planned = 1;
    m_window->studio().takeNeedles({"this map", map()}, result);
    m_window->showPage("needle");
    m_window->refreshNow();
    settle();
    auto &grid = m_window->findChild<NeedleView *>()->currentGrid();
    QAccessibleInterface *cell = QAccessible::queryAccessibleInterface(&grid)->tableInterface()->cellAt(0, 0);
    QTest::mouseDClick(&grid, Qt::LeftButton, {}, grid.mapFromGlobal(cell->rect().center()));
    EXPECT_TRUE(comesToFront("answers"));
    ASSERT_TRUE(waitForEnd());
    ASSERT_TRUE(view().model().both()) << message().toStdString();
    EXPECT_TRUE(child<QPlainTextEdit>("prompt").toPlainText().contains("pass key"));
    EXPECT_TRUE(child<QLabel>("promptSource").text().contains("question 1 of 5"));
    for (const jobs::MapAnswer &answer : view().model().both()->answers)
        EXPECT_LE(answer.tokens.size(), 5U) << "the key has five digits, and what would come behind it is no answer";
    const QString first = child<QPlainTextEdit>("prompt").toPlainText();
    QTest::mouseClick(&child<QPushButton>("nextQuestion"), Qt::LeftButton);
    ASSERT_TRUE(waitForEnd());
    EXPECT_NE(child<QPlainTextEdit>("prompt").toPlainText(), first);
    // Edited, it is a text like any other.
    child<QPlainTextEdit>("prompt").setPlainText("Something else");
    EXPECT_FALSE(child<QLabel>("promptSource").isVisibleTo(m_window.get()));
}

TEST_F(AnswersTest, APromptComesFromAFileOfTextAlone)
{
    show();
    m_prompts->files = {QString::fromStdString(write("ask.txt", "Ask this.")),
                        QString::fromStdString(write("picture.bin", std::string("\0\1\2", 3)))};
    QTest::mouseClick(&child<QPushButton>("promptFile"), Qt::LeftButton);
    EXPECT_EQ(child<QPlainTextEdit>("prompt").toPlainText(), "Ask this.");
    QTest::mouseClick(&child<QPushButton>("promptFile"), Qt::LeftButton);
    EXPECT_EQ(child<QPlainTextEdit>("prompt").toPlainText(), "Ask this.");
    EXPECT_TRUE(message().contains("picture.bin")) << message().toStdString();
}

} // namespace zigzag::test
