// SPDX-License-Identifier: GPL-3.0-or-later
// NVTX version 3 is headers alone: they load the library that NVTX_INJECTION64_PATH names, and do nothing without one.
#include "profiler/trace/nvtx_sink.h"

#include <array>
#include <nvtx3/nvToolsExt.h>

namespace zigzag {
namespace {

class NvtxSink : public TraceSink
{
public:
    explicit NvtxSink(nvtxDomainHandle_t domain)
        : m_domain(domain)
    {
        for (std::size_t i = 0; i < opNames.size(); ++i)
            m_names[i] = nvtxDomainRegisterStringA(domain, opNames[i].data());
        nvtxDomainNameCategoryA(domain, categoryOf(LayerKind::Retrieval), "retrieval");
        nvtxDomainNameCategoryA(domain, categoryOf(LayerKind::Streaming), "streaming");
        nvtxDomainNameCategoryA(domain, categoryOf(LayerKind::Mixed), "mixed");
        nvtxDomainNameCategoryA(domain, categoryOf(LayerKind::Local), "local");
    }

    void begin(const SpanInfo &span) override
    {
        nvtxEventAttributes_t event{};
        event.version = NVTX_VERSION;
        event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
        event.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
        event.message.registered = m_names[static_cast<std::size_t>(span.op)];
        if (span.layer >= 0) {
            event.category = categoryOf(span.kind);
            event.payloadType = NVTX_PAYLOAD_TYPE_INT32;
            event.payload.iValue = span.layer;
        }
        nvtxDomainRangePushEx(m_domain, &event);
    }
    void end() override { nvtxDomainRangePop(m_domain); }

private:
    static std::uint32_t categoryOf(LayerKind kind) { return 1 + static_cast<std::uint32_t>(kind); } // 0 is no category

    nvtxDomainHandle_t m_domain;
    std::array<nvtxStringHandle_t, opNames.size()> m_names{};
};

} // namespace

TraceSink *attachedNvtxSink()
{
    static NvtxSink *const sink = [] {
        // A null handle is NVTX's own way to say that nothing listens. Never freed: tools may read the names until the end.
        const nvtxDomainHandle_t domain = nvtxDomainCreateA("zigzag");
        return domain ? new NvtxSink(domain) : nullptr;
    }();
    return sink;
}

bool hasNvtx()
{
    return true;
}

} // namespace zigzag
