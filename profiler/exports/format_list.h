// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/exports/export_format.h"

namespace zigzag {

// Each is defined in the file of its name and listed in export_formats.cpp.
ExportFormat headMapFormat();
ExportFormat duoAttentionFormat();

} // namespace zigzag
