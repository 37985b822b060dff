// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <cstdint>
#include <string>

namespace zigzag {

/// Counts the interface between the engine and a backend that is a module of its own: one more for every change of `Backend`, of
/// what its ops take, or of what they mean.
inline constexpr std::uint32_t backendInterface = 4;

/// The sizes of what passes through that interface, which notice most of the changes that nobody counted.
constexpr std::uint32_t backendLayout()
{
    std::uint32_t layout = 0;
    for (const std::size_t size :
         {sizeof(Backend),       sizeof(Buffer),       sizeof(Matrix),         sizeof(Recording),    sizeof(TensorView),
          sizeof(DeviceInfo),    sizeof(Capabilities), sizeof(DeviceCeilings), sizeof(SequenceRows), sizeof(HeadCache),
          sizeof(Product),       sizeof(EmbedArgs),    sizeof(RmsNormArgs),    sizeof(MatmulArgs),   sizeof(RopeAppendArgs),
          sizeof(AttentionArgs), sizeof(CommitArgs),   sizeof(SwiGluArgs),     sizeof(ExpertsArgs),  sizeof(CopyHeadsArgs),
          sizeof(NextTokenArgs), sizeof(SoftCapArgs)})
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
};

} // namespace zigzag

extern "C" __attribute__((visibility("default"))) const zigzag::BackendModule zigzagBackendModule;

/// In one source of a module: what it exports. `function` returns a Result<std::unique_ptr<Backend>>.
#define ZIGZAG_BACKEND_MODULE(function)                                                                                          \
    const zigzag::BackendModule zigzagBackendModule = {.create = [](std::string *reason) -> zigzag::Backend * {                  \
        auto backend = function();                                                                                               \
        if (backend)                                                                                                             \
            return backend->release();                                                                                           \
        *reason = backend.error().message;                                                                                       \
        return nullptr;                                                                                                          \
    }};
