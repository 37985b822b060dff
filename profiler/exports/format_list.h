// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/exports/export_format.h"

namespace zigzag {

// Each is defined in the file of its name and listed in export_formats.cpp.
ExportFormat headMapFormat();
ExportFormat duoAttentionFormat();
ExportFormat kvpressFormat();
ExportFormat vllmFormat();
ExportFormat transformersFormat();
ExportFormat transformersCwmFormat();
ExportFormat mellumFormat();
ExportFormat mlxLmFormat();
ExportFormat sglangFormat();
ExportFormat lozaFormat();
// Both in refused.cpp: targets that people ask for, and why they cannot run a map.
ExportFormat tensorRtLlmFormat();
ExportFormat llamaCppFormat();

} // namespace zigzag
