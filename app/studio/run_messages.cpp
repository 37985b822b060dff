// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/run_messages.h"

#include <QCoreApplication>

namespace zigzag {

QString titleOf(const RunRequest &request)
{
    const auto tr = [](const char *text) { return QCoreApplication::translate("Runs", text); };
    switch (request.kind) {
    case RunKind::Load:
        return tr("Load %1").arg(QString::fromStdString(request.model));
    case RunKind::Calibrate:
        return tr("Calibrate predictions");
    case RunKind::Score:
        return tr("Score heads");
    case RunKind::Measure:
        return tr("Measure");
    case RunKind::Needle:
        return tr("Needle");
    case RunKind::Task:
        break;
    }
    return request.title.isEmpty() ? QString::fromStdString(request.task) : request.title;
}

} // namespace zigzag
