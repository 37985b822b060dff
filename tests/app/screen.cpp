// SPDX-License-Identifier: GPL-3.0-or-later
#include "screen.h"

#include <QApplication>
#include <QEvent>
#include <QStandardPaths>
#include <QTimer>
#include <QWidget>

#include <array>
#include <csignal>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zigzag::test {

namespace {

/// In the child: becomes the X server, which writes the number of its display into `told`.
[[noreturn]] void becomeServer(int told)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string descriptor = std::to_string(told);
    // -r: a key whose release comes late, because the machine is busy, must not repeat.
    std::array<const char *, 11> words = {"Xvfb",      "-displayfd", descriptor.c_str(), "-screen", "0",    "1440x900x24",
                                          "-nolisten", "tcp",        "-noreset",         "-r",      nullptr};
    execvp(words[0], const_cast<char *const *>(words.data()));
    _exit(1);
}

} // namespace

Screen::Screen()
{
    const bool canHave = !QStandardPaths::findExecutable(QStringLiteral("Xvfb")).isEmpty()
        && !QStandardPaths::findExecutable(QStringLiteral("xdotool")).isEmpty();
    int ends[2] = {-1, -1};
    if (canHave && pipe(ends) == 0) {
        m_server = fork();
        if (m_server == 0)
            becomeServer(ends[1]);
        close(ends[1]);
        std::string number;
        for (char letter = 0; m_server > 0 && read(ends[0], &letter, 1) == 1 && letter != '\n';)
            number += letter;
        close(ends[0]);
        if (!number.empty()) {
            qputenv("DISPLAY", QByteArray::fromStdString(":" + number));
            qputenv("QT_QPA_PLATFORM", "xcb");
            return;
        }
    }
    m_server = -1;
    qputenv("QT_QPA_PLATFORM", "offscreen");
}

Screen::~Screen()
{
    if (!isReal())
        return;
    kill(m_server, SIGTERM);
    waitpid(m_server, nullptr, 0);
}

bool KeyboardKeeper::eventFilter(QObject *watched, QEvent *event)
{
    const bool opens = event->type() == QEvent::Show, closes = event->type() == QEvent::Hide;
    auto *widget = qobject_cast<QWidget *>(watched);
    if ((opens || closes) && widget && widget->isWindow()
        && (widget->windowType() == Qt::Window || widget->windowType() == Qt::Dialog))
        QTimer::singleShot(0, this, [] {
            QWidget *front = QApplication::activeModalWidget();
            for (QWidget *each : QApplication::topLevelWidgets())
                if (!front && each->isVisible() && each->windowType() == Qt::Window)
                    front = each;
            if (front)
                front->activateWindow();
        });
    return QObject::eventFilter(watched, event);
}

} // namespace zigzag::test
