// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QString>
#include <filesystem>

class QUrl;

namespace zigzag {

// On Unix a file's name is bytes, and need not be UTF-8. Inside the window every name is a QString that keeps these bytes: one
// that is no UTF-8 becomes a lone surrogate U+DC80 to U+DCFF, as Python does it, and turns back into itself. QFile and QFileInfo
// know nothing of this: open files by the path.

QString textOfPath(const QByteArray &bytes);
QString textOfPath(const std::filesystem::path &path);
std::filesystem::path pathOf(const QString &text);
/// Of a local file, as a drop brings it: percent signs are undone to bytes.
QString textOfUrl(const QUrl &url);
/// For people and for files that must be UTF-8: what is none is a replacement character.
QString shownPath(const QString &text);
/// The last part of a path, for people.
QString shownFileName(const QString &text);
/// When a file was written; now, where that cannot be told.
QDateTime lastModified(const QString &text);
/// The same with percent signs (%FF), for settings, which keep only UTF-8; other names stay as they are.
QString storedPath(const QString &text);
QString restoredPath(const QString &stored);

} // namespace zigzag
