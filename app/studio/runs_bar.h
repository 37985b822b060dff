// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/studio.h"

#include <QToolBar>

class QComboBox;
class QLabel;
class QProgressBar;

namespace zigzag {

/// The tool bar: what can be run, what the views speak of, and how far the current run has come.
class RunsBar : public QToolBar
{
    Q_OBJECT
public:
    RunsBar(Studio &studio, const QList<QAction *> &runs, QAction *cancel, QWidget *parent);

private:
    void showContexts();
    void showProgress();

    Studio &m_studio;
    QAction *m_cancel;
    QComboBox *m_context;
    QComboBox *m_phase;
    QProgressBar *m_progress;
    QLabel *m_progressText;
    QList<QAction *> m_whileBusy; ///< parts that are there during a run
};

} // namespace zigzag
