// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"
#include "profiler/base/run_types.h"

#include <atomic>
#include <functional>

namespace zigzag {

/// Which machine it is, without its ceilings: nothing is measured.
MachineProfile machineOf(const Backend &backend);

/// Measures read bandwidth and matrix rate with the backend's own threads; a second or two. `config` gives the shapes of
/// the matrix products, so that a floor speaks of the products the model really has. progress: 0 to 1, on the calling thread.
MachineProfile measureMachine(Backend &backend, const ModelConfig &config, const std::atomic<bool> *cancel = nullptr,
                              const std::function<void(double)> &progress = {});

/// Takes the better of two measurements of the same machine, so that what else ran during one of them lowers no ceiling.
void raiseCeilings(MachineProfile &machine, const MachineProfile &again);

} // namespace zigzag
