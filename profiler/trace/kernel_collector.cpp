// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/kernel_collector.h"

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <unordered_map>

namespace zigzag {

Result<std::unique_ptr<KernelCollector>> KernelCollector::start(const TraceRecorder &recorder)
{
    std::error_code ignored;
    const auto file = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "zigzag_cupti.so";
    if (!std::filesystem::exists(file, ignored))
        return failed("there is no zigzag_cupti.so beside the program: configure with -DZIGZAG_CUDA=ON to record kernels");
    void *module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return failed(fmt::format("{}: install the CUDA toolkit's CUPTI to record kernels", dlerror()));
    using Start = KernelActivity *(std::string *);
    const auto start = reinterpret_cast<Start *>(dlsym(module, "zigzagStartKernelActivity"));
    if (!start)
        return failed(fmt::format("{} is not of this version: build it again", file.string()));
    std::string reason;
    std::unique_ptr<KernelActivity> activity(start(&reason));
    if (!activity)
        return failed(reason);
    return std::unique_ptr<KernelCollector>(new KernelCollector(recorder, std::move(activity)));
}

void KernelCollector::begin(const SpanInfo &)
{
    // A span that the recorder dropped has no index: its kernels belong to none.
    m_activity->push(static_cast<std::uint64_t>(static_cast<std::int64_t>(m_recorder.current())));
}

void KernelCollector::addTo(Trace &trace)
{
    std::int64_t dropped = 0;
    const std::vector<KernelRecord> records = m_activity->stop(dropped);
    trace.dropped += dropped;
    addKernels(trace, records,
               std::chrono::duration_cast<std::chrono::nanoseconds>(m_recorder.origin().time_since_epoch()).count());
}

void addKernels(Trace &trace, const std::vector<KernelRecord> &records, std::int64_t originNs)
{
    std::map<std::uint32_t, std::uint16_t> rows;
    std::unordered_map<std::string, std::uint32_t> names;
    for (const KernelRecord &record : records) {
        const auto [row, isNewRow] = rows.emplace(record.stream, static_cast<std::uint16_t>(trace.rows.size()));
        if (isNewRow)
            trace.rows.push_back(fmt::format("GPU stream {}", record.stream));
        const auto [name, isNewName] = names.emplace(record.name, static_cast<std::uint32_t>(trace.kernelNames.size()));
        if (isNewName)
            trace.kernelNames.push_back(record.name);
        KernelSpan kernel;
        kernel.beginNs = std::max<std::int64_t>(0, record.beginNs - originNs);
        kernel.durationNs = std::max<std::int64_t>(0, record.endNs - record.beginNs);
        kernel.name = name->second;
        kernel.row = row->second;
        const auto spans = static_cast<std::int64_t>(trace.spans.size());
        kernel.span = record.launchedBy >= 0 && record.launchedBy < spans ? static_cast<std::int32_t>(record.launchedBy) : -1;
        trace.kernels.push_back(kernel);
    }
}

} // namespace zigzag
