// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/progress_files.h"

#include <QCryptographicHash>
#include <QDir>
#include <QStandardPaths>

namespace zigzag {

QString progressFile(const QByteArray &key)
{
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/searches");
    if (!QDir().mkpath(folder))
        return {};
    return folder + QLatin1Char('/')
        + QString::fromLatin1(QCryptographicHash::hash(key, QCryptographicHash::Sha256).toHex().left(24))
        + QStringLiteral(".progress");
}

} // namespace zigzag
