// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/sampler.h"

#include "engine/run/device_model.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Nanoseconds that this process's threads were ready to run and had no processor, so far; 0 where the system does not say.
std::int64_t waitedForProcessor()
{
    std::int64_t sum = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end; it.increment(error)) {
        std::ifstream file(it->path() / "schedstat"); // time on a processor, time waiting for one, turns
        std::int64_t ran = 0, waited = 0;
        if (file >> ran >> waited)
            sum += waited;
    }
    return sum;
}

/// Something always interrupts a long run for a moment; less than that changes its time little.
constexpr double mostWaited = 0.01; ///< of the sample's time

} // namespace

Sampler::Sampler(const std::shared_ptr<DeviceModel> &model, double patienceSeconds, const std::atomic<bool> *cancel,
                 double fullPaceMs)
    : m_patience(patienceSeconds)
    , m_cancel(cancel)
{
    if (model->backend->name() != "cpu" || patienceSeconds <= 0)
        return;
    m_meter = PaceMeter::create(model);
    constexpr double shareToLearn = 0.1;
    if (m_meter && fullPaceMs > 0)
        m_meter->know(fullPaceMs);
    if (m_meter)
        m_meter->learn(std::chrono::duration<double>(shareToLearn * patienceSeconds), cancel);
}

Result<Sample> Sampler::take(const std::function<Result<double>()> &once, int tries)
{
    std::vector<Sample> all;
    do {
        Sample sample;
        const bool looks = m_meter && m_waited < m_patience; // looking takes time as well
        if (looks) {
            const auto waiting = Clock::now();
            sample.paceMs = m_meter->wait(std::chrono::duration<double>(m_patience - m_waited), m_cancel);
            m_waited += secondsSince(waiting);
        }
        const std::int64_t waitedBefore = waitedForProcessor();
        const auto begin = Clock::now();
        ZIGZAG_TRY(ms, once());
        const double seconds = secondsSince(begin); // of all that it ran, also what it did not time
        sample.ms = ms;
        sample.interrupted = 1e-9 * static_cast<double>(waitedForProcessor() - waitedBefore) > mostWaited * seconds;
        if (looks) {
            const auto looking = Clock::now();
            sample.paceMs = std::max(sample.paceMs, m_meter->now());
            m_waited += secondsSince(looking);
        } else if (m_meter) {
            sample.paceMs = std::numeric_limits<double>::infinity(); // nobody knows
        }
        m_waited += all.empty() ? 0.0 : seconds;
        if (!isDisturbed(sample))
            return sample;
        all.push_back(sample);
    } while (std::ssize(all) < tries && m_waited < m_patience && !(m_cancel && *m_cancel));
    std::nth_element(all.begin(), all.begin() + std::ssize(all) / 2, all.end(),
                     [](const Sample &a, const Sample &b) { return a.ms < b.ms; });
    return all[all.size() / 2];
}

bool Sampler::isDisturbed(const Sample &sample) const
{
    return sample.interrupted || (m_meter && !m_meter->isFull(sample.paceMs));
}

} // namespace zigzag
