// SPDX-License-Identifier: GPL-3.0-or-later
// CUPTI's activity interface (CUDA Profiling Tools Interface, "Activity API"): concurrent kernels, and external correlation
// records that tie a kernel's launch to the id that was pushed on the launching thread.
#include "profiler/cupti/kernel_activity.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cupti.h>
#include <cxxabi.h>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace zigzag {
namespace {

constexpr std::size_t bufferBytes = 1 << 20;
constexpr int mostBuffers = 64; ///< handed out at a time; beyond, CUPTI drops and counts
constexpr auto kind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
constexpr CUpti_ActivityKind activities[] = {CUPTI_ACTIVITY_KIND_RUNTIME, CUPTI_ACTIVITY_KIND_DRIVER,
                                             CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL};

std::string readable(const char *name)
{
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return status == 0 ? text.get() : name;
}

/// What the callbacks fill; they have no argument of ours, so there is one of it.
struct Collected {
    std::mutex mutex;
    std::unordered_map<std::uint32_t, std::uint64_t> idOfLaunch; ///< by correlation id
    std::vector<std::pair<std::uint32_t, KernelRecord>> kernels; ///< with their correlation ids
    std::int64_t dropped = 0;
    std::atomic<int> buffers{0};
};
Collected &collected()
{
    static Collected all;
    return all;
}

void CUPTIAPI giveBuffer(std::uint8_t **buffer, std::size_t *size, std::size_t *records)
{
    *records = 0;
    *buffer = nullptr;
    *size = 0;
    if (collected().buffers.fetch_add(1) >= mostBuffers) {
        collected().buffers.fetch_sub(1);
        return;
    }
    *buffer = static_cast<std::uint8_t *>(std::aligned_alloc(64, bufferBytes));
    *size = *buffer ? bufferBytes : 0;
}

void CUPTIAPI takeBuffer(CUcontext context, std::uint32_t stream, std::uint8_t *buffer, std::size_t, std::size_t valid)
{
    Collected &all = collected();
    const std::lock_guard lock(all.mutex);
    CUpti_Activity *record = nullptr;
    while (valid > 0 && cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
        if (record->kind == CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION) {
            const auto *tie = reinterpret_cast<const CUpti_ActivityExternalCorrelation *>(record);
            if (tie->externalKind == kind)
                all.idOfLaunch[tie->correlationId] = tie->externalId;
        } else if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
            const auto *kernel = reinterpret_cast<const CUpti_ActivityKernel9 *>(record);
            all.kernels.emplace_back(kernel->correlationId,
                                     KernelRecord{.beginNs = static_cast<std::int64_t>(kernel->start),
                                                  .endNs = static_cast<std::int64_t>(kernel->end),
                                                  .name = readable(kernel->name),
                                                  .stream = kernel->streamId});
        }
    }
    std::size_t dropped = 0;
    if (cuptiActivityGetNumDroppedRecords(context, stream, &dropped) == CUPTI_SUCCESS)
        all.dropped += static_cast<std::int64_t>(dropped);
    std::free(buffer);
    all.buffers.fetch_sub(1);
}

void CUPTIAPI ignore(void *, CUpti_CallbackDomain, CUpti_CallbackId, const void *)
{ }

class CuptiActivity : public KernelActivity
{
public:
    ~CuptiActivity() override { end(); }

    /// "" when it records.
    std::string start()
    {
        Collected &all = collected();
        {
            const std::lock_guard lock(all.mutex);
            all.idOfLaunch.clear();
            all.kernels.clear();
            all.dropped = 0;
        }
        // Only one subscriber can be there: this is how an attached profiler is noticed.
        if (const CUptiResult result = cuptiSubscribe(&m_subscriber, ignore, nullptr); result != CUPTI_SUCCESS)
            return result == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED
                ? "another profiler (Nsight Systems or Compute, say) is attached to this process: run without it"
                : textOf(result);
        m_subscribed = true;
        if (const CUptiResult result = cuptiActivityRegisterCallbacks(giveBuffer, takeBuffer); result != CUPTI_SUCCESS)
            return textOf(result);
        for (const CUpti_ActivityKind activity : activities)
            if (const CUptiResult result = cuptiActivityEnable(activity); result != CUPTI_SUCCESS)
                return textOf(result);
        std::uint64_t theirs = 0;
        if (const CUptiResult result = cuptiGetTimestamp(&theirs); result != CUPTI_SUCCESS)
            return textOf(result);
        const auto ours = std::chrono::steady_clock::now().time_since_epoch();
        m_offsetNs = std::chrono::duration_cast<std::chrono::nanoseconds>(ours).count() - static_cast<std::int64_t>(theirs);
        return {};
    }

    void push(std::uint64_t id) override { cuptiActivityPushExternalCorrelationId(kind, id); }
    void pop() override
    {
        std::uint64_t last = 0;
        cuptiActivityPopExternalCorrelationId(kind, &last);
    }

    std::vector<KernelRecord> stop(std::int64_t &dropped) override
    {
        cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
        end();
        Collected &all = collected();
        const std::lock_guard lock(all.mutex);
        std::vector<KernelRecord> kernels;
        for (auto &[launch, kernel] : all.kernels) {
            kernel.beginNs += m_offsetNs;
            kernel.endNs += m_offsetNs;
            if (const auto id = all.idOfLaunch.find(launch); id != all.idOfLaunch.end())
                kernel.launchedBy = static_cast<std::int64_t>(id->second);
            kernels.push_back(std::move(kernel));
        }
        all.kernels.clear();
        dropped = all.dropped;
        std::stable_sort(kernels.begin(), kernels.end(),
                         [](const KernelRecord &a, const KernelRecord &b) { return a.beginNs < b.beginNs; });
        return kernels;
    }

private:
    static std::string textOf(CUptiResult result)
    {
        const char *text = nullptr;
        cuptiGetResultString(result, &text);
        return std::string("CUPTI: ") + (text ? text : "unknown error");
    }

    void end()
    {
        if (!m_subscribed)
            return;
        for (const CUpti_ActivityKind activity : activities)
            cuptiActivityDisable(activity);
        cuptiUnsubscribe(m_subscriber);
        m_subscribed = false;
    }

    CUpti_SubscriberHandle m_subscriber{};
    bool m_subscribed = false;
    std::int64_t m_offsetNs = 0; ///< of the host's steady clock against CUPTI's
};

} // namespace
} // namespace zigzag

extern "C" __attribute__((visibility("default"))) zigzag::KernelActivity *zigzagStartKernelActivity(std::string *reason)
{
    auto activity = std::make_unique<zigzag::CuptiActivity>();
    *reason = activity->start();
    return reason->empty() ? activity.release() : nullptr;
}
