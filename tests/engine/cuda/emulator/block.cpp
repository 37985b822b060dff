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
#include <utility>

namespace zigzag::gpu::emulator {

namespace {

constexpr std::size_t mostShared = 227u << 10; // of a block, on the largest device

constexpr std::size_t sideBySide = 3; // blocks that run at the same time

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
};

Block *block = nullptr; // of the thread that is running
std::exception_ptr failure; // of the launch: every thread unwinds
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
    return block->warps[thread.threadIdx.x / warpSize];
}

Thread *lanesOf(const Thread &thread)
{
    return &block->threads[thread.threadIdx.x / warpSize * warpSize];
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
    me->fiber->suspend();
    if (failure)
        throw Stopped();
}

std::string deadlock()
{
    const Index3 at = block->threads[0].blockIdx;
    std::string text = fmt::format("block ({}, {}, {}): deadlock, no thread can go on", at.x, at.y, at.z);
    for (std::size_t i = 0; i < block->threads.size(); i += warpSize) { // of each warp, the first that waits and that is gone
        const auto warp = block->threads.begin() + static_cast<std::ptrdiff_t>(i);
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
    for (Thread &thread : block->threads) {
        if (!thread.waitsIn || thread.barrier != id)
            continue;
        const Thread &first = *lanesOf(thread);
        if (first.barrier != id || !(first.site == thread.site))
            fail(fmt::format("a barrier in divergent code: thread {} in {}, thread {} elsewhere", thread.threadIdx.x,
                             placeOf(thread), first.threadIdx.x));
    }
    std::erase_if(block->landed, [id](const auto &copy) { return block->threads[copy.second.thread].barrier == id; });
    for (Thread &thread : block->threads)
        if (thread.barrier == id)
            thread.waitsIn = nullptr, thread.barrier = -1;
    block->barriers[static_cast<std::size_t>(id)] = {};
}

void runThread(const std::function<void()> &kernel)
{
    try {
        if (!failure)
            kernel();
        if (block->early && !self->waitedForPrevious)
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
        if (!failure)
            failure = std::current_exception();
    }
    self->exited = true;
}

/// A warp of a block that is running: its lanes in the order of their turns.
struct Turn {
    Block *block;
    std::array<Thread *, warpSize> lanes;
    unsigned sleeps; ///< rounds to sit out, so that others run ahead
};

std::unique_ptr<Block> makeBlock(const Launch &launch, unsigned at)
{
    auto made = std::make_unique<Block>();
    void *memory = nullptr;
    if (posix_memalign(&memory, 128, std::max<std::size_t>(launch.sharedBytes, 1)) != 0)
        throw std::bad_alloc();
    made->shared.reset(static_cast<std::byte *>(memory));
    made->sharedBytes = launch.sharedBytes;
    made->early = launch.early;
    std::memset(memory, 0xff, launch.sharedBytes); // not a number in every type
    const auto threads = static_cast<unsigned>(launch.threads);
    made->threads.resize(threads);
    made->warps.resize(threads / warpSize);
    for (unsigned t = 0; t < threads; ++t) {
        Thread &thread = made->threads[t];
        thread.threadIdx.x = t;
        thread.blockIdx = {at % launch.grid.x, at / launch.grid.x % launch.grid.y, at / launch.grid.x / launch.grid.y};
        thread.blockDim = {threads, 1, 1};
        thread.gridDim = launch.grid;
    }
    return made;
}

/// One turn of a warp: each lane runs until it must wait. False when none could.
bool runWarp(const Turn &turn)
{
    bool moved = false;
    block = turn.block;
    for (Thread *lane : turn.lanes) {
        if (lane->fiber->ended() || (lane->waitsIn && !failure))
            continue;
        moved = true;
        self = lane;
        lane->fiber->resume();
    }
    self = nullptr;
    return moved;
}

/// Blocks side by side, to their ends.
void runTogether(const std::vector<std::unique_ptr<Block>> &blocks, const std::function<void()> &body)
{
    std::vector<Turn> turns;
    std::size_t used = 0;
    for (const std::unique_ptr<Block> &one : blocks) {
        for (std::size_t i = 0; i < one->threads.size(); ++i) {
            if (used == fibers.size())
                fibers.push_back(std::make_unique<Fiber>());
            one->threads[i].fiber = fibers[used++].get();
            one->threads[i].fiber->begin(body);
            if (i % warpSize == 0)
                turns.push_back({one.get(), {}, 0});
            turns.back().lanes[i % warpSize] = &one->threads[i];
        }
    }
    for (Turn &turn : turns)
        std::shuffle(turn.lanes.begin(), turn.lanes.end(), order);
    const auto ended = [](const Turn &turn) {
        return std::all_of(turn.lanes.begin(), turn.lanes.end(), [](const Thread *lane) { return lane->fiber->ended(); });
    };
    while (!turns.empty()) {
        std::shuffle(turns.begin(), turns.end(), order);
        bool moved = false, asleep = false;
        for (Turn &turn : turns) {
            if (turn.sleeps > 0) {
                --turn.sleeps;
                asleep = true;
                continue;
            }
            moved |= runWarp(turn);
            if (order() % 32 == 0)
                turn.sleeps = order() % 1024;
        }
        std::erase_if(turns, ended);
        if (!moved && !asleep && !turns.empty()) {
            block = turns[0].block;
            failure = std::make_exception_ptr(Failure(deadlock()));
        }
    }
    if (failure)
        std::rethrow_exception(std::exchange(failure, nullptr));
}

} // namespace

