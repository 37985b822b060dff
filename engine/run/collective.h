// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace zigzag {

class Backend;

/// Where each rank has its part of a sum (tensor parallelism, arXiv 1909.08053 section 3): out = residual + Σ of the parts, in
/// the order of the ranks, so that all of them have the same bits. `part` is void afterwards.
struct SumArgs {
    void *part = nullptr; // [count]
    DType type = DType::F32; ///< of `part`: float32, or the backend's activation type
    float *out = nullptr; // [count]
    const float *residual = nullptr; // [count], may be `out`; null: 0. The same on every rank
    std::int64_t count = 0;
};

/// Where each rank has some columns of a matrix: out = those of rank 0, then those of rank 1, …
struct GatherArgs {
    const float *part = nullptr; // [rows, widths[rank]]
    float *out = nullptr; // [rows, Σ widths]
    std::int64_t rows = 0;
    std::span<const std::int64_t> widths; // [ranks], host
};

/// What one rank does together with the others. Each rank calls the same ones in the same order, on the thread that runs its
/// backend; as an op of that backend, a call may return before the device has finished, and can be recorded in a step. Once the
/// group has been aborted, calls return without waiting for anybody and what they leave is void.
class Collective
{
public:
    virtual ~Collective() = default;
    virtual void sum(const SumArgs &args) = 0;
    virtual void gather(const GatherArgs &args) = 0;
    /// numbers become 0. [count]
    virtual void clear(float *numbers, std::int64_t count) = 0;
};

enum class CollectiveKind : std::uint8_t { Sum, Gather };
/// "all-reduce", "all-gather": as others call them.
std::string_view nameOf(CollectiveKind kind);

/// Hears of each collective of a rank as it begins and ends, on that rank's thread. On a backend that returns before it has
/// finished, what lies between is the launch.
class CollectiveWatcher
{
public:
    virtual ~CollectiveWatcher() = default;
    /// `bytes`: of the numbers that are summed, or of all that are gathered.
    virtual void begin(CollectiveKind kind, std::int64_t bytes) = 0;
    virtual void end() = 0;
};

/// The collectives of a group of ranks, one each.
class CollectiveGroup
{
public:
    virtual ~CollectiveGroup() = default;
    virtual Collective &of(int rank) = 0;
    /// From any thread: whoever waits for another rank stops waiting, on the device as well.
    virtual void abort() = 0;
    /// Makes an aborted group fit for use again, once no rank is in a call. Fails where its devices cannot be joined again.
    virtual Result<void> restart() = 0;
};

/// For backends that compute on this machine's processors: a barrier, and sums in the memory that all ranks see.
std::unique_ptr<CollectiveGroup> joinInProcess(int ranks);

} // namespace zigzag
