// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCommandLineOption>
#include <QList>

namespace zigzag {

/// The manual page ("man"), or what a shell ("bash", "zsh", "fish") completes, on standard output. `files` is what may be opened.
/// False where the form is none of these.
bool describeProgram(const QString &form, const QString &about, const QString &files, const QList<QCommandLineOption> &options);

} // namespace zigzag
