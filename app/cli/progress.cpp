// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace zigzag {
namespace {

constexpr std::chrono::seconds beatEvery(1), firstLineAfter(2), lineEvery(20);
constexpr std::chrono::milliseconds frame(50); ///< a terminal is written to no oftener

} // namespace

std::string durationText(double seconds)
{
    constexpr double minute = 60, hour = 3600, enoughSeconds = 100, enoughMinutes = 100 * minute;
    if (!(seconds >= 0) || seconds > 1e9)
        return "very long";
    if (seconds < enoughSeconds)
        return fmt::format("{:.0f} s", seconds);
    if (seconds < enoughMinutes)
        return fmt::format("{:.0f} min", seconds / minute);
    const double minutes = std::round(seconds / minute);
    return fmt::format("{:.0f} h {:.0f} min", std::floor(minute * minutes / hour), std::fmod(minutes, minute));
}

std::string progressText(const std::string &what, const ProgressState &state)
{
    std::string text = what + ": ";
    if (state.all > 0)
        text += fmt::format("{} of {}, ", state.done, state.all);
    if (state.fraction > 0)
        text += fmt::format("{:.0f} %, ", std::floor(100 * state.fraction + 1e-9)); // not 100 before it is over
    text += durationText(state.seconds);
    const double own = state.fraction - state.begunAt;
    if (own > 0 && state.fraction < 1)
        text += fmt::format(", about {} left", durationText(state.seconds * (1 - state.fraction) / own));
    return text;
}

Progress::Progress(std::string what, double begunAt)
    : m_what(std::move(what))
    , m_terminal(isatty(STDERR_FILENO) == 1)
    , m_thread([this] { beat(); })
{
    const std::scoped_lock lock(m_mutex);
    m_state.fraction = m_state.begunAt = begunAt;
    m_quarter = static_cast<int>(4 * begunAt);
}

Progress::~Progress()
{
    {
        const std::scoped_lock lock(m_mutex);
        m_over = true;
    }
    m_wake.notify_one();
    m_thread.join();
    if (m_terminal)
        fmt::print(stderr, "\r\x1b[K");
}

void Progress::operator()(int done, int all)
{
    report(done, all, all > 0 ? static_cast<double>(done) / all : 0.0);
}

void Progress::operator()(double fraction)
{
    report(0, 0, fraction);
}

void Progress::report(int done, int all, double fraction)
{
    const std::scoped_lock lock(m_mutex);
    m_state.done = done;
    m_state.all = all;
    m_state.fraction = std::clamp(fraction, 0.0, 1.0);
    const int quarter = static_cast<int>(4 * m_state.fraction + 1e-9);
    const auto now = Clock::now();
    const bool due = m_terminal
        ? m_lines == 0 || now - m_printed >= frame
        : now - m_begin >= firstLineAfter && (m_lines == 0 || quarter > m_quarter || now - m_printed >= lineEvery);
    if (due)
        print();
    m_quarter = std::max(m_quarter, quarter);
}

void Progress::print()
{
    const auto now = Clock::now();
    m_state.seconds = std::chrono::duration<double>(now - m_begin).count();
    fmt::print(stderr, "{}{}{}", m_terminal ? "\r\x1b[K" : "", progressText(m_what, m_state), m_terminal ? "" : "\n");
    std::fflush(stderr);
    m_printed = now;
    ++m_lines;
}

void Progress::beat()
{
    std::unique_lock lock(m_mutex);
    while (!m_over) {
        const auto next = m_terminal ? Clock::now() + beatEvery : m_lines == 0 ? m_begin + firstLineAfter : m_printed + lineEvery;
        if (m_wake.wait_until(lock, next, [this] { return m_over; }))
            return;
        if (m_terminal || Clock::now() - m_printed >= (m_lines == 0 ? firstLineAfter : lineEvery))
            print();
    }
}

} // namespace zigzag
