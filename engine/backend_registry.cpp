// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/backend_names.h"
#include "engine/base/installation.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/run/backend_module.h"

#include <algorithm>
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <vector>

namespace zigzag {

namespace {

/// A backend that is a module of its own, zigzag_NAME.so.
struct KnownModule {
    std::string_view name;
    /// Of the driver's library. A module brings libraries of hundreds of megabytes along: where there is no driver it is not
    /// even opened.
    const char *driver;
    std::string_view driverMissing, deviceRefused; ///< what there is to do
};

/// In the order in which `auto` tries them.
constexpr KnownModule modules[] = {
    {"cuda", "libcuda.so.1", "this machine has no NVIDIA driver (libcuda.so.1 is missing): install it",
     "check the GPU with nvidia-smi"},
};

/// Why a module gives no backend.
struct Refusal {
    ErrorKind kind = ErrorKind::Failed;
    std::string line; ///< what, where, and what to do about it
    bool isAbsent = false; ///< the module or the driver is not there: nothing that `auto` has to speak of
};

/// What stands in the way of believing a module; empty where nothing does.
std::string mismatch(const BackendModule *module, const std::string &file)
{
    constexpr std::string_view remedy = "install the one that came with it";
    if (!module)
        return fmt::format("{} names no version of the backend interface, and this engine's is {}: {}", file, backendInterface,
                           remedy);
    if (module->interface != backendInterface)
        return fmt::format("{} is for version {} of the backend interface, and this engine's is {}: {}", file, module->interface,
                           backendInterface, remedy);
    if (module->layout != backendLayout())
        return fmt::format("{} is from another build, although its version of the backend interface is {} as well: {}", file,
                           backendInterface, remedy);
    return {};
}

tl::expected<std::unique_ptr<Backend>, Refusal> createFromModule(const KnownModule &known)
{
    const auto refused = [&](std::string line, bool isAbsent = false, ErrorKind kind = ErrorKind::Failed) {
        return tl::unexpected(Refusal{kind, fmt::format("backend {}: {}", known.name, line), isAbsent});
    };
    const std::string name = fmt::format("zigzag_{}.so", known.name);
    const std::string file = moduleFile(name).string();
    if (file.empty())
        return refused(
            fmt::format("there is no {} beside the program or in lib/zigzag of its installation: build or install it", name),
            true, ErrorKind::BadInput);
    if (!dlopen(known.driver, RTLD_LAZY | RTLD_LOCAL))
        return refused(std::string(known.driverMissing), true);
    void *const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return refused(fmt::format("{}: install what is missing", dlerror()));
    const auto *module = static_cast<const BackendModule *>(dlsym(handle, "zigzagBackendModule"));
    if (std::string why = mismatch(module, file); !why.empty())
        return refused(std::move(why));
    std::string reason;
    std::unique_ptr<Backend> backend(module->create(&reason));
    if (!backend)
        return refused(fmt::format("{}: {}", reason, known.deviceRefused));
    return backend;
}

} // namespace

std::vector<std::string_view> backendNames()
{
    std::vector<std::string_view> names = {"cpu"};
    std::ranges::transform(modules, std::back_inserter(names), &KnownModule::name);
    return names;
}

Result<std::unique_ptr<Backend>> createBackend(std::string_view name, std::string *note)
{
    if (name == "cpu")
        return createCpuBackend();
    for (const KnownModule &known : modules) {
        if (name != known.name && name != "auto")
            continue;
        auto backend = createFromModule(known);
        if (backend)
            return std::move(*backend);
        const Refusal &refusal = backend.error();
        if (name == known.name)
            return tl::unexpected(Error{refusal.kind, refusal.line + ", or use --backend cpu"});
        if (note && !refusal.isAbsent)
            *note = refusal.line + "; until then the processor runs everything";
    }
    if (name == "auto")
        return createCpuBackend();
    std::vector<std::string_view> names;
    std::ranges::transform(modules, std::back_inserter(names), &KnownModule::name);
    return badInput(fmt::format("backend {}: not known: use auto, cpu or {}", name, fmt::join(names, " or ")));
}

} // namespace zigzag
