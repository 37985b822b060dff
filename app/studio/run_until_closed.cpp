// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/run_until_closed.h"

#include "app/studio/main_window.h"

#include <QApplication>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace zigzag {

int runUntilClosed(MainWindow &window)
{
    const int code = QApplication::exec();
    // One product of a very large model may take longer than a person waits for a window that is gone. Files are renamed into
    // place, so nothing is torn; the system takes the memory back.
    if (!window.runs().stop(std::chrono::milliseconds(1200))) {
        std::fflush(nullptr);
        std::_Exit(code);
    }
    return code;
}

} // namespace zigzag
