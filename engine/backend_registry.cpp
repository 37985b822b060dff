// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/cpu_backend.h"
#include "engine/run/backend.h"

#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>

namespace zigzag {

namespace {

namespace fs = std::filesystem;

/// Beside the program, so that one build runs with and without it.
fs::path cudaModule()
{
    std::error_code ignored;
    return fs::read_symlink("/proc/self/exe", ignored).parent_path() / "zigzag_cuda.so";
}

/// The module exports `Backend *zigzagCreateCudaBackend(std::string *error)`; it returns null and a reason without a device.
Result<std::unique_ptr<Backend>> createCudaBackend()
{
    const fs::path file = cudaModule();
    std::error_code ignored;
    if (!fs::exists(file, ignored))
        return badInput(
            fmt::format("backend cuda: there is no {} beside the program: use --backend cpu or auto", file.filename().string()));
    // The module brings libraries of hundreds of megabytes along: where there is no driver it is not even opened.
    if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL))
        return failed(
            "backend cuda: this machine has no NVIDIA driver (libcuda.so.1 is missing): install it, or use --backend cpu");
    void *module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return failed(fmt::format("backend cuda: {}: install what is missing, or use --backend cpu", dlerror()));
    using Create = Backend *(std::string *);
    const auto create = reinterpret_cast<Create *>(dlsym(module, "zigzagCreateCudaBackend"));
    if (!create)
        return failed(fmt::format("backend cuda: {} is not of this version: build it again", file.string()));
    std::string reason;
    std::unique_ptr<Backend> backend(create(&reason));
    if (!backend)
        return failed(fmt::format("backend cuda: {}: check the GPU with nvidia-smi, or use --backend cpu", reason));
    return backend;
}

} // namespace

Result<std::unique_ptr<Backend>> createBackend(std::string_view name)
{
    if (name == "cpu")
        return createCpuBackend();
    if (name == "cuda")
        return createCudaBackend();
    if (name != "auto")
        return badInput(fmt::format("backend {}: not known: use auto, cpu or cuda", name));
    if (auto cuda = createCudaBackend())
        return cuda;
    return createCpuBackend();
}

} // namespace zigzag
