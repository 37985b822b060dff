// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/exports/export_format.h"

#include <QDialog>

class QLabel;
class QTreeWidget;

namespace zigzag {

/// The targets that a map can be exported to, each with its verdict: what that target keeps of the map.
class ExportDialog : public QDialog
{
    Q_OBJECT
public:
    /// `model` may be null: then the targets that need its config say so.
    ExportDialog(const HeadMap &map, const ExportModel *model, QWidget *parent = nullptr);
    /// What was chosen; null where the target refuses the map.
    const ExportFormat *format() const;

private:
    QTreeWidget *m_formats;
    QLabel *m_note;
};

} // namespace zigzag
