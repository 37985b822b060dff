// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/cost_fit.h"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace zigzag {
namespace {

TEST(FitFeatures, FindsTheCoefficientsThatMadeThePoints)
{
    std::vector<FitPoint> points;
    for (const double rows : {128.0, 1024.0, 2048.0})
        for (const double flops : {1e6, 5e7, 2e9})
            for (const double bytes : {1e4, 1e6})
                points.push_back({{1, rows, flops, bytes}, 12.0 + 0.05 * rows + 3e-6 * flops + 2e-4 * bytes});
    const Features found = fitFeatures(points);
    EXPECT_NEAR(found[0], 12.0, 1e-6);
    EXPECT_NEAR(found[1], 0.05, 1e-8);
    EXPECT_NEAR(found[2], 3e-6, 1e-12);
    EXPECT_NEAR(found[3], 2e-4, 1e-10);
}

TEST(FitFeatures, NeverGoesDownWithMoreWork)
{
    const Features falling = fitFeatures(std::vector<FitPoint>{{{1, 0, 0, 100}, 10}, {{1, 0, 0, 200}, 9}, {{1, 0, 0, 300}, 8}});
    EXPECT_GE(falling[0], 0);
    EXPECT_EQ(falling[3], 0);
    EXPECT_NEAR(dot(falling, {1, 0, 0, 200}), 9, 1);
}

TEST(FitFeatures, KeepsWhatItCannotTellApartAtTheMeasuredPoints)
{
    const std::vector<FitPoint> same(3, {{1, 1, 0, 4096}, 5});
    EXPECT_NEAR(dot(fitFeatures(same), {1, 1, 0, 4096}), 5, 1e-6);
    EXPECT_EQ(dot(fitFeatures({}), {1, 1, 1, 1}), 0);
    EXPECT_EQ(dot(fitFeatures(std::vector<FitPoint>{{{1, 1, 1, 1}, 0}}), {1, 1, 1, 1}), 0);
}

TEST(RowTable, IsLinearBetweenItsPointsAndBeyond)
{
    const RowTable table = RowTable::from(std::vector<std::pair<double, double>>{{8, 20}, {2, 10}, {2, 11}, {2, 50}, {16, 60}});
    EXPECT_DOUBLE_EQ(table.at(2), 11) << "the median of three";
    EXPECT_DOUBLE_EQ(table.at(1), 11);
    EXPECT_DOUBLE_EQ(table.at(5), 15.5);
    EXPECT_DOUBLE_EQ(table.at(8), 20);
    EXPECT_DOUBLE_EQ(table.at(12), 40);
    EXPECT_DOUBLE_EQ(table.at(24), 100);
    EXPECT_EQ(RowTable().at(3), 0);
    const RowTable falling = RowTable::from(std::vector<std::pair<double, double>>{{2, 10}, {4, 9}});
    EXPECT_DOUBLE_EQ(falling.at(100), 9);
}

} // namespace
} // namespace zigzag
