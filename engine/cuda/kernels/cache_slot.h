// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/kernels/cache_view.h"

namespace zigzag::gpu {

/// cacheSlot of engine/run/key_runs.h: the slot of a position. Slots for every position never wrap.
ZZ_DEVICE std::int64_t cacheSlot(std::int64_t position, std::int64_t slots, std::int64_t sink)
{
    return position < slots ? position : sink + (position - sink) % (slots - sink);
}

/// Which of the call's sequences a row belongs to.
ZZ_DEVICE int sequenceOf(const RowsView &rows, std::int64_t row)
{
    return rows.count > 1 ? static_cast<int>(row) : 0;
}

/// The position of a sequence's first row.
ZZ_DEVICE int firstPosition(const RowsView &rows, int sequence)
{
    return static_cast<int>(rows.positions ? rows.positions[sequence] : rows.firstPosition);
}

ZZ_DEVICE std::int64_t positionOf(const RowsView &rows, std::int64_t row)
{
    const int sequence = sequenceOf(rows, row);
    const std::int64_t first = rows.positions ? rows.positions[sequence] : rows.firstPosition;
    return rows.count > 1 ? first : first + row;
}

/// Bytes from the first sequence's keys, or values, to those of a row's sequence.
ZZ_DEVICE std::int64_t cacheOffset(const HeadCaches &caches, const RowsView &rows, std::int64_t row)
{
    return (rows.first + sequenceOf(rows, row)) * caches.sequenceStride;
}

} // namespace zigzag::gpu
