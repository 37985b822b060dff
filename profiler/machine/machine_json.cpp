// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine/machine_json.h"

namespace zigzag {
namespace {

constexpr double fastest = 1e21; ///< bytes or operations per second: no machine is near it, and no product overflows
constexpr std::int64_t largestCache = std::int64_t{1} << 50;

struct Rate {
    const char *key;
    double MachineProfile::*member;
};
constexpr Rate rates[] = {{"read_bytes_per_second", &MachineProfile::readBytesPerSecond},
                          {"cached_read_bytes_per_second", &MachineProfile::cachedReadBytesPerSecond},
                          {"matrix_flops_f32", &MachineProfile::matrixFlopsF32},
                          {"matrix_flops_bf16", &MachineProfile::matrixFlopsBf16}};

} // namespace

nlohmann::ordered_json machineJson(const MachineProfile &machine)
{
    nlohmann::ordered_json out = {{"device", machine.device},
                                  {"threads", machine.threads},
                                  {"backend", machine.backend},
                                  {"on_processor", machine.onProcessor},
                                  {"driver", machine.driver},
                                  {"build", machine.build},
                                  {"last_level_cache_bytes", machine.lastLevelCacheBytes},
                                  {"prefill_chunk", machine.prefillChunk}};
    for (const Rate &rate : rates)
        out[rate.key] = machine.*rate.member;
    return out;
}

Result<MachineProfile> readMachine(const json::Value &value, const std::string &where)
{
    MachineProfile machine;
    const std::string inMachine = where + ", machine";
    ZIGZAG_TRY(device, json::stringOr(value, "device", {}, inMachine));
    ZIGZAG_TRY(backend, json::stringOr(value, "backend", {}, inMachine));
    // Files from before this key know two backends, of which the GPU's is one.
    ZIGZAG_TRY(onProcessor, json::booleanOr(value, "on_processor", backend != "cuda", inMachine));
    ZIGZAG_TRY(driver, json::stringOr(value, "driver", {}, inMachine));
    ZIGZAG_TRY(build, json::stringOr(value, "build", {}, inMachine));
    ZIGZAG_TRY(threads, json::integerOr(value, "threads", 0, 0, 1 << 20, inMachine));
    ZIGZAG_TRY(chunk, json::integerOr(value, "prefill_chunk", 0, 0, std::int64_t{1} << 31, inMachine));
    ZIGZAG_TRY(cache, json::integerOr(value, "last_level_cache_bytes", 0, 0, largestCache, inMachine));
    machine.device = device;
    machine.backend = backend;
    machine.onProcessor = onProcessor;
    machine.driver = driver;
    machine.build = build;
    machine.threads = static_cast<int>(threads);
    machine.prefillChunk = chunk;
    machine.lastLevelCacheBytes = cache;
    for (const Rate &rate : rates) {
        ZIGZAG_TRY(perSecond, json::numberOr(value, rate.key, 0.0, 0.0, fastest, inMachine));
        machine.*rate.member = perSecond;
    }
    return machine;
}

} // namespace zigzag
