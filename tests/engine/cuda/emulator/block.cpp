// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cuda/emulator/block.h"

#include "tests/engine/cuda/emulator/fiber.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <random>
#include <unordered_map>

namespace zigzag::gpu::emulator {

namespace {

constexpr std::size_t mostShared = 227u << 10; // of a block, on the largest device

/// Unwinds a thread of a launch that has failed elsewhere.
struct Stopped { };

struct Barrier {
    int expected = 0;
    int arrived = 0;
};

struct Warp {
    int here = 0; // lanes that wait for the others
    int exited = 0;
    void *operands[warpSize] = {};
};

/// A copy that its own thread alone may count on.
struct Landed {
    unsigned thread;
    bool seenByWarp;
};

struct Block {
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    std::array<Barrier, 16> barriers;
    std::unique_ptr<std::byte, decltype(&std::free)> shared{nullptr, &std::free}; // exact, so that ASan guards its end
    std::size_t sharedBytes = 0;
    std::unordered_map<std::uintptr_t, Landed> landed; // by address, until a barrier
    bool early = false;
    std::exception_ptr failure;
};

Block block;
std::vector<std::unique_ptr<Fiber>> fibers;

unsigned seed()
{
    const char *chosen = std::getenv("ZIGZAG_KERNEL_SEED");
    return chosen ? static_cast<unsigned>(std::strtoul(chosen, nullptr, 10)) : 1;
}

std::mt19937 order(seed());

std::string nameOf(const Thread &thread)
{
    return fmt::format("block ({}, {}, {}), thread {}", thread.blockIdx.x, thread.blockIdx.y, thread.blockIdx.z,
                       thread.threadIdx.x);
}

std::string placeOf(const Thread &thread)
{
    return fmt::format("{} at {}:{}", thread.waitsIn, thread.site.file, thread.site.line);
}

Warp &warpOf(const Thread &thread)
{
    return block.warps[thread.threadIdx.x / warpSize];
}

Thread *lanesOf(const Thread &thread)
{
    return &block.threads[thread.threadIdx.x / warpSize * warpSize];
}

/// A lane of this thread's warp that satisfies `is`; there is one.
template <class Is> const Thread &laneWhere(Is is)
{
    return *std::find_if(lanesOf(*self), lanesOf(*self) + warpSize, is);
}

bool waitsForWarp(const Thread &thread)
{
    return thread.waitsIn && thread.barrier < 0 && &thread != self;
}

/// Gives way until the others have let this thread go on.
void wait()
{
    Thread *me = self;
    fibers[me->threadIdx.x]->suspend();
    if (block.failure)
        throw Stopped();
}

std::string deadlock()
{
    const Index3 at = block.threads[0].blockIdx;
    std::string text = fmt::format("block ({}, {}, {}): deadlock, no thread can go on", at.x, at.y, at.z);
    for (std::size_t i = 0; i < block.threads.size(); i += warpSize) { // of each warp, the first that waits and that is gone
        const auto warp = block.threads.begin() + static_cast<std::ptrdiff_t>(i);
        const auto gone = std::find_if(warp, warp + warpSize, [](const Thread &thread) { return thread.exited; });
        const auto waiting = std::find_if(warp, warp + warpSize, [](const Thread &thread) { return !thread.exited; });
        if (waiting != warp + warpSize)
            text += fmt::format("; thread {} waits in {}", waiting->threadIdx.x, placeOf(*waiting));
        if (gone != warp + warpSize)
            text += fmt::format("; thread {} has exited", gone->threadIdx.x);
    }
    return text;
}

void release(int id)
{
    for (std::size_t i = 0; i < block.threads.size(); ++i) {
        Thread &thread = block.threads[i];
        if (!thread.waitsIn || thread.barrier != id)
            continue;
        const Thread &first = *lanesOf(thread);
        if (first.barrier != id || !(first.site == thread.site))
            fail(fmt::format("a barrier in divergent code: thread {} in {}, thread {} elsewhere", thread.threadIdx.x,
                             placeOf(thread), first.threadIdx.x));
    }
    std::erase_if(block.landed, [id](const auto &copy) { return block.threads[copy.second.thread].barrier == id; });
    for (Thread &thread : block.threads)
        if (thread.barrier == id)
            thread.waitsIn = nullptr, thread.barrier = -1;
    block.barriers[static_cast<std::size_t>(id)] = {};
}

void runThread(const std::function<void()> &kernel)
{
    try {
        if (!block.failure)
            kernel();
        if (block.early && !self->waitedForPrevious)
            fail("was launched to start early, and did not call waitForPrevious");
        if (!self->copies.empty())
            fail("ends before it has waited for its asynchronous copies");
        ++warpOf(*self).exited;
        if (warpOf(*self).here > 0) {
            const Thread &lane = laneWhere(waitsForWarp);
            fail(fmt::format("exits while thread {} waits for its warp in {}", lane.threadIdx.x, placeOf(lane)));
        }
    } catch (const Stopped &) {
    } catch (...) {
        if (!block.failure)
            block.failure = std::current_exception();
    }
    self->exited = true;
}

void runBlock(const std::vector<std::size_t> &turns, const std::function<void()> &body)
{
    for (std::size_t i = 0; i < block.threads.size(); ++i)
        fibers[i]->begin(body);
    for (bool alive = true; alive;) {
        alive = false;
        bool moved = false;
        for (const std::size_t i : turns) {
            if (fibers[i]->ended())
                continue;
            alive = true;
            if (block.threads[i].waitsIn && !block.failure)
                continue;
            moved = true;
            self = &block.threads[i];
            fibers[i]->resume();
        }
        if (alive && !moved)
            block.failure = std::make_exception_ptr(Failure(deadlock()));
    }
    if (block.failure)
        std::rethrow_exception(block.failure);
}

/// 0, 1, … in a random order, where runs of `together` numbers stay together.
std::vector<std::size_t> shuffled(std::size_t count, std::size_t together)
{
    std::vector<std::size_t> groups(count / together), result;
    std::iota(groups.begin(), groups.end(), std::size_t{0});
    std::shuffle(groups.begin(), groups.end(), order);
    for (const std::size_t group : groups)
        for (std::size_t i = 0; i < together; ++i)
            result.push_back(group * together + i);
    for (std::size_t i = 0; i < count && together > 1; i += together)
        std::shuffle(result.begin() + static_cast<std::ptrdiff_t>(i), result.begin() + static_cast<std::ptrdiff_t>(i + together),
                     order);
    return result;
}

} // namespace

void fail(const std::string &what)
{
    throw Failure(nameOf(*self) + ": " + what);
}

void meet(int id, int threads, const char *name, Site site)
{
    if (id < 0 || id > 15 || threads <= 0 || threads % warpSize != 0 || threads > static_cast<int>(block.threads.size()))
        fail(fmt::format("barrier {} of {} threads: ids are 0 to 15, threads whole warps of the block", id, threads));
    Barrier &barrier = block.barriers[static_cast<std::size_t>(id)];
    if (barrier.arrived > 0 && barrier.expected != threads)
        fail(fmt::format("barrier {} of {} threads is in use for {}", id, threads, barrier.expected));
    barrier.expected = threads;
    self->waitsIn = name;
    self->site = site;
    self->barrier = id;
    if (++barrier.arrived == threads)
        release(id);
    else
        wait();
}

void meetWarp(const char *name, Site site, void *operands, void (*combine)(void *const *lanes))
{
    Warp &warp = warpOf(*self);
    self->waitsIn = name;
    self->site = site;
    if (warp.exited > 0)
        fail(fmt::format("waits for its warp in {}, but thread {} has exited", placeOf(*self),
                         laneWhere([](const Thread &lane) { return lane.exited; }).threadIdx.x));
    if (warp.here > 0) {
        const Thread &lane = laneWhere(waitsForWarp);
        if (!(lane.site == site) || std::strcmp(lane.waitsIn, name) != 0)
            fail(fmt::format("the warp disagrees: thread {} is in {}, this one in {}", lane.threadIdx.x, placeOf(lane),
                             placeOf(*self)));
    }
    warp.operands[self->threadIdx.x % warpSize] = operands;
    if (++warp.here < warpSize)
        return wait();
    if (combine)
        combine(warp.operands);
    else // a barrier of the warp
        for (auto &[address, copy] : block.landed)
            copy.seenByWarp |= copy.thread / warpSize == self->threadIdx.x / warpSize;
    for (int i = 0; i < warpSize; ++i)
        lanesOf(*self)[i].waitsIn = nullptr;
    warp.here = 0;
}

std::byte *shared()
{
    return block.shared.get();
}

void land(const Copy &copy)
{
    std::memcpy(copy.to, &copy.data, sizeof(copy.data));
    block.landed[reinterpret_cast<std::uintptr_t>(copy.to)] = {self->threadIdx.x, false};
}

void checkSeen(const void *address, const char *name)
{
    if (block.landed.empty())
        return;
    const auto found = block.landed.find(reinterpret_cast<std::uintptr_t>(address) / 16 * 16);
    if (found == block.landed.end())
        return;
    const auto [thread, seenByWarp] = found->second;
    if (thread != self->threadIdx.x && !(seenByWarp && thread / warpSize == self->threadIdx.x / warpSize))
        fail(fmt::format("{}: reads what thread {} has copied, and no barrier says that it is there", name, thread));
}

void checkShared(const void *address, std::size_t bytes, const char *name)
{
    const auto at = reinterpret_cast<std::uintptr_t>(address), begin = reinterpret_cast<std::uintptr_t>(shared());
    if (at < begin || at + bytes > begin + block.sharedBytes)
        fail(fmt::format("{}: the address is not in the block's {} bytes of shared memory", name, block.sharedBytes));
    if (at % 16 != 0)
        fail(fmt::format("{}: byte {} of shared memory is not a multiple of 16", name, at - begin));
}

void run(const Launch &launch, const std::function<void()> &kernel)
{
    if (launch.threads <= 0 || launch.threads > 1024 || launch.threads % warpSize != 0)
        throw Failure(fmt::format("launch: {} threads; a block has whole warps, at most 1024 threads", launch.threads));
    if (launch.sharedBytes > mostShared)
        throw Failure(fmt::format("launch: {} bytes of shared memory; a block has at most {}", launch.sharedBytes, mostShared));
    if (self)
        throw Failure("launch: from inside a kernel");
    const auto threads = static_cast<std::size_t>(launch.threads);
    while (fibers.size() < threads)
        fibers.push_back(std::make_unique<Fiber>());
    const std::function<void()> body = [&kernel] { runThread(kernel); };
    const Index3 grid = launch.grid;
    for (const std::size_t i : shuffled(std::size_t{grid.x} * grid.y * grid.z, 1)) {
        block = Block();
        void *memory = nullptr;
        if (posix_memalign(&memory, 128, std::max<std::size_t>(launch.sharedBytes, 1)) != 0)
            throw std::bad_alloc();
        block.shared.reset(static_cast<std::byte *>(memory));
        block.sharedBytes = launch.sharedBytes;
        block.early = launch.early;
        std::memset(memory, 0xff, launch.sharedBytes); // not a number in every type
        block.threads.resize(threads);
        block.warps.resize(threads / warpSize);
        const auto at = static_cast<unsigned>(i);
        for (std::size_t t = 0; t < threads; ++t) {
            block.threads[t].threadIdx.x = static_cast<unsigned>(t);
            block.threads[t].blockIdx = {at % grid.x, at / grid.x % grid.y, at / grid.x / grid.y};
            block.threads[t].blockDim = {static_cast<unsigned>(threads), 1, 1};
            block.threads[t].gridDim = grid;
        }
        try {
            runBlock(shuffled(threads, warpSize), body);
        } catch (...) {
            self = nullptr;
            throw;
        }
        self = nullptr;
    }
    block = Block();
}

} // namespace zigzag::gpu::emulator
