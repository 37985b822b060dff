// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/calibration_watch.h"

#include <algorithm>

namespace zigzag {

namespace {

constexpr std::chrono::seconds firstInterval(5);
constexpr std::chrono::minutes longestInterval(10);
constexpr double quietLoad = 0.1; ///< of all processors: what a desktop does by itself

} // namespace

CalibrationWatch::CalibrationWatch(std::function<double()> othersLoad, QObject *parent)
    : QObject(parent)
    , m_othersLoad(std::move(othersLoad))
    , m_first(firstInterval)
    , m_interval(firstInterval)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &CalibrationWatch::look);
}

void CalibrationWatch::setFirstInterval(std::chrono::milliseconds interval)
{
    m_first = m_interval = interval;
}

void CalibrationWatch::update(bool isDisturbed, bool isBusy)
{
    if (isDisturbed && !isBusy) {
        if (!m_timer.isActive()) {
            m_othersLoad(); // what counts begins now
            m_timer.start(m_interval);
        }
        return;
    }
    m_timer.stop();
    if (!isDisturbed)
        m_interval = m_first;
}

void CalibrationWatch::look()
{
    if (m_othersLoad() > quietLoad)
        return m_timer.start(m_interval);
    m_interval = std::min<std::chrono::milliseconds>(2 * m_interval, longestInterval);
    Q_EMIT quiet();
}

} // namespace zigzag
