// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/device.h"

#include <fmt/format.h>

namespace zigzag::gpu {

namespace {

class CudaBuffer : public Buffer
{
public:
    CudaBuffer(void *data, std::size_t bytes)
        : Buffer(data, bytes)
    { }
    ~CudaBuffer() override { cudaFree(m_data); }
};

int attribute(cudaDeviceAttr which, int device)
{
    int value = 0;
    cudaDeviceGetAttribute(&value, which, device);
    return value;
}

constexpr int leastCapability = 80; ///< cp.async and bfloat16 tensor cores

/// What a session must leave free: contexts of libraries and fragmentation take some after the plan is made.
constexpr std::int64_t memoryReserve = 256ll << 20;

} // namespace

std::string textOf(int status)
{
    return fmt::format("{} ({})", cudaGetErrorString(static_cast<cudaError_t>(status)),
                       cudaGetErrorName(static_cast<cudaError_t>(status)));
}

int Device::count()
{
    int all = 0, usable = 0;
    if (cudaGetDeviceCount(&all) != cudaSuccess) {
        cudaGetLastError();
        return 0;
    }
    for (int index = 0; index < all; ++index)
        usable += 10 * attribute(cudaDevAttrComputeCapabilityMajor, index) + attribute(cudaDevAttrComputeCapabilityMinor, index)
            >= leastCapability;
    return usable;
}

Result<std::unique_ptr<Device>> Device::open(int nth)
{
    int count = 0;
    if (const int status = cudaGetDeviceCount(&count); status != cudaSuccess)
        return failed(textOf(status));
    std::string refused = "no GPU is visible";
    for (int index = 0; index < count; ++index) {
        cudaDeviceProp properties = {};
        if (const int status = cudaGetDeviceProperties(&properties, index); status != cudaSuccess)
            return failed(textOf(status));
        const int capability = 10 * properties.major + properties.minor;
        if (capability < leastCapability) {
            refused = fmt::format("{} has compute capability {}.{} and 8.0 is the least that this build runs on", properties.name,
                                  properties.major, properties.minor);
            continue;
        }
        if (nth-- > 0)
            continue;
        std::unique_ptr<Device> device(new Device);
        device->m_index = index;
        if (int status = cudaSetDevice(index); status != cudaSuccess
            || (status = cudaStreamCreateWithFlags(&device->m_stream, cudaStreamNonBlocking)) != cudaSuccess)
            return failed(fmt::format("{}: {}", properties.name, textOf(status)));
        device->m_limits = {.multiprocessors = properties.multiProcessorCount,
                            .sharedPerMultiprocessor = static_cast<int>(properties.sharedMemPerMultiprocessor),
                            .sharedPerBlock = static_cast<int>(properties.sharedMemPerBlockOptin),
                            .computeCapability = capability};
        int driver = 0;
        cudaDriverGetVersion(&driver);
        DeviceInfo &info = device->m_info;
        info.name = properties.name;
        info.lastLevelCacheBytes = attribute(cudaDevAttrL2CacheSize, index);
        info.prefillChunk = 4096;
        info.driver = fmt::format("CUDA {}.{}, compute capability {}.{}", driver / 1000, driver % 1000 / 10, properties.major,
                                  properties.minor);
        return device;
    }
    return failed(refused);
}

Device::~Device()
{
    if (m_stream)
        cudaStreamDestroy(m_stream);
}

DeviceInfo Device::info() const
{
    DeviceInfo info = m_info;
    std::size_t available = 0, all = 0;
    if (cudaMemGetInfo(&available, &all) == cudaSuccess)
        info.memoryBytes = std::max<std::int64_t>(0, static_cast<std::int64_t>(available) - memoryReserve);
    return info;
}

Result<std::unique_ptr<Buffer>> Device::allocate(std::size_t bytes)
{
    void *data = nullptr;
    const cudaError_t status = cudaMalloc(&data, std::max<std::size_t>(bytes, 1));
    if (status != cudaSuccess) {
        cudaGetLastError(); // not sticky, and not to be found by the next op
        return failed(fmt::format("{} bytes could not be allocated on {} ({} are free): {}: choose a smaller context or model",
                                  bytes, m_info.name, info().memoryBytes, textOf(status)));
    }
    return std::make_unique<CudaBuffer>(data, bytes);
}

void Device::check(int status, const char *what)
{
    if (status == cudaSuccess || m_failed != cudaSuccess)
        return;
    m_failed = status;
    m_failedIn = what;
}

void Device::wait()
{
    check(cudaStreamSynchronize(m_stream), "the work before it");
    check(cudaGetLastError(), "the work before it");
}

Result<void> Device::synchronize()
{
    wait();
    if (m_failed == cudaSuccess)
        return {};
    const int status = std::exchange(m_failed, 0);
    return failed(fmt::format("{} failed in {}: {}: run again, and with a smaller context if it stays so", m_info.name,
                              m_failedIn, textOf(status)));
}

} // namespace zigzag::gpu
