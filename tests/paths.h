// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace zigzag::test {

// Where this checkout and the program under test lie. Known to one small library alone, so that a test's object file does not
// depend on the folder it was built in, and a compiler cache serves every checkout.

/// The checkout's top folder, without a slash at its end.
std::string sourceDir();
/// The command line program of this build.
std::string zigzagProgram();

} // namespace zigzag::test
