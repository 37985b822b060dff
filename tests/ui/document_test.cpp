// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/document.h"
#include "samples.h"
#include "tests/tiny_model.h"

#include "engine/map/map_io.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

namespace zigzag::test {

TEST(Document, EveryEditIsUndoneAndRedone)
{
    Document document;
    document.begin(fullMap(4, 2), {}, risingScores(4, 2));
    std::vector<DocumentState> states = {document.state()};
    const auto note = [&] { states.push_back(document.state()); };
    document.toggle({{0, 0}, {1, 1}});
    note();
    document.setKind({{2, 0}, {2, 1}}, HeadKind::Streaming);
    note();
    document.toggleLayer(3);
    note();
    document.setWindow(8, 100);
    note();
    document.toggleLocks({1});
    note();
    ASSERT_TRUE(document.assign(QStringLiteral("zigzag"), 0.5));
    note();
    ASSERT_TRUE(document.assign(QStringLiteral("duo"), 0.4));
    note();
    document.endSeries();
    ASSERT_TRUE(document.makeExclusive());
    note();
    document.setScores(nullptr);
    note();
    // The two assignments are one series, so they are one step.
    states.erase(states.begin() + 6);
    ASSERT_EQ(document.undoStack().count(), static_cast<int>(states.size()) - 1);
    for (std::size_t step = states.size() - 1; step-- > 0;) {
        document.undoStack().undo();
        EXPECT_EQ(document.state(), states[step]) << step;
    }
    EXPECT_FALSE(document.isModified());
    for (std::size_t step = 1; step < states.size(); ++step) {
        document.undoStack().redo();
        EXPECT_EQ(document.state(), states[step]) << step;
    }
}

TEST(Document, AStrokeIsOneStep)
{
    Document document;
    document.begin(fullMap(4, 2), {});
    document.beginStroke(HeadKind::Streaming);
    document.touch(0, 0);
    document.touch(1, 0);
    document.touch(1, 0);
    document.touch(2, 0);
    EXPECT_EQ(document.map().streamingHeads(), 3) << "seen before it ends";
    document.endStroke();
    EXPECT_EQ(document.undoStack().count(), 1);
    document.undoStack().undo();
    EXPECT_EQ(document.map().streamingHeads(), 0);

    document.beginStroke(HeadKind::Streaming);
    document.touch(3, 1);
    document.abandonStroke();
    EXPECT_EQ(document.map().streamingHeads(), 0);
    document.beginStroke(HeadKind::Retrieval);
    document.touch(3, 1);
    document.endStroke();
    EXPECT_EQ(document.undoStack().count(), 1) << "what changed nothing is no step, and the redo is still there";
    EXPECT_TRUE(document.undoStack().canRedo());
}

TEST(Document, TheMovesOfASliderAreOneStep)
{
    Document document;
    document.begin(fullMap(8, 2), {}, risingScores(8, 2));
    for (const double sparsity : {0.1, 0.25, 0.5, 0.75})
        ASSERT_TRUE(document.assign(QStringLiteral("zigzag"), sparsity));
    document.endSeries();
    ASSERT_TRUE(document.assign(QStringLiteral("zigzag"), 0.25));
    EXPECT_EQ(document.undoStack().count(), 2);
    document.undoStack().undo();
    EXPECT_EQ(document.map().streamingHeads(), 12);
    document.undoStack().undo();
    EXPECT_EQ(document.map().streamingHeads(), 0);
}

TEST(Document, LockedLayersKeepTheirHeadsAndTheFileSaysSo)
{
    Document document;
    document.begin(fullMap(4, 2), {}, risingScores(4, 2));
    document.setKind({{3, 0}}, HeadKind::Streaming);
    document.toggleLocks({0, 3});
    ASSERT_TRUE(document.assign(QStringLiteral("zigzag"), 0.5));
    EXPECT_EQ(document.map().layerKind(0), LayerKind::Retrieval) << "zigzag would let layer 0 stream";
    EXPECT_EQ(document.map().layerKind(1), LayerKind::Streaming);
    EXPECT_EQ(document.map().layerKind(3), LayerKind::Mixed);
    EXPECT_EQ(document.map().provenance().criterion, "zigzag with locked layers");
    EXPECT_DOUBLE_EQ(document.map().provenance().sparsity, 3.0 / 8);
}

TEST(Document, MakeExclusiveKeepsTheSparsity)
{
    Document document;
    document.begin(fullMap(4, 2), {}, risingScores(4, 2));
    document.setKind({{0, 0}, {1, 0}, {2, 0}, {3, 0}}, HeadKind::Streaming);
    ASSERT_EQ(document.map().mixedLayers(), 4);
    ASSERT_TRUE(document.makeExclusive());
    EXPECT_TRUE(document.map().isExclusive());
    EXPECT_EQ(document.map().streamingHeads(), 4);
    Document bare;
    bare.begin(fullMap(4, 2), {});
    const auto refused = bare.makeExclusive();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("no scores"), std::string::npos);
}

