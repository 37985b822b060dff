// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/device.h"
#include "engine/cuda/linear.h"
#include "engine/cuda/pointwise.h"
#include "engine/run/gradients.h"

#include <functional>
#include <memory>

namespace zigzag::gpu {

/// The backward ops on a GPU, for activations in BF16 and float32. Products read gradients in the weights' type and add up in
/// float32; F16 would lose gradients below its smallest number.
class CudaGradients : public GradientOps
{
public:
    /// `widened`: where rows of quantised matrices become plain numbers, once there is such a matrix. `flush` launches what the
    /// backend has put off.
    CudaGradients(Device &device, Linear &linear, const std::unique_ptr<Buffer> &widened, std::function<void()> flush);

    void rmsNorm(const RmsNormGradientArgs &args) override;
    void matmul(const MatmulGradientArgs &args) override;
    void swiGlu(const SwiGluGradientArgs &args) override;
    void rotate(const RotateGradientArgs &args) override;
    void attention(const AttentionGradientArgs &args) override;
    void blend(const BlendArgs &args) override;
    void blendGradient(const BlendGradientArgs &args) override;
    bool takes(DType type) const override { return type == DType::BF16 || type == DType::F32; }

    /// Held since the first op that needed it.
    std::size_t scratchBytes() const;

private:
    void multiply(const MatmulGradientArgs &args, const ProductGradient &product, bool add);
    LaunchOn on() const { return {m_device.stream(), m_device.limits().computeCapability >= 90}; }
    /// At least so many bytes, whose contents may be lost; null, and noted, where there is no memory for them.
    void *room(std::unique_ptr<Buffer> &buffer, std::size_t bytes);
    /// Doubles from the device, waited for.
    void download(std::span<double> to, const void *from);

    Device &m_device;
    Linear &m_linear;
    const std::unique_ptr<Buffer> &m_widened;
    std::function<void()> m_flush;
    std::unique_ptr<Buffer> m_narrow; ///< gradients of some tokens in the weights' type
    std::unique_ptr<Buffer> m_rows; ///< what attention's two kernels share
    std::unique_ptr<Buffer> m_sums; ///< parts of sums that go to the host
};

} // namespace zigzag::gpu
