// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/exchange_launches.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/exchange.cuh"

namespace zigzag::gpu {

int launchExchangeSum(const ExchangeArgs &args, LaunchOn on)
{
    return launch(exchangeSum, {exchangeBlocks(args.count)}, exchangeThreads, 0, on.stream, args, startOf(on.early));
}

int launchExchangeGather(const ExchangeArgs &args, LaunchOn on)
{
    return launch(exchangeGather, {exchangeBlocks(args.count)}, exchangeThreads, 0, on.stream, args, startOf(on.early));
}

int launchAddParts(DType type, const AddPartsArgs &args, LaunchOn on)
{
    const auto add = [&](auto kernel) {
        return launch(kernel, {addPartsBlocks(args.count)}, exchangeThreads, 0, on.stream, args, startOf(on.early));
    };
    return type == DType::BF16 ? add(addParts<Bf16>) : type == DType::F16 ? add(addParts<F16>) : add(addParts<float>);
}

} // namespace zigzag::gpu
