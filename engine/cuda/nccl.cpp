// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/nccl.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fmt/format.h>

namespace zigzag::gpu {

namespace {

template <class Function> bool find(void *library, const char *name, Function &function)
{
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

/// ncclDataType_t.
int numberOf(DType type)
{
    constexpr int float16 = 6, float32 = 7, bfloat16 = 9;
    return type == DType::F16 ? float16 : type == DType::BF16 ? bfloat16 : float32;
}

} // namespace

Result<const Nccl *> Nccl::open()
{
    static const Result<Nccl> opened = []() -> Result<Nccl> {
        // Sums in the switch (multicast memory) need what containers and shared hosts often refuse, and then fail late.
        setenv("NCCL_NVLS_ENABLE", "0", 0);
        void *const library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
        if (!library)
            return failed(
                "several GPUs need NVIDIA's NCCL, and libnccl.so.2 is not found: install libnccl2 (NVIDIA's packages), or "
                "nvidia-nccl-cu13 of PyPI with its folder in LD_LIBRARY_PATH");
        Nccl nccl;
        if (!find(library, "ncclCommInitAll", nccl.m_initAll) || !find(library, "ncclAllReduce", nccl.m_allReduce)
            || !find(library, "ncclCommDestroy", nccl.m_destroy) || !find(library, "ncclCommAbort", nccl.m_abort)
            || !find(library, "ncclGetErrorString", nccl.m_errorText))
            return failed(
                fmt::format("libnccl.so.2 lacks what several GPUs need ({}): install version 2.10 or newer", dlerror()));
        return nccl;
    }();
    if (!opened)
        return tl::unexpected(opened.error());
    return &*opened;
}

Result<void> Nccl::join(std::span<const int> devices, std::span<Communicator> communicators) const
{
    if (const int result = m_initAll(communicators.data(), static_cast<int>(devices.size()), devices.data()); result != 0)
        return failed(fmt::format("NCCL could not join {} GPUs: {}: run again with NCCL_DEBUG=WARN to see why", devices.size(),
                                  textOf(result)));
    return {};
}

int Nccl::sum(void *numbers, std::size_t count, DType type, Communicator communicator, cudaStream_t stream) const
{
    constexpr int add = 0; // ncclSum
    return m_allReduce(numbers, numbers, count, numberOf(type), add, communicator, stream);
}

} // namespace zigzag::gpu
