// SPDX-License-Identifier: GPL-3.0-or-later
// A module of another version, or (ZIGZAG_SAME_INTERFACE) of another build of the same version. Whoever asks it for a backend all
// the same has believed what is behind the first two numbers.
#include "engine/run/backend_module.h"

#include <cstdlib>

#ifdef ZIGZAG_SAME_INTERFACE
constexpr std::uint32_t interface = zigzag::backendInterface, layout = zigzag::backendLayout() + 1;
#else
constexpr std::uint32_t interface = zigzag::backendInterface + 1, layout = zigzag::backendLayout();
#endif

const zigzag::BackendModule zigzagBackendModule = {interface, layout, [](std::string *) -> zigzag::Backend * { std::abort(); }};
