// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/device.h"
#include "engine/run/collective.h"

#include <memory>
#include <vector>

namespace zigzag::gpu {

/// A backend as a member of a group.
class RankDevice
{
public:
    virtual ~RankDevice() = default;
    /// Its device, once everything that was put off is launched.
    virtual Device &flushed() = 0;
};

/// Collectives of GPUs of one host. What waits for a link's answer, sums of a few tokens and logits, the GPUs write into each
/// other's memory (kernels/exchange.cuh), where they can; what waits for its bandwidth, and everything where they cannot, is
/// NCCL's. ZIGZAG_COLLECTIVES=nccl leaves all sums to NCCL, to see what each is worth. Called on a thread of none of them; the
/// first one's device is that thread's afterwards. The backends outlive the group.
Result<std::unique_ptr<CollectiveGroup>> joinDevices(std::vector<RankDevice *> ranks);

} // namespace zigzag::gpu