TEST(Document, ModifiedMeansOtherThanTheFile)
{
    const TempFolder folder;
    Document document;
    QSignalSpy modified(&document, &Document::modifiedChanged);
    document.begin(fullMap(4, 2), {});
    EXPECT_TRUE(document.isUntouched());
    document.toggle({{0, 0}});
    EXPECT_TRUE(document.isModified());
    document.undoStack().undo();
    EXPECT_FALSE(document.isModified());
    document.undoStack().redo();
    ASSERT_TRUE(document.save(folder / "map.json"));
    EXPECT_FALSE(document.isModified());
    EXPECT_FALSE(document.isUntouched());
    document.undoStack().undo();
    EXPECT_TRUE(document.isModified()) << "the file has the edit that was taken back";
    document.toggle({{0, 0}});
    EXPECT_FALSE(document.isModified()) << "the same heads as in the file";
    EXPECT_EQ(modified.count(), 6);
    const auto read = readHeadMap(folder / "map.json");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, document.map());
}

TEST(Document, AFailedSaveKeepsTheDocumentAsItWas)
{
    Document document;
    document.begin(fullMap(2, 2), {});
    document.toggle({{0, 0}});
    EXPECT_FALSE(document.save("/nonexistent/folder/map.json"));
    EXPECT_TRUE(document.isModified());
    EXPECT_TRUE(document.path().empty());
}

TEST(Document, LocalLayersAreNotEditedAndItIsSaid)
{
    ModelShape shape = shapeOf(4, 2);
    shape.fileWindows = {0, 24, 0, 0};
    Document document;
    document.begin(HeadMap(shape, HeadKind::Retrieval, 4, 60), {}, risingScores(4, 2)); // scores that know of no local layer
    QSignalSpy said(&document, &Document::localLayerAsked);
    const DocumentState before = document.state();
    document.toggle({{1, 0}});
    document.setKind({{1, 0}, {1, 1}}, HeadKind::Streaming);
    document.toggleLayer(1);
    document.toggleLocks({1});
    document.beginStroke(HeadKind::Streaming);
    document.touch(1, 0);
    document.endStroke();
    EXPECT_EQ(document.state(), before);
    EXPECT_EQ(document.undoStack().count(), 0);
    EXPECT_EQ(said.count(), 5);
    EXPECT_EQ(said.front().front().toInt(), 1);

    // Among others they are passed over, and nothing need be said.
    document.setKind({{0, 0}, {1, 0}}, HeadKind::Streaming);
    document.toggleLocks({1, 2});
    document.beginStroke(HeadKind::Streaming);
    document.touch(0, 1);
    document.touch(1, 1);
    document.touch(2, 1);
    document.endStroke();
    EXPECT_EQ(said.count(), 5);
    EXPECT_EQ(document.map().streamingHeads(), 3);
    EXPECT_DOUBLE_EQ(document.map().sparsity(), 0.5);
    EXPECT_EQ(document.state().locked, (std::vector<bool>{false, false, true, false}));

    document.toggleLocks({2});
    ASSERT_TRUE(document.assign(QStringLiteral("zigzag"), 1.0));
    EXPECT_EQ(document.map().streamingHeads(), 6);
    EXPECT_EQ(document.map().layerKind(1), LayerKind::Local);
}

TEST(Document, TheFingerprintReachesEveryStepOfTheHistory)
{
    Document document;
    document.begin(fullMap(2, 2), {});
    document.toggle({{0, 0}});
    ModelShape shape = shapeOf(2, 2);
    shape.fingerprint = "sha256:abc";
    document.setModel(shape);
    document.undoStack().undo();
    EXPECT_EQ(document.map().model().fingerprint, "sha256:abc");
    EXPECT_FALSE(document.isModified());
}

} // namespace zigzag::test
