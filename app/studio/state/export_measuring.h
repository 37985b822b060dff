// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/run_controller.h"
#include "engine/map/head_map.h"

namespace zigzag {

class ExportDialog;

/// Joins the dialog's button to the runs, as long as the dialog lives: the map is measured with the model that is loaded, shows
/// how far it is, and stops when it is asked to or the dialog is closed.
void joinMeasuring(ExportDialog &dialog, RunController &runs, const HeadMap &map);

} // namespace zigzag
