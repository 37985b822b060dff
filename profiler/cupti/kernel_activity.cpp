// SPDX-License-Identifier: GPL-3.0-or-later
// CUPTI's activity interface (CUDA Profiling Tools Interface, "Activity API"): concurrent kernels; external correlation records,
// which tie a launch to the id that was pushed on the launching thread; and the resource callbacks that tell of graph nodes,
// which tie a kernel of a graph to the id that was pushed when it was captured.
#include "profiler/cupti/kernel_activity.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cupti.h>
#include <cxxabi.h>
#include <limits>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace zigzag {
namespace {

constexpr auto kind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
// External ids are tied to records of calls, so these are needed too: kernels are launched through both interfaces.
constexpr CUpti_ActivityKind activities[] = {CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, CUPTI_ACTIVITY_KIND_RUNTIME,
                                             CUPTI_ACTIVITY_KIND_DRIVER, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL};
constexpr std::size_t callsPerKernel = 16; ///< at most that ids are kept of: attributes are set and streams asked too
constexpr CUpti_CallbackId nodeCallbacks[] = {CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED};

std::string readable(const char *name)
{
    if (!name)
        return "unnamed";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return status == 0 ? text.get() : name;
}

std::string textOf(CUptiResult result)
{
    const char *text = nullptr;
    cuptiGetResultString(result, &text);
    return std::string("CUPTI: ") + (text ? text : "unknown error");
}

struct Kernel {
    std::uint64_t beginNs = 0, endNs = 0, node = 0; ///< node: of a graph; 0: none
    const char *name = nullptr; ///< CUPTI keeps it
    std::uint32_t launch = 0, stream = 0; ///< launch: the correlation id of the call
};

/// What the callbacks fill; those of buffers have no argument of ours, so there is one of it. Neither mutex is held while
/// CUPTI is called: it has locks of its own.
struct Collected {
    std::atomic<std::size_t> bufferBytes{0};
    std::atomic<int> mostBuffers{0}, buffers{0};
    std::atomic<std::int64_t> dropped{0};

    std::mutex mutex;
    std::size_t mostKernels = 0;
    std::unordered_map<std::uint32_t, std::uint64_t> idOfLaunch; ///< by correlation id
    std::vector<Kernel> kernels;

    std::mutex nodeMutex;
    std::unordered_map<std::uint64_t, std::uint64_t> idOfNode; ///< by the id of a graph's node
};
Collected &collected()
{
    static Collected all;
    return all;
}

/// The ids that are pushed on this thread, the innermost last.
thread_local std::vector<std::uint64_t> pushed;

void CUPTIAPI giveBuffer(std::uint8_t **buffer, std::size_t *size, std::size_t *records)
{
    Collected &all = collected();
    *records = 0; // as many as there is room for
    *buffer = nullptr;
    *size = 0;
    if (all.buffers.fetch_add(1) < all.mostBuffers) {
        constexpr std::size_t alignment = 64; // CUPTI asks for 8
        *buffer = static_cast<std::uint8_t *>(std::aligned_alloc(alignment, all.bufferBytes));
        *size = *buffer ? all.bufferBytes.load() : 0;
    }
    if (!*buffer) // declined: CUPTI drops records, and counts them
        all.buffers.fetch_sub(1);
}

void noteDropped(CUcontext context, std::uint32_t stream)
{
    std::size_t dropped = 0;
    if (cuptiActivityGetNumDroppedRecords(context, stream, &dropped) == CUPTI_SUCCESS)
        collected().dropped += static_cast<std::int64_t>(dropped);
}

void CUPTIAPI takeBuffer(CUcontext context, std::uint32_t stream, std::uint8_t *buffer, std::size_t, std::size_t valid)
{
    Collected &all = collected();
    std::vector<Kernel> kernels;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> ties;
    std::int64_t untimed = 0;
    CUpti_Activity *record = nullptr;
    while (valid > 0 && cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
        if (record->kind == CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION) {
            const auto *tie = reinterpret_cast<const CUpti_ActivityExternalCorrelation *>(record);
            if (tie->externalKind == kind)
                ties.emplace_back(tie->correlationId, tie->externalId);
        } else if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
            const auto *kernel = reinterpret_cast<const CUpti_ActivityKernel10 *>(record);
            if (kernel->start == 0 || kernel->end < kernel->start)
                ++untimed;
            else
                kernels.push_back(
                    {kernel->start, kernel->end, kernel->graphNodeId, kernel->name, kernel->correlationId, kernel->streamId});
        }
    }
    noteDropped(context, stream);
    std::free(buffer);
    all.buffers.fetch_sub(1);
    all.dropped += untimed;
    const std::lock_guard lock(all.mutex);
    for (const auto &[launch, id] : ties)
        if (all.idOfLaunch.size() < callsPerKernel * all.mostKernels)
            all.idOfLaunch.emplace(launch, id);
    const std::size_t room = all.mostKernels - std::min(all.mostKernels, all.kernels.size()),
                      kept = std::min(room, kernels.size());
    all.kernels.insert(all.kernels.end(), kernels.begin(), kernels.begin() + static_cast<std::ptrdiff_t>(kept));
    all.dropped += static_cast<std::int64_t>(kernels.size() - kept);
}

