// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QTimer>

#include <chrono>
#include <functional>

namespace zigzag {

/// After a calibration that other programs disturbed: looks now and then whether the machine has become quiet, and says so
/// once it has. Each time that it said so it waits twice as long: what is disturbed by something that cannot be seen is not
/// tried again and again.
class CalibrationWatch : public QObject
{
    Q_OBJECT
public:
    /// `othersLoad`: the share of the processors that others took since it was last asked.
    explicit CalibrationWatch(std::function<double()> othersLoad, QObject *parent = nullptr);

    /// `isDisturbed`: there are predictions, and they cannot be relied on. `isBusy`: the window runs something, so that nothing
    /// is to be seen now. Called after every change.
    void update(bool isDisturbed, bool isBusy);
    void setFirstInterval(std::chrono::milliseconds interval);

Q_SIGNALS:
    void quiet();

private:
    void look();

    std::function<double()> m_othersLoad;
    QTimer m_timer;
    std::chrono::milliseconds m_first, m_interval;
};

} // namespace zigzag
