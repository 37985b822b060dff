// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/pace_meter.h"

#include "engine/run/device_model.h"
#include "profiler/base/random_tokens.h"
#include "profiler/timing/timed_runs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::int64_t context = 32; ///< short: next to no cache to fill
constexpr int steps = 1;
constexpr double fullPace = 0.9; ///< of the fastest: an undisturbed machine spreads less, a disturbed one is slower
constexpr double otherPace = 0.8; ///< slower than that is another pace, and no spread
constexpr std::chrono::milliseconds pause(2);

/// What the process has seen of a model so far, whoever looked.
std::atomic<double> &fastestOf(const ModelConfig &config)
{
    static std::mutex mutex;
    static std::map<std::tuple<std::string, int, std::int64_t>, std::atomic<double>> fastest;
    const std::scoped_lock lock(mutex);
    return fastest.try_emplace({config.name, config.layers, config.parameters()}, std::numeric_limits<double>::infinity())
        .first->second;
}

bool isOver(Clock::time_point begin, Seconds patience, const std::atomic<bool> *cancel)
{
    return (cancel && *cancel) || Clock::now() - begin >= patience;
}

} // namespace

double fullPaceMs(const ModelConfig &config)
{
    const double ms = fastestOf(config);
    return std::isfinite(ms) ? ms : 0.0;
}

bool isFasterPace(double ms, double knownMs)
{
    return ms < fullPace * knownMs;
}

PaceMeter::PaceMeter(std::unique_ptr<Session> session, std::vector<int> token, std::atomic<double> &fastest)
    : m_session(std::move(session))
    , m_token(std::move(token))
    , m_fastest(fastest)
{ }

std::unique_ptr<PaceMeter> PaceMeter::create(const std::shared_ptr<DeviceModel> &model)
{
    auto session = Session::create(model, HeadMap(model->model->shape(), HeadKind::Retrieval, 0, 1), {.maxContext = context});
    if (!session)
        return nullptr;
    return std::unique_ptr<PaceMeter>(
        new PaceMeter(std::move(*session), randomTokens(1, model->config().vocabulary, 1), fastestOf(model->config())));
}

double PaceMeter::now()
{
    // Of a few the quickest, so that a timer's tick does not count; it counts little where a step takes long.
    constexpr int most = 4;
    constexpr double enoughMs = 1;
    double best = std::numeric_limits<double>::infinity(), all = 0;
    for (int i = 0; i < most && all < enoughMs; ++i) {
        const double ms = timeDecode(*m_session, context, m_token, steps, 1).value_or(best);
        best = std::min(best, ms);
        all += 3 * ms; // two steps before the clock starts
    }
    know(best);
    return best;
}

void PaceMeter::know(double ms)
{
    double known = m_fastest;
    while (ms < known && !m_fastest.compare_exchange_weak(known, ms)) { }
}

bool PaceMeter::isFull(double ms) const
{
    return !isFasterPace(m_fastest, ms);
}

double PaceMeter::wait(Seconds patience, const std::atomic<bool> *cancel)
{
    const auto begin = Clock::now();
    for (;;) {
        const double ms = now();
        if (isFull(ms) || isOver(begin, patience, cancel))
            return ms;
        std::this_thread::sleep_for(pause);
    }
}

void PaceMeter::learn(Seconds patience, const std::atomic<bool> *cancel)
{
    const auto begin = Clock::now();
    double slowest = 0;
    for (double ms = now(); !isOver(begin, patience, cancel); ms = now()) {
        slowest = std::max(slowest, ms);
        if (m_fastest < otherPace * slowest && isFull(ms))
            return;
        std::this_thread::sleep_for(pause);
    }
}

} // namespace zigzag
