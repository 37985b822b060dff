// SPDX-License-Identifier: GPL-3.0-or-later
#include "window_fixture.h"

#include "app/studio/state/calibration_watch.h"
#include "profiler/timing/others_load.h"

#include <QSignalSpy>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

namespace zigzag::test {

namespace {

constexpr std::chrono::milliseconds soon(10);
constexpr int patience = 60000; // ms

/// Calibrates at once: the first time as a machine that does something else as well, then as one that is left alone.
class DisturbedAtFirst : public EngineWorker
{
public:
    std::atomic<int> calibrations = 0;

    void execute(const RunRequest &request) override
    {
        if (request.task != RunName::Calibrate)
            return EngineWorker::execute(request);
        ModelSamples samples;
        samples.config = config;
        samples.layers = config.layers;
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            const PassPoint point{.phase = phase, .pass = {.tokens = 1, .firstPosition = 63, .batch = 1}};
            samples.ops.push_back({point, Op::Logits, 4000});
            samples.passes.push_back({point, 4});
        }
        samples.samples = 10;
        samples.disturbed = calibrations == 0 ? 8 : 0;
        ++calibrations;
        Q_EMIT delivered(request.id, [this, cost = CostModel({{}, {samples}}, config)] { studio->takeCost(cost); });
        Q_EMIT finished(request.id, {});
    }

    ModelConfig config; ///< set before anything is loaded
    Studio *studio = nullptr; ///< that it delivers to
};

} // namespace

TEST(CalibrationWatch, SpeaksOnceOthersAreQuietAndLaterEachTime)
{
    double load = 0.8;
    int looks = 0;
    CalibrationWatch watch([&] {
        ++looks;
        return load;
    });
    watch.setFirstInterval(soon);
    QSignalSpy quiet(&watch, &CalibrationWatch::quiet);
    watch.update(true, true);
    QTest::qWait(50);
    EXPECT_EQ(looks, 0) << "nothing is looked at while the window is busy itself";
    watch.update(true, false);
    ASSERT_TRUE(QTest::qWaitFor([&] { return looks >= 4; }, patience));
    EXPECT_TRUE(quiet.isEmpty()) << "others are still at work";
    load = 0.02;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !quiet.isEmpty(); }, patience));
    const int looked = looks;
    QTest::qWait(50);
    EXPECT_EQ(looks, looked) << "it waits to be asked again";
    EXPECT_EQ(quiet.size(), 1);
    watch.update(false, false);
    QTest::qWait(50);
    EXPECT_EQ(quiet.size(), 1) << "a calibration that can be relied on needs no other";
}

TEST(OthersLoad, CountsOtherProcessesAndNotThisOne)
{
    const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
    std::atomic<bool> stop = false;
    std::vector<std::thread> busy;
    for (unsigned i = 0; i < processors; ++i)
        busy.emplace_back([&] {
            while (!stop) { }
        });
    const auto spent = [] { // by this process, seconds
        return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    };
    OthersLoad load;
    const double before = spent();
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    const double others = load.look();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double own = (spent() - before) / (seconds * processors);
    stop = true;
    for (std::thread &thread : busy)
        thread.join();
    EXPECT_GE(others, 0);
    constexpr double ticks = 0.1; // of the system's count
    EXPECT_LE(others, 1 - own + ticks) << "what this process kept busy is not another program's";
}

TEST_F(WindowTest, CalibratesAgainByItselfOnceTheMachineIsQuiet)
{
    auto worker = std::make_unique<DisturbedAtFirst>();
    DisturbedAtFirst &calibrating = *worker;
    TinyModel shape;
    const auto folder = writeTinyModel(m_folder / "model", shape);
    worker->config = *loadModelConfig(folder.string());
    build(std::move(worker));
    calibrating.studio = &m_window->studio();
    m_window->studio().calibrationWatch().setFirstInterval(std::chrono::minutes(10));
    ASSERT_TRUE(open(folder));
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->plotted().hasTimes() && !m_window->runs().isBusy(); }, patience));
    m_window->refreshNow();
    EXPECT_TRUE(m_window->plotted().isUnreliable());
    EXPECT_TRUE(m_window->headline().text().contains("predicted, disturbed")) << m_window->headline().text().toStdString();
    EXPECT_EQ(calibrating.calibrations, 1);
    EXPECT_FALSE(m_window->studio().isHurried()) << "who looks at the window waits as long as he likes";
    m_window->studio().setJobTime(JobTime(1e-9));
    EXPECT_TRUE(m_window->studio().isHurried()) << "a job whose time is over on a machine that others slow";
    Q_EMIT m_window->studio().calibrationWatch().quiet(); // as after a look at a quiet machine
    ASSERT_TRUE(QTest::qWaitFor([&] { return calibrating.calibrations == 2 && !m_window->runs().isBusy(); }, patience));
    m_window->refreshNow();
    EXPECT_FALSE(m_window->plotted().isUnreliable());
    EXPECT_FALSE(m_window->studio().isHurried()) << "one that is left alone takes what it takes";
    EXPECT_FALSE(m_window->headline().text().contains("disturbed")) << m_window->headline().text().toStdString();
    EXPECT_TRUE(m_window->headline().text().contains("predicted"));
}

} // namespace zigzag::test
