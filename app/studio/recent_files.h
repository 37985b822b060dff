// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSettings>
#include <QStringList>

namespace zigzag {

/// The files and models opened last, the newest first. Without settings it forgets with the window.
class RecentFiles
{
public:
    explicit RecentFiles(QSettings *settings);
    const QStringList &names() const { return m_names; }
    void add(const QString &name);
    void remove(const QString &name);

private:
    void store();

    QSettings *m_settings;
    QStringList m_names;
};

} // namespace zigzag
