// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>

namespace zigzag::gpu::emulator {

/// A stack of its own for one thread of a block. It runs one body after another, so that a launch creates no fibers that
/// an earlier one has created. AddressSanitizer is told of every switch.
class Fiber
{
public:
    Fiber();
    ~Fiber();
    Fiber(const Fiber &) = delete;
    Fiber &operator=(const Fiber &) = delete;

    /// Takes the next body; the last one has ended. It must not throw.
    void begin(const std::function<void()> &body) { m_body = &body; }
    bool ended() const { return !m_body; }
    /// From outside: runs the body until it suspends itself or ends.
    void resume();
    /// From inside.
    void suspend();

private:
    void enter(const void *fakeStack);
    void leave(void **fakeStack);

    const std::function<void()> *m_body = nullptr;
    bool m_quit = false;
    boost::context::fiber m_inside, m_outside;
    void *m_stack = nullptr; // its lowest address
    std::size_t m_stackBytes = 0;
    // What AddressSanitizer keeps of either side.
    [[maybe_unused]] const void *m_outsideStack = nullptr;
    [[maybe_unused]] std::size_t m_outsideBytes = 0;
    [[maybe_unused]] void *m_insideFake = nullptr, *m_outsideFake = nullptr;
};

} // namespace zigzag::gpu::emulator
