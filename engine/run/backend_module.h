// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"
#include "engine/run/collective.h"

#include <cstdint>
#include <string>

namespace zigzag {

/// Counts the interface between the engine and a backend that is a module of its own: one more for every change of `Backend`, of
/// what its ops take, or of what they mean.
inline constexpr std::uint32_t backendInterface = 5;

/// The sizes of what passes through that interface, which notice most of the changes that nobody counted.
constexpr std::uint32_t backendLayout()
{
    std::uint32_t layout = 0;
    for (const std::size_t size :
         {sizeof(Backend),       sizeof(Buffer),       sizeof(Matrix),         sizeof(Recording),    sizeof(TensorView),
          sizeof(DeviceInfo),    sizeof(Capabilities), sizeof(DeviceCeilings), sizeof(SequenceRows), sizeof(HeadCache),
          sizeof(Product),       sizeof(EmbedArgs),    sizeof(RmsNormArgs),    sizeof(MatmulArgs),   sizeof(RopeAppendArgs),
          sizeof(AttentionArgs), sizeof(CommitArgs),   sizeof(SwiGluArgs),     sizeof(ExpertsArgs),  sizeof(CopyHeadsArgs),
          sizeof(NextTokenArgs), sizeof(SoftCapArgs),  sizeof(SumArgs),        sizeof(GatherArgs)})
        layout = layout * 31 + static_cast<std::uint32_t>(size);
    return layout;
}

/// What a module exports, as `zigzagBackendModule`. The first two members stay where they are whatever changes behind them: they
/// are read before anything else is believed.
struct BackendModule {
    std::uint32_t interface = backendInterface;
    std::uint32_t layout = backendLayout();
    /// Null, and the reason for a person, where there is no device that it can use.
    Backend *(*create)(std::string *reason) = nullptr;
    // Of a module that runs a model on several devices together; else null.
    int (*devices)() = nullptr; ///< how many it can use
    /// On the thread that will run the backend: on one of them, 0 ≤ device < devices().
    Backend *(*createOn)(int device, std::string *reason) = nullptr;
    /// Of backends of `createOn`, [ranks]; they outlive the group.
    CollectiveGroup *(*join)(std::span<const std::shared_ptr<Backend>> backends, std::string *reason) = nullptr;
};

/// What a Result holds, as a module passes it on.
template <class Value> Value *releasedOr(std::string *reason, Result<std::unique_ptr<Value>> made)
{
    if (made)
        return made->release();
    *reason = std::move(made.error().message);
    return nullptr;
}

} // namespace zigzag

extern "C" __attribute__((visibility("default"))) const zigzag::BackendModule zigzagBackendModule;

/// In one source of a module: what it exports. `function` returns a Result<std::unique_ptr<Backend>>.
#define ZIGZAG_BACKEND_MODULE(function)                                                                                          \
    const zigzag::BackendModule zigzagBackendModule                                                                              \
        = {.create = [](std::string *reason) { return zigzag::releasedOr(reason, function()); }};

/// The same of one that runs several devices together: `on` takes a device, `joined` the backends, and returns a
/// Result<std::unique_ptr<CollectiveGroup>>.
#define ZIGZAG_BACKEND_MODULE_OF_SEVERAL(function, count, on, joined)                                                            \
    const zigzag::BackendModule zigzagBackendModule                                                                              \
        = {.create = [](std::string *reason) { return zigzag::releasedOr(reason, function()); },                                 \
           .devices = count,                                                                                                     \
           .createOn = [](int device, std::string *reason) { return zigzag::releasedOr(reason, on(device)); },                   \
           .join = [](std::span<const std::shared_ptr<zigzag::Backend>> backends,                                                \
                      std::string *reason) { return zigzag::releasedOr(reason, joined(backends)); }};
