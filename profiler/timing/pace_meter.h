// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/session.h"
#include "profiler/base/run_types.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

namespace zigzag {

/// Milliseconds of the meter's step at the machine's full pace, as far as it is known: the least that the process has seen of
/// this model or was told of; 0 where nobody looked.
double fullPaceMs(const ModelConfig &config);

/// Whether steps of so many milliseconds show a machine that is faster than one of `knownMs`, by more than it spreads.
bool isFasterPace(double ms, double knownMs);

/// How fast the machine is just now, against the fastest that this process has seen it. A shared machine jumps between
/// speeds and holds each for seconds: whoever has the other half of a core, or the rest of a cache, takes a third or half of
/// what there is, and no counter of the system tells. A few short decode steps of the model, always the same, do: samples that
/// are kept because of them are not kept for being quick themselves.
class PaceMeter
{
public:
    /// None where the steps' session cannot be had (no memory).
    static std::unique_ptr<PaceMeter> create(const std::shared_ptr<DeviceModel> &model);

    /// Milliseconds of one of the steps; lowers the fastest where this is faster. Infinite where the device failed.
    double now();
    /// Whether that many milliseconds are the machine's full pace, as far as it is known now.
    bool isFull(double ms) const;
    /// Tells what an earlier process saw on this machine.
    void know(double ms);
    /// Looks again and again until the pace is full, for as long as `patience` at most. Milliseconds at last.
    double wait(std::chrono::duration<double> patience, const std::atomic<bool> *cancel);
    /// Looks until two paces were seen, or told of, and the present one is the faster, for as long as `patience` at most: else
    /// a process that begins while the machine is slow would take that for its full pace.
    void learn(std::chrono::duration<double> patience, const std::atomic<bool> *cancel);

private:
    PaceMeter(std::unique_ptr<Session> session, std::vector<int> token, std::atomic<double> &fastest);

    std::unique_ptr<Session> m_session;
    std::vector<int> m_token; // [1]
    std::atomic<double> &m_fastest;
};

} // namespace zigzag
