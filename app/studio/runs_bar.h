// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/studio.h"
#include "views/models/run_pace.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QToolBar>

class QComboBox;
class QLabel;
class QProgressBar;
class QToolButton;

namespace zigzag {

/// The tool bar: what can be run, what the views speak of, how far the current run has come, and what waits behind it.
class RunsBar : public QToolBar
{
    Q_OBJECT
public:
    RunsBar(Studio &studio, const QList<QAction *> &runs, QAction *cancel, QWidget *parent);

    /// Whether a widget belongs to the current run and its queue: Esc there stops the run.
    bool isProgress(const QWidget *widget) const;

private:
    void buildProgress();
    void showContexts();
    void showBusy();
    void showQueue();
    void showProgress();
    double now() const { return 1e-3 * static_cast<double>(m_clock.elapsed()); }

    Studio &m_studio;
    QAction *m_cancel;
    QComboBox *m_context;
    QComboBox *m_phase;
    QProgressBar *m_progress;
    QLabel *m_progressText;
    QToolButton *m_queue; ///< how many wait; its menu names them, and takes them out
    QList<QAction *> m_whileBusy; ///< parts that are there during a run
    QAction *m_whileQueued = nullptr;
    RunPace m_pace;
    QElapsedTimer m_clock;
    QTimer m_tick; ///< the time left goes on between what the run says
    QString m_said; ///< by the run, of how far it is
};

} // namespace zigzag
