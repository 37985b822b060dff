// SPDX-License-Identifier: GPL-3.0-or-later
// Targets other than a sparsity, the verdicts of exports, and two maps beside each other, in the real window.
#include "app/studio/pages/compare_page.h"
#include "views/models/map_difference_model.h"
#include "views/widgets/assign_panel.h"
#include "views/widgets/export_dialog.h"
#include "window_fixture.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSet>
#include <QSignalSpy>
#include <QTableView>
#include <QTreeWidget>

namespace zigzag::test {

namespace {

void choose(QComboBox *box, int index)
{
    box->setCurrentIndex(index);
    Q_EMIT box->activated(index);
}

} // namespace

TEST_F(WindowTest, ALayerCountAndAKvBudgetAreAskedOfThePanel)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2)))); // heads of a known size
    ASSERT_TRUE(open(write("s.tsv", "0.1\t0.1\n0.2\t0.2\n0.3\t0.3\n0.95\t0.4\n")));
    auto *kind = m_window->findChild<QComboBox *>("targetKind");
    auto *layers = m_window->findChild<QSpinBox *>("targetLayers");
    auto *kv = m_window->findChild<QDoubleSpinBox *>("targetKv");
    ASSERT_TRUE(kind && layers && kv);
    choose(kind, static_cast<int>(AssignBy::Layers));
    layers->setValue(3);
    settle();
    EXPECT_EQ(map().layerKind(2), LayerKind::Streaming);
    EXPECT_EQ(map().layerKind(3), LayerKind::Retrieval);
    m_window->document().toggleLocks({0});
    layers->setValue(1);
    settle();
    EXPECT_EQ(map().layerKind(0), LayerKind::Streaming) << "it is locked as it was";
    EXPECT_EQ(map().streamingHeads(), 2);
    layers->setValue(0);
    settle();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
    EXPECT_TRUE(message().contains("locked layers")) << message().toStdString();
    choose(kind, static_cast<int>(AssignBy::KvBudget));
    ASSERT_TRUE(kv->isEnabled());
    const double all = kv->value();
    EXPECT_GT(all, 0);
    kv->setValue(0);
    settle();
    EXPECT_TRUE(message().contains("out of reach")) << message().toStdString();
}

TEST_F(WindowTest, TwoMapsAreComparedLayerByLayer)
{
    HeadMap other = fullMap(8, 4);
    other.setLayer(1, HeadKind::Streaming);
    other.set(6, 2, HeadKind::Streaming);
    const auto file = savedMap(other, "other.json");
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    auto *page = m_window->findChild<ComparePage *>();
    auto *table = m_window->findChild<QTableView *>("differences");
    auto *summary = m_window->findChild<QLabel *>("differenceSummary");
    ASSERT_TRUE(page && table && summary);
    ASSERT_TRUE(page->compareWith(QString::fromStdString(file.string())));
    settle();
    EXPECT_TRUE(summary->text().startsWith("5 of 32 heads differ")) << summary->text().toStdString();
    ASSERT_EQ(table->model()->rowCount(), 3);
    const auto cellText = [&](int row, int column) { return table->model()->index(row, column).data().toString().toStdString(); };
    EXPECT_EQ(cellText(0, MapDifferenceModel::Layer), "1");
    EXPECT_EQ(cellText(0, MapDifferenceModel::Heads), "0, 1, 2, 3");
    EXPECT_EQ(cellText(1, MapDifferenceModel::Heads), "2");
    EXPECT_EQ(cellText(1, MapDifferenceModel::Streaming), "0 → 1");
    EXPECT_EQ(cellText(2, MapDifferenceModel::Layer), "all");
    table->selectRow(1);
    settle();
    EXPECT_EQ(m_window->headMap().selectedLayers(), (std::vector<int>{6})) << "a layer selected here is selected everywhere";
    m_window->document().toggleLayer(1);
    settle();
    EXPECT_TRUE(summary->text().startsWith("1 of 32 heads differ")) << summary->text().toStdString();
    EXPECT_FALSE(page->compareWith(QString::fromStdString(savedMap(fullMap(2, 2), "small.json").string())));
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
}

