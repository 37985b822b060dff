// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

namespace zigzag::test {

/// A screen that nobody looks at: an X server of our own, where Debian's packages xvfb and xdotool are there. It ends with this
/// process, however that ends.
class Screen
{
public:
    /// Starts it and points Qt at it; otherwise Qt's offscreen platform, and events that Qt's test library makes.
    Screen();
    ~Screen();
    Screen(const Screen &) = delete;
    Screen &operator=(const Screen &) = delete;

    bool isReal() const { return m_server > 0; }

private:
    int m_server = -1; // its process
};

/// What a window manager would do, of which none runs on that screen: who opens gets the keyboard, and who closes gives it back.
class KeyboardKeeper : public QObject
{
public:
    using QObject::QObject;
    bool eventFilter(QObject *watched, QEvent *event) override;
};

} // namespace zigzag::test
