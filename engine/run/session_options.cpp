// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/session_options.h"

#include <fmt/format.h>

namespace zigzag {

std::string_view nameOf(MixedMode mode)
{
    return mode == MixedMode::Fused ? "fused" : mode == MixedMode::TwoLaunch ? "two-launch" : "reference";
}

Result<MixedMode> parseMixedMode(std::string_view name)
{
    for (MixedMode mode : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference})
        if (name == nameOf(mode))
            return mode;
    return badInput(fmt::format("'{}' is no way to run mixed layers: choose fused, two-launch or reference", name));
}

} // namespace zigzag
