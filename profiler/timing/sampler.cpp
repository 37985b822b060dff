// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/sampler.h"

#include "engine/run/device_model.h"
#include "profiler/timing/processor_wait.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace

Sampler::Sampler(const std::shared_ptr<DeviceModel> &model, double patienceSeconds, const std::atomic<bool> *cancel,
                 double fullPaceMs, const JobTime &time)
    : m_patience(patienceSeconds)
    , m_time(time)
    , m_cancel(cancel)
{
    if (!model->backend->capabilities().onProcessor || patienceSeconds <= 0)
        return;
    m_meter = PaceMeter::create(model);
    constexpr double shareToLearn = 0.1;
    if (m_meter && fullPaceMs > 0)
        m_meter->know(fullPaceMs);
    if (m_meter)
        m_meter->learn(std::chrono::duration<double>(shareToLearn * patienceLeft()), cancel);
}

Result<Sample> Sampler::take(const std::function<Result<double>()> &once, int tries)
{
    std::vector<Sample> all;
    do {
        Sample sample;
        const bool looks = m_meter && m_waited < m_patience; // looking takes time as well
        if (looks) {
            const auto beforeIt = Clock::now();
            sample.paceMs = m_meter->wait(std::chrono::duration<double>(patienceLeft()), m_cancel);
            m_waited += secondsSince(beforeIt);
        }
        const ProcessorWait waiting;
        const auto begin = Clock::now();
        ZIGZAG_TRY(ms, once());
        const double seconds = secondsSince(begin); // of all that it ran, also what it did not time
        sample.ms = ms;
        sample.interrupted = waiting.isInterrupted();
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
    } while (std::ssize(all) < tries && patienceLeft() > 0 && !(m_cancel && *m_cancel));
    std::nth_element(all.begin(), all.begin() + std::ssize(all) / 2, all.end(),
                     [](const Sample &a, const Sample &b) { return a.ms < b.ms; });
    return all[all.size() / 2];
}

double Sampler::patienceLeft() const
{
    return std::min(m_patience - m_waited, m_time.left());
}

bool Sampler::isDisturbed(const Sample &sample) const
{
    return sample.interrupted || (m_meter && !m_meter->isFull(sample.paceMs));
}

} // namespace zigzag
