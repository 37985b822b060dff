// SPDX-License-Identifier: GPL-3.0-or-later
// A small profiler for NVTX, loaded through NVTX_INJECTION64_PATH: writes what it hears to the file in ZIGZAG_NVTX_LOG, a line an
// event. It uses NVTX's own interface for tools and nothing of Zigzag's.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nvtx3/nvToolsExt.h>
#include <string>

namespace {

struct Domain {
    std::string name;
    std::map<std::uint32_t, std::string> categories;
};

std::FILE *log()
{
    static std::FILE *const file = [] {
        const char *path = std::getenv("ZIGZAG_NVTX_LOG");
        return path ? std::fopen(path, "w") : nullptr;
    }();
    return file;
}

Domain *domainOf(nvtxDomainHandle_t handle)
{
    return reinterpret_cast<Domain *>(handle);
}

nvtxDomainHandle_t NVTX_API createDomain(const char *name)
{
    return reinterpret_cast<nvtxDomainHandle_t>(new Domain{name, {}});
}

nvtxStringHandle_t NVTX_API registerString(nvtxDomainHandle_t, const char *text)
{
    return reinterpret_cast<nvtxStringHandle_t>(new std::string(text));
}

void NVTX_API nameCategory(nvtxDomainHandle_t domain, std::uint32_t category, const char *name)
{
    domainOf(domain)->categories[category] = name;
}

int NVTX_API push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t *event)
{
    if (!log())
        return 0;
    const bool registered = event->messageType == NVTX_MESSAGE_TYPE_REGISTERED;
    const auto *name = reinterpret_cast<const std::string *>(event->message.registered);
    const auto &categories = domainOf(domain)->categories;
    const auto category = categories.find(event->category);
    std::fprintf(log(), "push %s %s %s ", domainOf(domain)->name.c_str(), registered ? name->c_str() : "?",
                 category == categories.end() ? (event->category == 0 ? "-" : "?") : category->second.c_str());
    if (event->payloadType == NVTX_PAYLOAD_TYPE_INT32)
        std::fprintf(log(), "%d\n", event->payload.iValue);
    else
        std::fprintf(log(), "%s\n", event->payloadType == NVTX_PAYLOAD_UNKNOWN ? "-" : "?");
    return 0;
}

int NVTX_API pop(nvtxDomainHandle_t domain)
{
    if (log())
        std::fprintf(log(), "pop %s\n", domainOf(domain)->name.c_str());
    return 0;
}

template <class Function> void set(NvtxFunctionTable table, unsigned size, unsigned id, Function function)
{
    if (id < size)
        *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
}

} // namespace

extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t exportTable)
{
    const auto *callbacks = static_cast<const NvtxExportTableCallbacks *>(exportTable(NVTX_ETID_CALLBACKS));
    NvtxFunctionTable table = nullptr;
    unsigned size = 0;
    if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size))
        return 0;
    set(table, size, NVTX_CBID_CORE2_DomainCreateA, createDomain);
    set(table, size, NVTX_CBID_CORE2_DomainRegisterStringA, registerString);
    set(table, size, NVTX_CBID_CORE2_DomainNameCategoryA, nameCategory);
    set(table, size, NVTX_CBID_CORE2_DomainRangePushEx, push);
    set(table, size, NVTX_CBID_CORE2_DomainRangePop, pop);
    return 1;
}
