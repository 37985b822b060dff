// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/recent_files.h"

#include "views/models/native_path.h"

namespace zigzag {

namespace {
constexpr qsizetype most = 10;
const QString key = QStringLiteral("recent");
} // namespace

RecentFiles::RecentFiles(QSettings *settings)
    : m_settings(settings)
{
    if (m_settings)
        for (const QString &stored : m_settings->value(key).toStringList().mid(0, most))
            m_names << restoredPath(stored);
}

void RecentFiles::add(const QString &name)
{
    m_names.removeAll(name);
    m_names.prepend(name);
    m_names = m_names.mid(0, most);
    store();
}

void RecentFiles::remove(const QString &name)
{
    m_names.removeAll(name);
    store();
}

void RecentFiles::store()
{
    if (!m_settings)
        return;
    QStringList stored;
    for (const QString &name : m_names)
        stored << storedPath(name);
    m_settings->setValue(key, stored);
}

} // namespace zigzag