/// While a stream is captured, a node is created under the ids of the op that launches it. An executable graph has clones of
/// these nodes, and it is the clones' ids that kernels name; nodes are created for it as well, outside of any op.
void CUPTIAPI noteNode(void *, CUpti_CallbackDomain domain, CUpti_CallbackId callback, const void *data)
{
    if (domain != CUPTI_CB_DOMAIN_RESOURCE || !data)
        return;
    const auto *graph = static_cast<const CUpti_GraphData *>(static_cast<const CUpti_ResourceData *>(data)->resourceDescriptor);
    if (!graph || graph->nodeType != CU_GRAPH_NODE_TYPE_KERNEL)
        return;
    Collected &all = collected();
    std::uint64_t node = 0, original = 0;
    if (cuptiGetGraphNodeId(graph->node, &node) != CUPTI_SUCCESS)
        return;
    if (callback == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED) {
        if (pushed.empty())
            return;
        const std::lock_guard lock(all.nodeMutex);
        all.idOfNode[node] = pushed.back();
    } else if (callback == CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED
               && cuptiGetGraphNodeId(graph->originalNode, &original) == CUPTI_SUCCESS) {
        const std::lock_guard lock(all.nodeMutex);
        if (const auto found = all.idOfNode.find(original); found != all.idOfNode.end()) {
            const std::uint64_t id = found->second; // the map may move what `found` points to
            all.idOfNode[node] = id;
        }
    }
}

