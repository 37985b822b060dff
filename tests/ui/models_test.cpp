// SPDX-License-Identifier: GPL-3.0-or-later
#include "samples.h"
#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/head_map_geometry.h"
#include "views/models/head_map_model.h"
#include "views/models/needle_model.h"
#include "views/models/text.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <gtest/gtest.h>

namespace zigzag::test {

TEST(Text, NumbersReadAsAPersonWritesThem)
{
    EXPECT_EQ(contextText(512), "512");
    EXPECT_EQ(contextText(2048), "2K");
    EXPECT_EQ(contextText(1 << 20), "1M");
    EXPECT_EQ(contextText(1000), "1000");
    EXPECT_EQ(bytesText(640), "640 B");
    EXPECT_EQ(bytesText(1536), "1.50 KiB");
    EXPECT_EQ(bytesText(137438953472.0), "128 GiB");
    EXPECT_EQ(keysText(640), "640");
    EXPECT_EQ(keysText(1023 * 1024), "1023K");
    EXPECT_EQ(keysText(1073741824), "1G");
    EXPECT_EQ(timeText(0.0855), "85.5 µs");
    EXPECT_EQ(timeText(3.21), "3.21 ms");
    EXPECT_EQ(timeText(1520), "1.52 s");
    EXPECT_EQ(changeText(88, 100), "−12 %");
    EXPECT_EQ(changeText(103, 100), "+3 %");
    EXPECT_EQ(changeText(100, 100), "±0 %");
    EXPECT_EQ(changeText(1, 0), "");
}

TEST(Colors, ScaleIsOrderedByLightnessAndGlyphsCanBeRead)
{
    double before = -1;
    for (int step = 0; step <= 100; ++step) {
        const QColor color = scoreColor(step / 100.0);
        const double lightness = contrastRatio(color, Qt::black);
        EXPECT_GT(lightness, before) << step;
        before = lightness;
        EXPECT_GE(contrastRatio(color, inkOn(color)), 4.0) << step;
    }
    EXPECT_EQ(scoreColor(-1), scoreColor(0));
    EXPECT_EQ(scoreColor(std::numeric_limits<double>::quiet_NaN()), scoreColor(0));
}

TEST(Colors, SeriesCanBeToldFromTheBackgroundInBothThemes)
{
    for (const Series series : allSeries) {
        EXPECT_GE(contrastRatio(seriesColor(series, false), Qt::white), 4.0);
        EXPECT_GE(contrastRatio(seriesColor(series, true), QColor(0x16, 0x18, 0x1c)), 4.0);
    }
}

TEST(HeadMapGeometry, EveryCellIsHitWhereItIsDrawn)
{
    for (const auto &[layers, heads] : {std::pair(8, 4), std::pair(32, 8), std::pair(80, 8), std::pair(32, 32)}) {
        const HeadMapGeometry geometry(layers, heads, {15, 10}, QSize(800, 600), {});
        for (int layer = 0; layer < layers; ++layer) {
            EXPECT_EQ(geometry.hit(geometry.layer(layer).center()).area, HeadMapGeometry::Area::Layer);
            EXPECT_EQ(geometry.hit(geometry.kv(layer).center()).area, HeadMapGeometry::Area::Side);
            for (int head = 0; head < heads; ++head) {
                const auto hit = geometry.hit(geometry.cell(layer, head).center());
                ASSERT_EQ(hit.area, HeadMapGeometry::Area::Cell);
                EXPECT_EQ(hit.layer, layer);
                EXPECT_EQ(hit.head, head);
            }
        }
        EXPECT_GE(geometry.rowHeight(), 15) << "a glyph fits";
        EXPECT_GE(geometry.cellWidth(), 10) << "a glyph fits";
        EXPECT_EQ(geometry.hit(QPoint(10, 2)).area, HeadMapGeometry::Area::None);
        EXPECT_EQ(geometry.nearestCell(QPoint(-500, -500)), QPoint(0, 0));
        EXPECT_EQ(geometry.nearestCell(QPoint(100000, 100000)), QPoint(heads - 1, layers - 1));
    }
}

TEST(HeadMapModel, KeepsQtsRulesAndTellsWhatALayerLost)
{
    HeadMapModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    HeadMap map = fullMap(4, 2);
    model.show(map, nullptr, {});
    EXPECT_EQ(model.rowCount(), 4);
    EXPECT_EQ(model.columnCount(), 2);
    EXPECT_FALSE(model.index(0, 0).data(HeadMapModel::ScoreRole).isValid());
    EXPECT_FALSE(model.headerData(0, Qt::Vertical, HeadMapModel::FlippedRole).isValid());

    QSignalSpy resets(&model, &QAbstractItemModel::modelReset);
    QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
    map.set(3, 1, HeadKind::Streaming);
    model.show(map, risingScores(4, 2), {false, true, false, false});
    EXPECT_EQ(resets.count(), 0);
    EXPECT_EQ(changes.count(), 1);
    EXPECT_EQ(model.index(3, 1).data().toString(), "S");
    EXPECT_EQ(model.index(3, 0).data().toString(), "R");
    EXPECT_TRUE(model.index(3, 1).data(Qt::AccessibleTextRole).toString().contains("streaming"));
    EXPECT_DOUBLE_EQ(model.index(3, 1).data(HeadMapModel::ScoreRole).toDouble(), 0.875);
    EXPECT_EQ(model.headerData(3, Qt::Vertical, HeadMapModel::LayerKindRole).toInt(), static_cast<int>(LayerKind::Mixed));
    EXPECT_TRUE(model.headerData(1, Qt::Vertical, HeadMapModel::LockedRole).toBool());
    // DuoAttention would let the lowest head stream: (0, 0) instead of (3, 1).
    EXPECT_EQ(model.headerData(0, Qt::Vertical, HeadMapModel::FlippedRole).toInt(), 1);
    EXPECT_EQ(model.headerData(3, Qt::Vertical, HeadMapModel::FlippedRole).toInt(), 1);

    model.show(fullMap(6, 3), nullptr, {});
    EXPECT_EQ(resets.count(), 1);
    EXPECT_EQ(model.rowCount(), 6);
}

TEST(HeadMapModel, LocalLayersAreShownAsWhatTheyAre)
{
    ModelShape shape = shapeOf(3, 2);
    shape.fileWindows = {0, 24, 0};
    HeadMapModel model;
    model.show(HeadMap(shape, HeadKind::Streaming, 4, 60), risingScores(3, 2), {});
    EXPECT_EQ(model.index(1, 0).data().toString(), "L");
    EXPECT_EQ(model.index(0, 0).data().toString(), "S");
    EXPECT_EQ(model.headerData(1, Qt::Vertical, HeadMapModel::LayerKindRole).toInt(), static_cast<int>(LayerKind::Local));
    EXPECT_TRUE(model.index(1, 0).data(Qt::AccessibleTextRole).toString().contains("local"));
    const QString tip = model.index(1, 1).data(Qt::ToolTipRole).toString();
    EXPECT_TRUE(tip.contains("keeps the last 24 tokens") && tip.contains("no map changes it")) << tip.toStdString();
    EXPECT_TRUE(model.headerData(1, Qt::Vertical, Qt::ToolTipRole).toString().startsWith("Layer 1: local"));
    EXPECT_EQ(model.headerData(1, Qt::Vertical, HeadMapModel::FlippedRole).toInt(), 0);
    EXPECT_TRUE(csvOf(model).contains("1,local,LL,")) << csvOf(model).toStdString();
}

TEST(NeedleModel, SortsTheGridAndFindsEveryCell)
{
    NeedleModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    EXPECT_TRUE(model.isEmpty());
    NeedleResult result;
    result.grid = {{2048, 1.0, 4, 1}, {512, 0.0, 4, 4}, {2048, 0.0, 4, 2}, {512, 1.0, 4, 3}};
    result.accuracy = 10.0 / 16;
    model.show(&result);
    ASSERT_EQ(model.rowCount(), 2);
    ASSERT_EQ(model.columnCount(), 2);
    EXPECT_EQ(model.headerData(0, Qt::Horizontal).toString(), "512");
    EXPECT_EQ(model.headerData(1, Qt::Vertical).toString(), "100 %");
    EXPECT_EQ(model.index(0, 0).data().toString(), "100 %");
    EXPECT_EQ(model.index(1, 1).data().toString(), "25 %");
    EXPECT_EQ(model.found(), 10);
    EXPECT_EQ(model.trials(), 16);
    model.show(nullptr);
    EXPECT_TRUE(model.isEmpty());
}

} // namespace zigzag::test
