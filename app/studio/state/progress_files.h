// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>

namespace zigzag {

/// The file in which a run of the window waits when it was stopped, in the person's data folder: one for each `key`, so that the
/// same run finds it again. The file itself says word for word what it belongs to. Empty where there can be none.
QString progressFile(const QByteArray &key);

} // namespace zigzag
