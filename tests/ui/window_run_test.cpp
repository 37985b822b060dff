// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/model_surgery.h"
#include "window_fixture.h"

#include <QElapsedTimer>

#include <atomic>
#include <iostream>

namespace zigzag::test {

namespace {
constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

/// Measures a decode step of a quarter of an hour, whatever is asked for.
class StoppedClockWorker : public EngineWorker
{
public:
    std::atomic<int> calibrations = 0;
    Studio *studio = nullptr; ///< that it delivers to

    void execute(const RunRequest &request) override
    {
        calibrations += request.task == RunName::Calibrate;
        if (request.task != RunName::Measure)
            return EngineWorker::execute(request);
        Q_EMIT delivered(request.id, [this] {
            const NamedMap full{"full", *studio->plotted().map(Series::Full)};
            BenchRecord record;
            record.map = full.name;
            record.context = studio->plotted().contexts().front();
            record.medianMs = 900'000;
            record.samplesMs = {record.medianMs};
            studio->takeRecords({full}, {record});
        });
        Q_EMIT finished(request.id, {});
    }
};
} // namespace

TEST_F(WindowTest, OpensAModelMeasuresItCancelsAndKeepsWhatItHas)
{
    TinyModel shape;
    shape.layers = 3;
    shape.maxContext = 512;
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", shape))) << message().toStdString();
    EXPECT_EQ(map().layers(), 3);
    EXPECT_FALSE(m_window->plotted().predicted(Series::Full, Quantity::Kv).empty()) << "usable before the model is loaded";
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->document().state().scores && !m_window->runs().isBusy(); }, patience))
        << message().toStdString();
    settle();
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
    ASSERT_TRUE(m_window->plotted().hasTimes()) << "calibrated in the background";
    EXPECT_FALSE(m_window->plotted().predicted(Series::Current, Quantity::Tpot).empty());
    EXPECT_FALSE(m_window->isWindowModified()) << "nobody edited anything";
    EXPECT_FALSE(map().model().fingerprint.empty());
    EXPECT_TRUE(m_window->headline().text().contains("predicted"));

    // Cancelled as soon as the first sample is there.
    std::atomic<bool> workerEnded = false;
    QObject::connect(
        m_worker, &RunWorker::finished, m_worker, [&workerEnded] { workerEnded = true; }, Qt::DirectConnection);
    m_window->actions().measure->trigger();
    ASSERT_TRUE(m_window->actions().cancel->isEnabled());
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->plotted().measurements().isEmpty(); }, patience));
    ASSERT_TRUE(m_window->runs().isBusy());
    QElapsedTimer clock;
    clock.start();
    m_window->actions().cancel->trigger();
    EXPECT_FALSE(m_window->runs().isBusy());
    ASSERT_TRUE(QTest::qWaitFor([&] { return workerEnded.load(); }, patience));
    std::cout << "cancel: the worker stopped after " << clock.elapsed() << " ms\n";
    settle();
    EXPECT_FALSE(m_window->plotted().measurements().isEmpty()) << "partial results stay";
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);

    // To the end this time.
    m_window->messages().close();
    m_window->actions().measure->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    settle();
    EXPECT_TRUE(message().isEmpty() || m_window->messages().kind() == MessageBar::Kind::Note) << message().toStdString();
    for (const Series series : allSeries)
        for (const Quantity quantity : {Quantity::Ttft, Quantity::Tpot, Quantity::Kv})
            EXPECT_EQ(m_window->plotted().measured(series, quantity).size(), 3u);
    for (const PlottedMaps::Point &point : m_window->plotted().measured(Series::Current, Quantity::Kv))
        EXPECT_DOUBLE_EQ(point.value, m_window->plotted().kv(map(), point.context)) << "allocated is what was computed";
    const QString headline = m_window->headline().text();
    EXPECT_TRUE(headline.contains("measured") || headline.contains("disturbed")) << headline.toStdString();

    m_window->document().toggleLayer(0);
    settle();
    EXPECT_TRUE(m_window->plotted().measured(Series::Current, Quantity::Tpot).empty()) << "an edited map is a prediction again";
    EXPECT_TRUE(m_window->headline().text().contains("predicted"));
}

