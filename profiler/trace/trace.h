// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/collective.h"
#include "engine/run/trace_sink.h"
#include "profiler/base/run_types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// The latest time in a trace, 13 days: exact as microseconds with three decimals in a double.
inline constexpr std::int64_t latestTraceNs = std::int64_t{1} << 50;

/// One op of one layer, or what surrounds it. 56 bytes, so that a million of them are 56 MB.
struct TraceSpan {
    std::int64_t beginNs = 0; ///< since the trace began
    std::int64_t durationNs = 0;
    std::int64_t bytes = 0; ///< weights, keys, values and activations that the op must move at least
    std::int64_t flops = 0; ///< of matrix products and attention
    std::int32_t parent = -1; ///< index of the span around it; −1: none
    std::int32_t tokens = 0; ///< of each sequence
    std::int32_t firstPosition = 0;
    float floorNs = 0; ///< least time that bytes and operations allow on the trace's machine; 0 = not known
    std::int16_t layer = -1; ///< −1 outside the layers
    std::uint16_t row = 0; ///< index into Trace::rows
    Op op = Op::Pass;
    LayerKind kind = LayerKind::Retrieval; ///< of the layer; says nothing outside the layers
    std::uint8_t depth = 0; ///< spans around it

    std::int64_t endNs() const { return beginNs + durationNs; }
    bool operator==(const TraceSpan &) const = default;
};

/// One kernel on a GPU.
struct KernelSpan {
    std::int64_t beginNs = 0; ///< since the trace began, on the host's clock
    std::int64_t durationNs = 0;
    std::uint32_t name = 0; ///< index into Trace::kernelNames
    std::int32_t span = -1; ///< index of the span that launched it; −1: not known
    std::uint16_t row = 0; ///< index into Trace::rows: its stream

    std::int64_t endNs() const { return beginNs + durationNs; }
    bool operator==(const KernelSpan &) const = default;
};

/// One collective of one rank: a part of the span that it lies in, which first waits until all ranks have come, and then
/// exchanges.
struct CollectiveSpan {
    std::int64_t beginNs = 0; ///< this rank came
    std::int64_t durationNs = 0;
    std::int64_t waitNs = 0; ///< of it: until the last rank came
    std::int64_t bytes = 0; ///< of the numbers that are summed, or of all that are gathered
    std::int32_t span = -1; ///< index of the span that it lies in; −1: not known
    std::uint16_t row = 0; ///< index into Trace::rows, as the span's
    CollectiveKind kind = CollectiveKind::Sum;

    std::int64_t endNs() const { return beginNs + durationNs; }
    bool operator==(const CollectiveSpan &) const = default;
};

/// What was run, on what.
struct TraceInfo {
    std::string model, map; ///< names as they were asked for
    Phase phase = Phase::Decode;
    std::int64_t context = 0;
    int batch = 1;
    int gpus = 1; ///< ranks that ran it together
    MixedMode mixed = MixedMode::Fused;
    std::optional<DType> kvType; ///< of keys and values; none: not told
    bool predicted = false; ///< laid out from a cost model, not recorded: never shown like a recording
    bool isForeign = false; ///< of another program: every event is a kernel, no span is known, and kernels of a row may nest
    std::string note; ///< what is missing, and why; empty when nothing is
    bool inDeviceTime = false; ///< spans begin and end with their kernels on a GPU; false: with the host's calls
    bool isReplayed = false; ///< decode as it runs, from a recording; false: every op launched by itself
    bool disturbed = false; ///< other programs took the processors while it was recorded
    double stepMs = 0; ///< of one decode step that nobody watched, in the same run; 0 = not known
    double watchedStepMs = 0; ///< of one that was recorded here
    std::vector<LayerKind> layerKinds; ///< [layers]
    MachineProfile machine;
};

/// What one run did when. Spans are in the order of their beginning within a row, a parent before its children; kernels
/// likewise within their row.
struct Trace {
    TraceInfo info;
    /// Of the spans: "host", or in device time "GPU, by op"; then a GPU stream each. Of several ranks a row each, in their order.
    std::vector<std::string> rows;
    std::vector<TraceSpan> spans;
    std::vector<std::string> kernelNames; ///< as compiled, readable
    std::vector<KernelSpan> kernels;
    std::vector<CollectiveSpan> collectives; ///< of several ranks: by rows in the order of their beginning
    std::int64_t dropped = 0; ///< spans and kernels that no longer fitted into the recorder's bound

    /// From the first beginning to the last end.
    std::int64_t beginNs() const;
    std::int64_t endNs() const;
};

/// "retrieval", "streaming" or "mixed"; of a span "" outside the layers.
std::string_view kindName(LayerKind kind);
inline std::string_view kindName(const TraceSpan &span)
{
    return span.layer < 0 ? std::string_view() : kindName(span.kind);
}

/// Checks what a trace from outside may have wrong: indices, times, sums of times that would overflow, nesting (a child lies
/// in its parent, parents come first, spans side by side on a host do not overlap). Returns what is wrong, or "".
std::string traceFault(const Trace &trace);

} // namespace zigzag
