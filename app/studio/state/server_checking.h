// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace zigzag {

class CheckDialog;
class Studio;

/// Joins the dialog to the runs, as long as it lives: the map of the moment is held against the server, with the model that is
/// loaded; times become runs of the list. Stops when it is asked to or the dialog is closed.
void joinChecking(CheckDialog &dialog, Studio &studio);

} // namespace zigzag