TEST_F(WindowTest, AnotherTypeOfKeysAndValuesLoadsTheModelAnew)
{
    TinyModel shape;
    shape.maxContext = 256;
    const auto isReady = [&] { return m_window->plotted().hasTimes() && !m_window->runs().isBusy(); };
    const auto choose = [&](const char *type) {
        auto *action = m_window->findChild<QAction *>(QStringLiteral("kvType_") + QLatin1String(type));
        ASSERT_TRUE(action) << type;
        action->trigger();
        EXPECT_TRUE(action->isChecked());
    };
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", shape))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor(isReady, patience));
    m_window->document().toggleLayer(0);
    settle();
    const double before = m_window->plotted().kv(map(), 256);
    const HeadMap edited = map();
    choose("fp8");
    EXPECT_FALSE(m_window->studio().loaded());
    EXPECT_FALSE(m_window->plotted().hasTimes()) << "they were of the other type";
    EXPECT_DOUBLE_EQ(m_window->plotted().kv(map(), 256), before / 4) << "the weights are float32";
    EXPECT_EQ(map(), edited);
    ASSERT_TRUE(QTest::qWaitFor(isReady, patience)) << message().toStdString();
    EXPECT_EQ(m_window->studio().loaded()->config.kvType, DType::F8);
    EXPECT_EQ(m_window->plotted().cost().config().kvType, DType::F8);
    choose("own");
    ASSERT_TRUE(QTest::qWaitFor(isReady, patience)) << message().toStdString();
    EXPECT_DOUBLE_EQ(m_window->plotted().kv(map(), 256), before);
}

TEST_F(WindowTest, PredictionsThatErrMuchAreMadeAnewOnce)
{
    auto owned = std::make_unique<StoppedClockWorker>();
    StoppedClockWorker &worker = *owned;
    const std::atomic<int> &calibrations = owned->calibrations;
    build(std::move(owned));
    worker.studio = &m_window->studio();
    TinyModel shape;
    shape.maxContext = 256;
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model", shape))) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->plotted().hasTimes() && !m_window->runs().isBusy(); }, patience));
    EXPECT_EQ(calibrations, 1);
    m_window->actions().measure->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    settle();
    EXPECT_EQ(calibrations, 2) << "a step of a quarter of an hour is not what was predicted";
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);
    EXPECT_TRUE(message().contains("calibrated again")) << message().toStdString();
}

TEST_F(WindowTest, AnotherModelDropsTheResultsOfTheLast)
{
    ASSERT_TRUE(open(writeTinyModel(m_folder / "model")));
    EXPECT_TRUE(m_window->runs().isBusy());
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    EXPECT_FALSE(m_window->runs().isBusy());
    QTest::qWait(300); // the first model goes on loading on its thread, and reports
    EXPECT_EQ(map().layers(), 4);
    EXPECT_FALSE(m_window->plotted().hasTimes());
    EXPECT_FALSE(m_window->actions().measure->isEnabled());
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
}

TEST_F(WindowTest, AModelThatCannotBeLoadedSaysSoOnceAndTheMapStaysUsable)
{
    const auto model = writeTinyModel(m_folder / "model");
    test::patchJson(model / "config.json", R"({"intermediate_size": 24})"); // not what its weights are
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    EXPECT_FALSE(open(model)) << "its files are looked at before the map is given up";
    settle();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Error);
    EXPECT_FALSE(message().isEmpty());
    EXPECT_FALSE(message().contains('\n'));
    click(0, 0);
    EXPECT_EQ(map().streamingHeads(), 1);
}

TEST_F(WindowTest, WhatAModelsFilesSayInVainIsShown)
{
    const auto model = writeTinyModel(m_folder / "model");
    std::ofstream(model / "tokenizer.json") << "{";
    ASSERT_TRUE(open(model));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    settle();
    EXPECT_EQ(m_window->messages().kind(), MessageBar::Kind::Note);
    EXPECT_TRUE(message().contains("tokenizer.json")) << message().toStdString();
    EXPECT_TRUE(m_window->actions().measure->isEnabled()) << "it runs without text";
}

} // namespace zigzag::test