/// CUPTI's clock is the system's, ours is the steady one: how far ours is ahead, by the closest of a few pairs of readings.
CUptiResult measureOffset(std::int64_t &offsetNs)
{
    constexpr int readings = 16;
    std::int64_t closest = std::numeric_limits<std::int64_t>::max();
    const auto now = [] {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
    for (int i = 0; i < readings; ++i) {
        std::uint64_t theirs = 0;
        const std::int64_t before = now();
        if (const CUptiResult result = cuptiGetTimestamp(&theirs); result != CUPTI_SUCCESS)
            return result;
        const std::int64_t after = now();
        if (after - before < closest) {
            closest = after - before;
            offsetNs = before + (after - before) / 2 - static_cast<std::int64_t>(theirs);
        }
    }
    return CUPTI_SUCCESS;
}

class CuptiActivity : public KernelActivity
{
public:
    ~CuptiActivity() override { end(); }

    /// "" when it records.
    std::string start(const KernelLimits &limits)
    {
        if (std::string reason = subscribe(); !reason.empty()) // before anything of a recording under way is touched
            return reason;
        Collected &all = collected();
        all.bufferBytes = (limits.bufferBytes + 63) / 64 * 64;
        all.mostBuffers = limits.mostBuffers;
        all.dropped = 0;
        {
            const std::lock_guard lock(all.mutex);
            all.mostKernels = limits.mostKernels;
            all.idOfLaunch.clear();
            all.kernels.clear();
        }
        {
            const std::lock_guard lock(all.nodeMutex);
            all.idOfNode.clear();
        }
        pushed.clear();
        if (const CUptiResult result = cuptiActivityRegisterCallbacks(giveBuffer, takeBuffer); result != CUPTI_SUCCESS)
            return textOf(result);
        for (const CUpti_CallbackId callback : nodeCallbacks)
            if (const CUptiResult result = cuptiEnableCallback(1, m_subscriber, CUPTI_CB_DOMAIN_RESOURCE, callback);
                result != CUPTI_SUCCESS)
                return textOf(result);
        for (const CUpti_ActivityKind activity : activities)
            if (const CUptiResult result = cuptiActivityEnable(activity); result != CUPTI_SUCCESS)
                return textOf(result);
        const CUptiResult result = measureOffset(m_offsetNs);
        return result == CUPTI_SUCCESS ? std::string() : textOf(result);
    }

    void push(std::uint64_t id) override
    {
        pushed.push_back(id);
        cuptiActivityPushExternalCorrelationId(kind, id);
    }
    void pop() override
    {
        std::uint64_t last = 0;
        cuptiActivityPopExternalCorrelationId(kind, &last);
        if (!pushed.empty())
            pushed.pop_back();
    }

    std::vector<KernelRecord> stop(std::int64_t &dropped) override
    {
        cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
        noteDropped(nullptr, 0);
        end();
        Collected &all = collected();
        const std::scoped_lock lock(all.mutex, all.nodeMutex);
        std::stable_sort(all.kernels.begin(), all.kernels.end(),
                         [](const Kernel &a, const Kernel &b) { return a.beginNs < b.beginNs; });
        std::unordered_map<const char *, std::string> names;
        std::vector<KernelRecord> records;
        records.reserve(all.kernels.size());
        for (const Kernel &kernel : all.kernels) {
            const auto [name, isNew] = names.try_emplace(kernel.name);
            if (isNew)
                name->second = readable(kernel.name);
            KernelRecord record;
            record.beginNs = static_cast<std::int64_t>(kernel.beginNs) + m_offsetNs;
            record.endNs = static_cast<std::int64_t>(kernel.endNs) + m_offsetNs;
            record.name = name->second;
            record.stream = kernel.stream;
            record.isReplayed = kernel.node != 0;
            if (const auto id = all.idOfLaunch.find(kernel.launch); id != all.idOfLaunch.end())
                record.launchedBy = static_cast<std::int64_t>(id->second);
            if (const auto id = all.idOfNode.find(kernel.node); id != all.idOfNode.end())
                record.recordedBy = static_cast<std::int64_t>(id->second);
            records.push_back(std::move(record));
        }
        all.kernels = {};
        all.idOfLaunch = {};
        dropped = all.dropped;
        return records;
    }

private:
    /// Only one subscriber can be there: this is how an attached profiler is noticed.
    std::string subscribe()
    {
        char other[CUPTI_OLD_SUBSCRIBER_NAME_MIN_LEN] = {};
        CUpti_SubscriberParams params = {};
        params.structSize = CUpti_SubscriberParams_STRUCT_SIZE;
        params.subscriberName = "Zigzag Studio";
        params.oldSubscriberName = other;
        params.oldSubscriberSize = sizeof(other);
        CUptiResult result = cuptiSubscribe_v2(&m_subscriber, noteNode, nullptr, &params);
        if (result != CUPTI_SUCCESS && result != CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
            result = cuptiSubscribe(&m_subscriber, noteNode, nullptr); // a driver that does not know names
        m_subscribed = result == CUPTI_SUCCESS;
        if (m_subscribed)
            return {};
        if (result != CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED)
            return textOf(result);
        other[sizeof(other) - 1] = '\0';
        return std::string("another profiler is attached to this process (") + (*other ? other : "Nsight Systems or Compute, say")
            + "): run without it";
    }

    void end()
    {
        if (!m_subscribed)
            return;
        for (const CUpti_ActivityKind activity : activities)
            cuptiActivityDisable(activity);
        for (const CUpti_CallbackId callback : nodeCallbacks)
            cuptiEnableCallback(0, m_subscriber, CUPTI_CB_DOMAIN_RESOURCE, callback);
        cuptiUnsubscribe(m_subscriber);
        m_subscribed = false;
    }

    CUpti_SubscriberHandle m_subscriber{};
    bool m_subscribed = false;
    std::int64_t m_offsetNs = 0; ///< of the host's steady clock against CUPTI's
};

} // namespace
} // namespace zigzag

extern "C" __attribute__((visibility("default"))) zigzag::KernelActivity *
zigzagStartKernelActivity(const zigzag::KernelLimits *limits, std::string *reason)
{
    auto activity = std::make_unique<zigzag::CuptiActivity>();
    *reason = activity->start(*limits);
    return reason->empty() ? activity.release() : nullptr;
}
