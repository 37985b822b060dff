// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

namespace zigzag::test {

/// Counts what comes from the screen to windows that hear it: whether something came at all, not what became of it. So a key or a
/// click that got lost on its way is told from one that the window ignores, and only the first is sent again.
class Arrivals : public QObject
{
public:
    Arrivals();
    bool eventFilter(QObject *watched, QEvent *event) override;

    int keys() const { return m_keys; } ///< but those that are held while others are pressed
    int clicks() const { return m_clicks; } ///< of the mouse's buttons

private:
    int m_keys = 0, m_clicks = 0;
};

} // namespace zigzag::test
