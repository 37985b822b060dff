// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/backend_names.h"
#include "engine/base/installation.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/run/backend_module.h"
#include "engine/run/rank_group.h"

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

Refusal refusalOf(const KnownModule &known, std::string_view line, bool isAbsent = false, ErrorKind kind = ErrorKind::Failed)
{
    return {kind, fmt::format("backend {}: {}", known.name, line), isAbsent};
}

tl::expected<const BackendModule *, Refusal> openModule(const KnownModule &known)
{
    const auto refused = [&](std::string_view line, bool isAbsent = false, ErrorKind kind = ErrorKind::Failed) {
        return tl::unexpected(refusalOf(known, line, isAbsent, kind));
    };
    const std::string name = fmt::format("zigzag_{}.so", known.name);
    const std::string file = moduleFile(name).string();
    if (file.empty())
        return refused(
            fmt::format("there is no {} beside the program or in lib/zigzag of its installation: build or install it", name),
            true, ErrorKind::BadInput);
    if (!dlopen(known.driver, RTLD_LAZY | RTLD_LOCAL))
        return refused(known.driverMissing, true);
    void *const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return refused(fmt::format("{}: install what is missing", dlerror()));
    const auto *module = static_cast<const BackendModule *>(dlsym(handle, "zigzagBackendModule"));
    if (const std::string why = mismatch(module, file); !why.empty())
        return refused(why);
    return module;
}

tl::expected<std::unique_ptr<Backend>, Refusal> createFromModule(const KnownModule &known)
{
    const auto module = openModule(known);
    if (!module)
        return tl::unexpected(module.error());
    std::string reason;
    std::unique_ptr<Backend> backend((*module)->create(&reason));
    if (!backend)
        return tl::unexpected(refusalOf(known, fmt::format("{}: {}", reason, known.deviceRefused)));
    return backend;
}

/// Shares of this machine's processors.
Result<std::shared_ptr<RankGroup>> rankGroupOfCpu(int ranks)
{
    return RankGroup::create(
        ranks, [](int) -> Result<std::unique_ptr<Backend>> { return createCpuBackend(); },
        [ranks](auto) -> Result<std::unique_ptr<CollectiveGroup>> { return joinInProcess(ranks); });
}

tl::expected<std::shared_ptr<RankGroup>, Refusal> rankGroupOf(const KnownModule &known, int ranks)
{
    const auto opened = openModule(known);
    if (!opened)
        return tl::unexpected(opened.error());
    const BackendModule &module = **opened;
    const int devices = module.devices ? module.devices() : 1;
    if (devices < ranks || !module.createOn || !module.join)
        return tl::unexpected(refusalOf(known,
                                        fmt::format("{} GPUs were asked for and {} can be used here: give fewer", ranks, devices),
                                        false, ErrorKind::BadInput));
    auto group = RankGroup::create(
        ranks,
        [&](int rank) -> Result<std::unique_ptr<Backend>> {
            std::string reason;
            std::unique_ptr<Backend> backend(module.createOn(rank, &reason));
            if (!backend)
                return failed(reason);
            return backend;
        },
        [&](std::span<const std::shared_ptr<Backend>> backends) -> Result<std::unique_ptr<CollectiveGroup>> {
            std::string reason;
            std::unique_ptr<CollectiveGroup> joined(module.join(backends, &reason));
            if (!joined)
                return failed(reason);
            return joined;
        });
    if (!group)
        return tl::unexpected(refusalOf(known, group.error().message));
    return std::move(*group);
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

Result<std::shared_ptr<RankGroup>> createRankGroup(std::string_view name, int ranks)
{
    if (name == "cpu")
        return rankGroupOfCpu(ranks);
    for (const KnownModule &known : modules) {
        if (name != known.name && name != "auto")
            continue;
        auto group = rankGroupOf(known, ranks);
        if (group)
            return std::move(*group);
        const Refusal &refusal = group.error();
        return tl::unexpected(Error{refusal.kind, refusal.line + ", or use --backend cpu, whose ranks share the processor"});
    }
    return badInput(fmt::format("backend {}: not known: use auto, {}", name, fmt::join(backendNames(), " or ")));
}

} // namespace zigzag
