// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/paths.h"

namespace zigzag::test {

std::string sourceDir()
{
    return ZIGZAG_SOURCE_DIR;
}

std::string zigzagProgram()
{
    return ZIGZAG_PROGRAM;
}

} // namespace zigzag::test