TEST(ExportDialog, RefusedTargetsSayWhyAndCannotBeChosen)
{
    HeadMap map = fullMap(4, 2);
    map.set(1, 0, HeadKind::Streaming);
    ExportDialog dialog(map, nullptr);
    auto *formats = dialog.findChild<QTreeWidget *>();
    ASSERT_TRUE(formats);
    ASSERT_EQ(formats->topLevelItemCount(), static_cast<int>(exportFormats().size() + carriedTargets().size()));
    int refused = 0;
    for (int row = 0; row < static_cast<int>(exportFormats().size()); ++row) {
        const ExportFormat &format = exportFormats()[static_cast<std::size_t>(row)];
        formats->setCurrentItem(formats->topLevelItem(row));
        const bool possible = format.verdict(map, nullptr).refusal.empty();
        EXPECT_EQ(dialog.format(), possible ? &format : nullptr) << format.name;
        refused += !possible;
        bool said = false;
        for (const QLabel *label : dialog.findChildren<QLabel *>())
            said = said || !label->text().isEmpty();
        EXPECT_TRUE(said);
        if (format.name == "vllm") {
            EXPECT_TRUE(formats->topLevelItem(row)->text(2).startsWith("no: 1"))
                << formats->topLevelItem(row)->text(2).toStdString();
        }
    }
    EXPECT_EQ(refused, 6); // two that cannot, and four that need the model
}

TEST(ExportDialog, WhatIsCalibratedFirstNeedsTheModelAndAsksHow)
{
    auto model = loadExportModel("bundled:zigzag-tiny");
    ASSERT_TRUE(model) << model.error().message;
    HeadMap map(model->config.shape(), HeadKind::Retrieval, 4, 64);
    map.setLayer(1, HeadKind::Streaming);
    ExportDialog dialog(map, &*model);
    auto *formats = dialog.findChild<QTreeWidget *>();
    auto *fits = dialog.findChild<QCheckBox *>(QStringLiteral("exportFits"));
    ASSERT_TRUE(formats && fits);
    const int first = static_cast<int>(exportFormats().size());
    ASSERT_TRUE(formats->topLevelItem(first)->text(0).startsWith("Granite folder"));
    formats->setCurrentItem(formats->topLevelItem(first));
    EXPECT_FALSE(dialog.carried()) << "there is no model to calibrate with";
    EXPECT_TRUE(fits->isHidden() || !fits->isVisibleTo(&dialog));
    dialog.offerMeasuring();
    ASSERT_EQ(dialog.carried(), &carriedTargets()[0]);
    EXPECT_FALSE(dialog.format());
    EXPECT_TRUE(fits->isVisibleTo(&dialog));
    EXPECT_FALSE(dialog.carriedOptions().fits);
    fits->click();
    EXPECT_TRUE(dialog.carriedOptions().fits);
    formats->setCurrentItem(formats->topLevelItem(first + 1)); // a GGUF file is made of one, and this model is a folder
    EXPECT_FALSE(dialog.carried());
    EXPECT_FALSE(fits->isVisibleTo(&dialog));
    formats->setCurrentItem(formats->topLevelItem(0));
    EXPECT_EQ(dialog.format(), &exportFormats()[0]);
    EXPECT_FALSE(dialog.carried());
}

TEST(ExportDialog, NothingCoversTheTableOnceTheCostIsShown)
{
    ExportDialog dialog(fullMap(4, 2), nullptr);
    dialog.offerMeasuring();
    dialog.show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(&dialog));
    CarryQuality quality;
    quality.inside = quality.beyond = quality.windowAlone = quality.sinksKept = {0.041, 0.89, 100};
    dialog.showCost(quality);
    QCoreApplication::processEvents();
    const auto *formats = dialog.findChild<QTreeWidget *>();
    for (const QLabel *label : dialog.findChildren<QLabel *>()) {
        EXPECT_FALSE(formats->geometry().intersects(label->geometry())) << label->text().toStdString();
        EXPECT_GE(label->height(), label->heightForWidth(label->width())) << label->text().toStdString();
    }
}

