// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The blocks of a launch on the CPU: a fiber for each thread, switched only where threads meet. A few blocks run side by
// side; warps and lanes take turns in a random, seeded order, and at times a warp sits out; what nobody has written reads as
// not-a-number: so a missing barrier shows.

#include "engine/cuda/gpu/gpu_types.h"

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace zigzag::gpu::emulator {

/// What a GPU would answer with an error, a hang or silent nonsense. launch() throws it.
class Failure : public std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// Where in a kernel's source two threads must agree to be.
struct Site {
    const char *file;
    int line;
    bool operator==(const Site &) const = default;
};

/// 16 bytes on their way to shared memory.
struct Copy {
    void *to;
    Vec16 data;
    int group;
};

class Fiber;

struct Thread {
    Index3 threadIdx, blockIdx, blockDim, gridDim;
    Fiber *fiber = nullptr;
    std::vector<Copy> copies; // not waited for yet
    int committedGroups = 0;
    // What it waits for.
    const char *waitsIn = nullptr; // null: it can run
    Site site = {};
    int barrier = -1; // -1: waits for its warp
    bool waitedForPrevious = false;
    bool exited = false;
};

/// The thread that is running.
inline Thread *self = nullptr;

/// Stops the launch with a message that names the thread.
[[noreturn]] void fail(const std::string &what);

/// Waits until `threads` threads are at barrier `id`.
void meet(int id, int threads, const char *name, Site site);

/// Waits until all lanes of the warp are here; the last one then calls `combine` with every lane's operands.
void meetWarp(const char *name, Site site, void *operands, void (*combine)(void *const *lanes));

std::byte *shared();

/// The end of an asynchronous copy: its own thread has waited for it. Others see it only after a barrier.
void land(const Copy &copy);
/// Fails where another thread's copy has landed at `address` and no barrier has been met since.
void checkSeen(const void *address, const char *name);
/// That `bytes` at `address` lie in the block's shared memory, aligned to 16.
void checkShared(const void *address, std::size_t bytes, const char *name);

struct Launch {
    Index3 grid;
    int threads;
    std::size_t sharedBytes;
    bool early; // may start before what it reads is there: must call waitForPrevious
};

/// Runs every block, in a random order; ZIGZAG_KERNEL_SEED in the environment chooses another one.
void run(const Launch &launch, const std::function<void()> &kernel);

} // namespace zigzag::gpu::emulator
