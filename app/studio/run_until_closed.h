// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace zigzag {

class MainWindow;

/// The application's event loop until the window has closed, and the process's exit code. Where the worker does not leave its
/// run within 1.2 s after that, the process ends in here.
int runUntilClosed(MainWindow &window);

} // namespace zigzag