TEST(ExportDialog, TheCostIsMeasuredWhenAskedForAndCanBeStopped)
{
    ExportDialog dialog(fullMap(4, 2), nullptr);
    auto *measure = dialog.findChild<QPushButton *>(QStringLiteral("measureExport"));
    auto *progress = dialog.findChild<QProgressBar *>(QStringLiteral("measureProgress"));
    auto *cost = dialog.findChild<QLabel *>(QStringLiteral("exportCost"));
    ASSERT_TRUE(measure && progress && cost);
    EXPECT_TRUE(measure->isHidden()) << "nobody is there who could measure";
    dialog.offerMeasuring();
    EXPECT_FALSE(measure->isHidden());
    EXPECT_FALSE(progress->accessibleName().isEmpty());
    EXPECT_FALSE(cost->accessibleName().isEmpty());

    QSignalSpy asked(&dialog, &ExportDialog::measureAsked), cancelled(&dialog, &ExportDialog::measureCancelled);
    measure->click();
    EXPECT_EQ(asked.count(), 1);
    EXPECT_TRUE(dialog.isMeasuring());
    dialog.showProgress(0.5);
    EXPECT_EQ(progress->value(), 50);
    EXPECT_FALSE(progress->isHidden());
    measure->click(); // the same button stops it
    EXPECT_EQ(cancelled.count(), 1);
    EXPECT_FALSE(dialog.isMeasuring());
    EXPECT_TRUE(progress->isHidden());
    EXPECT_TRUE(cost->isHidden()) << "nothing was measured";

    measure->click();
    EXPECT_EQ(asked.count(), 2);
    CarryQuality quality;
    quality.inside = {0.041, 0.89, 100};
    quality.beyond = {0.089, 0.865, 100};
    quality.windowAlone = {0.41, 0.718, 100};
    quality.sinksKept = {0.068, 0.89, 100};
    dialog.showCost(quality);
    dialog.endMeasuring();
    EXPECT_FALSE(cost->isHidden());
    for (const char *each : {"KL 0.068", "KL 0.410, same top token 71.8 %", "KL 0.089", "within the window", "KL 0.041"})
        EXPECT_TRUE(cost->text().contains(QLatin1String(each))) << each << ": " << cost->text().toStdString();
    // Of the chosen target first: what keeps the sinks, and what does not.
    auto *formats = dialog.findChild<QTreeWidget *>();
    QSet<QString> own;
    for (int row = 0; row < formats->topLevelItemCount(); ++row) {
        formats->setCurrentItem(formats->topLevelItem(row));
        const QString first = cost->text().section(QLatin1Char('\n'), 0, 0);
        if (first.contains(QStringLiteral("would run it so")))
            own << first.section(QLatin1String("KL "), 1).left(5);
    }
    EXPECT_TRUE(own.contains(QStringLiteral("0.068"))) << "as the map's own file is run";
    measure->click();
    dialog.endMeasuring(QStringLiteral("its layers have windows of their own"));
    EXPECT_EQ(cost->text(), QStringLiteral("its layers have windows of their own"));
}

TEST(ExportDialog, EnginesMemoryIsSaidWithTheMapAndWithout)
{
    auto model = loadExportModel("preset:llama-3-8b");
    ASSERT_TRUE(model) << model.error().message;
    HeadMap map(model->config.shape(), HeadKind::Retrieval, 4, 256);
    for (int layer = 0; layer < map.layers() / 2; ++layer)
        map.setLayer(layer, HeadKind::Streaming);
    ExportDialog dialog(map, &*model);
    auto *formats = dialog.findChild<QTreeWidget *>();
    ASSERT_TRUE(formats);
    for (int row = 0; row < static_cast<int>(exportFormats().size()); ++row) {
        formats->setCurrentItem(formats->topLevelItem(row));
        QString note;
        for (const QLabel *label : dialog.findChildren<QLabel *>())
            note += label->text();
        const ExportFormat &format = exportFormats()[static_cast<std::size_t>(row)];
        const bool refused = !format.verdict(map, &*model).refusal.empty();
        EXPECT_EQ(note.contains("sequences a GiB"), !format.engine.empty() && !refused) << note.toStdString();
        if (format.name == "vllm") {
            EXPECT_TRUE(note.contains("KV memory there at 8K tokens: ")) << note.toStdString();
            EXPECT_TRUE(note.contains(", 1.00 with full attention")) << note.toStdString(); // 32 layers · 4 KiB · 8,192
        }
    }
}

} // namespace zigzag::test
