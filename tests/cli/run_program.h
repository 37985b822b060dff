// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zigzag::test {

struct ProgramResult {
    int code = -1; ///< exit code; 128 + signal where it was killed
    std::string output;
    std::string errors;
};

struct ProgramOptions {
    bool asNobody = false; ///< drops root's rights first, so that permissions mean something
    std::string outputFile = {}; ///< standard output goes there and is not returned
    std::vector<std::string> environment = {}; ///< "NAME=value", added to this process's
    std::string program = {}; ///< another copy of the program
};

/// Runs the zigzag program of this build to its end.
ProgramResult runZigzag(const std::vector<std::string> &arguments, const ProgramOptions &options = {});

/// The contract of a refusal: the code, nothing on standard output, one line on standard error that begins with "error: ".
/// Returns what is wrong, or an empty text.
std::string refusalFault(const ProgramResult &result, int code);

} // namespace zigzag::test
