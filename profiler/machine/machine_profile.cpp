// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine/machine_profile.h"

#include "profiler/machine/matrix_rate.h"
#include "profiler/machine/read_meter.h"

#include <algorithm>
#include <sys/utsname.h>

namespace zigzag {

MachineProfile machineOf(const Backend &backend)
{
    const DeviceInfo device = backend.device();
    MachineProfile machine;
    machine.device = device.name;
    machine.threads = std::max(1, device.threads);
    machine.backend = backend.name();
    machine.onProcessor = backend.capabilities().onProcessor;
    machine.build = ZIGZAG_BUILD;
    machine.driver = device.driver;
    machine.prefillChunk = device.prefillChunk;
    if (utsname kernel{}; machine.driver.empty() && uname(&kernel) == 0)
        machine.driver = std::string(kernel.sysname) + ' ' + kernel.release;
    machine.lastLevelCacheBytes = device.lastLevelCacheBytes > 0 ? device.lastLevelCacheBytes : std::int64_t{32} << 20;
    return machine;
}

MachineProfile measureMachine(Backend &backend, const ModelConfig &config, const std::atomic<bool> *cancel,
                              const std::function<void(double)> &progress)
{
    const DeviceInfo device = backend.device();
    MachineProfile machine = machineOf(backend);
    if (const auto ceilings = backend.measureCeilings(cancel)) {
        machine.readBytesPerSecond = ceilings->readBytesPerSecond;
        machine.cachedReadBytesPerSecond = ceilings->cachedReadBytesPerSecond;
        machine.matrixFlopsF32 = ceilings->matrixFlopsF32;
        machine.matrixFlopsBf16 = ceilings->matrixFlopsBf16;
        return machine;
    }
    const auto done = [&](int steps) {
        if (progress)
            progress(0.25 * steps);
    };
    machine.readBytesPerSecond
        = ReadMeter(uncachedBytes(machine.lastLevelCacheBytes, device.memoryBytes), machine.threads).best(cancel);
    done(1);
    machine.cachedReadBytesPerSecond = ReadMeter(machine.lastLevelCacheBytes / 4, machine.threads).best(cancel);
    done(2);
    machine.matrixFlopsF32 = measureMatrixRate(config, DType::F32, machine.threads, cancel);
    done(3);
    machine.matrixFlopsBf16 = measureMatrixRate(config, DType::BF16, machine.threads, cancel);
    done(4);
    return machine;
}

void raiseCeilings(MachineProfile &machine, const MachineProfile &again)
{
    for (double MachineProfile::*rate : {&MachineProfile::readBytesPerSecond, &MachineProfile::cachedReadBytesPerSecond,
                                         &MachineProfile::matrixFlopsF32, &MachineProfile::matrixFlopsBf16})
        machine.*rate = std::max(machine.*rate, again.*rate);
}

} // namespace zigzag
