// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace zigzag {

/// "8 s", "12 min", "3 h 20 min": of times that nobody needs more exactly.
std::string durationText(double seconds);

/// How far a piece of work is.
struct ProgressState {
    int done = 0, all = 0; ///< what is counted; 0 of 0 where only the fraction is known
    double fraction = 0; ///< 0 to 1
    double begunAt = 0; ///< the fraction that an earlier process had done: it says nothing of this one's pace
    double seconds = 0; ///< since it began
};

/// "bench: 12 of 40, 30 %, 12 s, about 28 s left": what is left follows from the pace so far, and is not said before there is
/// one.
std::string progressText(const std::string &what, const ProgressState &state);

/// Progress on stderr, with the time that is left, from the first seconds on, also where the work itself reports nothing for
/// long. One line that is written over where that is a terminal; else a line after two seconds, then each quarter and every
/// twenty seconds. Work that ends within two seconds says nothing there.
class Progress
{
public:
    /// `begunAt`: the fraction that was done before, by a search that goes on.
    explicit Progress(std::string what, double begunAt = 0);
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

    void operator()(int done, int all);
    void operator()(double fraction);
    /// 3.25 of 40: with the part of the one that runs.
    void operator()(double done, int all) { report(static_cast<int>(done), all, all > 0 ? done / all : 0.0); }
    /// Where what is counted does not all take as long.
    void operator()(int done, int all, double fraction) { report(done, all, fraction); }

private:
    using Clock = std::chrono::steady_clock;
    void report(int done, int all, double fraction);
    void print(); ///< with the mutex held
    void beat(); ///< the thread

    const std::string m_what;
    const bool m_terminal;
    const Clock::time_point m_begin = Clock::now();
    Clock::time_point m_printed = m_begin; ///< the last line
    int m_lines = 0, m_quarter = 0;
    ProgressState m_state;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_over = false;
    std::thread m_thread; ///< last: it uses all of the above
};

} // namespace zigzag
