// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/map/head_map.h"
#include "engine/run/session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

enum class Phase { Prefill, Decode }; ///< TTFT and TPOT
std::string_view nameOf(Phase phase);
/// "prefill", "decode"; nothing for any other name.
std::optional<Phase> findPhase(std::string_view name);

/// Contexts to look at when none are asked for: a quarter, half and all of the longest.
std::vector<std::int64_t> usualContexts(std::int64_t longest);

/// The value below which `fraction` of the values lie, interpolated; 0.5 = median.
double quantile(std::vector<double> values, double fraction);

/// The most that a machine does of something in a second, and the name of it.
struct Ceiling {
    double perSecond = 0; ///< bytes or operations; 0 = not known
    std::string_view name; ///< "memory read bandwidth", "cache read bandwidth", "matrix rate f32", "matrix rate bf16", "… f16"
};
inline constexpr std::string_view memoryCeiling = "memory read bandwidth";

/// What the machine can do at most, measured in the run that quotes it.
struct MachineProfile {
    std::string device; ///< processor as it names itself
    int threads = 0;
    std::string backend; ///< its name; what it can do, say onProcessor and the rates
    bool onProcessor = true; ///< Capabilities::onProcessor of the backend
    std::string driver; ///< of the GPU; on a CPU the kernel's release
    std::string build; ///< version and commit of this program
    std::int64_t lastLevelCacheBytes = 0;
    std::int64_t prefillChunk = 0; ///< tokens of one pass of a prefill; 0 = not known
    double readBytesPerSecond = 0; ///< streaming reads of a buffer larger than the last-level cache
    double cachedReadBytesPerSecond = 0; ///< reads that stay in the last-level cache
    double matrixFlopsF32 = 0; ///< FLOP/s of the matrix library on the shapes of a layer
    double matrixFlopsBf16 = 0;

    /// The rule for products of weights of a type, in floors and in fits alike: a GPU multiplies both 16-bit types at one rate,
    /// the processor F16 as F32; and who can multiply 16-bit weights in float32 faster may do that.
    Ceiling matrixCeiling(DType type) const;
    /// The rule for reading: a step whose bytes fit into the last-level cache finds them there again.
    bool keeps(double bytesOfStep) const { return bytesOfStep <= static_cast<double>(lastLevelCacheBytes); }
    Ceiling readCeiling(double bytesOfStep) const;
};

/// A map with the name it goes by in tables: "full", "streaming", or its file.
struct NamedMap {
    std::string name;
    HeadMap map;
};

/// One measured point. Times of one run: a whole prefill of `context` tokens, or one decode step at `context` tokens.
struct BenchRecord {
    std::string map;
    std::string mapFingerprint; ///< fingerprintOf (engine/map/run_alike.h)
    Phase phase = Phase::Decode;
    std::int64_t context = 0;
    int batch = 1;
    MixedMode mixed = MixedMode::Fused;
    std::optional<DType> kvType; ///< of keys and values; none: a file from before there was a choice, so the weights' own
    std::vector<double> samplesMs; ///< in the order of their measurement
    double medianMs = 0;
    double spreadMs = 0; ///< interquartile range
    int disturbed = 0; ///< samples that other programs slowed, however often they were taken (sampler.h)
    std::int64_t kvBytes = 0; ///< of all sequences, computed by the layout
    std::int64_t kvBytesAllocated = 0; ///< by the backend
    double floorMs = 0; ///< least time that bytes and operations allow on this machine
    std::string ceiling; ///< the measured rate behind floorMs
    double ceilingPerSecond = 0; ///< bytes or operations per second of that rate
    std::vector<double> readRates; ///< memory read bandwidth just after each sample, bytes per second; decode alone
    double floorRatio = 0; ///< floorMs / medianMs: 1 = at the floor; what to show of it says floorShare
    std::string failure; ///< why there is no measurement (out of memory, say); empty when there is one

    /// Faster than the ceiling that was measured beside it allows: the machine changed in between, and the ratio is no result.
    bool ceilingMoved() const { return floorRatio > 1; }
    /// The ratio where it is one.
    std::optional<double> floorShare() const
    {
        return floorRatio > 0 && !ceilingMoved() ? std::optional(floorRatio) : std::nullopt;
    }
    /// Whether most samples are of a machine that was not left alone: predictions, which are of one that is, are not held
    /// against them.
    bool isDisturbed() const { return std::int64_t{2} * disturbed > std::ssize(samplesMs); }
};

} // namespace zigzag