void fail(const std::string &what)
{
    throw Failure(nameOf(*self) + ": " + what);
}

void meet(int id, int threads, const char *name, Site site)
{
    if (id < 0 || id > 15 || threads <= 0 || threads % warpSize != 0 || threads > static_cast<int>(block->threads.size()))
        fail(fmt::format("barrier {} of {} threads: ids are 0 to 15, threads whole warps of the block", id, threads));
    Barrier &barrier = block->barriers[static_cast<std::size_t>(id)];
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
        for (auto &[address, copy] : block->landed)
            copy.seenByWarp |= copy.thread / warpSize == self->threadIdx.x / warpSize;
    for (int i = 0; i < warpSize; ++i)
        lanesOf(*self)[i].waitsIn = nullptr;
    warp.here = 0;
}

std::byte *shared()
{
    return block->shared.get();
}

void land(const Copy &copy)
{
    std::memcpy(copy.to, &copy.data, sizeof(copy.data));
    block->landed[reinterpret_cast<std::uintptr_t>(copy.to)] = {self->threadIdx.x, false};
}

void checkSeen(const void *address, const char *name)
{
    if (block->landed.empty())
        return;
    const auto found = block->landed.find(reinterpret_cast<std::uintptr_t>(address) / 16 * 16);
    if (found == block->landed.end())
        return;
    const auto [thread, seenByWarp] = found->second;
    if (thread != self->threadIdx.x && !(seenByWarp && thread / warpSize == self->threadIdx.x / warpSize))
        fail(fmt::format("{}: reads what thread {} has copied, and no barrier says that it is there", name, thread));
}

void checkShared(const void *address, std::size_t bytes, const char *name)
{
    const auto at = reinterpret_cast<std::uintptr_t>(address), begin = reinterpret_cast<std::uintptr_t>(shared());
    if (at < begin || at + bytes > begin + block->sharedBytes)
        fail(fmt::format("{}: the address is not in the block's {} bytes of shared memory", name, block->sharedBytes));
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
    const std::function<void()> body = [&kernel] { runThread(kernel); };
    std::vector<unsigned> all(std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z);
    std::iota(all.begin(), all.end(), 0u);
    std::shuffle(all.begin(), all.end(), order);
    for (std::size_t first = 0; first < all.size(); first += sideBySide) {
        std::vector<std::unique_ptr<Block>> blocks;
        for (std::size_t i = first; i < std::min(all.size(), first + sideBySide); ++i)
            blocks.push_back(makeBlock(launch, all[i]));
        runTogether(blocks, body);
    }
}

} // namespace zigzag::gpu::emulator
