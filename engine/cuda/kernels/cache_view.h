// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Plain structs: this header and those that build on it are read by every compiler, not only where kernels are compiled.

#include <cstdint>

namespace zigzag::gpu {

/// HeadCache (engine/run/backend.h) as kernels read it. With a batch of sequences the pointers are the first sequence's,
/// and the others' follow at a fixed distance in bytes; a staged chunk belongs to one sequence.
struct HeadCacheView {
    void *keys; // [slots, head_dim]
    void *values; // [slots, head_dim]
    std::int64_t slots;
    void *stagedKeys; // [tokens, head_dim]; null when keys go straight to their slots
    void *stagedValues; // [tokens, head_dim]
    int sink, recent; ///< the key-range rule of engine/map/head_pattern.h; `everyKey` where the head keeps everything
};

inline constexpr int everyKey = 1 << 30; ///< a window wider than any context; sums with positions stay within 32 bits

inline constexpr int maxKvHeads = 64;

/// A layer's caches, as a part of a kernel's arguments: by value, so that a launch needs no upload of its own and a graph
/// carries them along.
struct HeadCaches {
    HeadCacheView heads[maxKvHeads]; // [kv_heads]
    std::uint8_t selected[maxKvHeads]; // [selectedCount] KV heads to work on
    int selectedCount;
    std::int64_t sequenceStride; ///< bytes from a sequence's keys, or values, to the next sequence's
};

/// SequenceRows of engine/run/backend.h: the next tokens of one sequence, or (count > 1) one new token of each of several.
struct RowsView {
    int first; ///< the sequence of row 0
    int count;
    const std::int32_t *positions; // [count], device; null: every sequence at `firstPosition`
    std::int64_t firstPosition;
};

} // namespace zigzag::gpu
