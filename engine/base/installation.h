// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

namespace zigzag {

/// The file that this code runs from: the shared library of an installed engine, or the program that the engine is a part of.
std::filesystem::path ownFile();

/// Where `relative`, a path below the prefix of an installation ("share/zigzag-studio/resources"), lies in the one that the own
/// file belongs to; empty where it belongs to none.
std::filesystem::path installedPath(const std::filesystem::path &relative);

/// A module that is loaded at run time: beside the own file, as a build has it, or in lib/zigzag of its installation. Empty where
/// it is in neither.
std::filesystem::path moduleFile(const std::filesystem::path &name);

} // namespace zigzag
