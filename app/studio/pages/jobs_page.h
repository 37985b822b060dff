// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

class QLabel;
class QTreeView;

namespace zigzag {

/// What runs, what waits and what has ended: how far it is and how long it will still take; to be stopped, taken up again, or
/// taken along as a line of the command line.
class JobsPage : public Page
{
    Q_OBJECT
public:
    JobsPage(Studio &studio, QWidget *parent);

Q_SIGNALS:
    /// The page of this name shows what a run found.
    void resultAsked(const QString &page);

protected:
    void refresh() override;

private:
    /// The chosen job, or where none is chosen the one that runs; -1: neither.
    int chosen() const;
    bool canRepeat(int row) const;
    void stop();
    void repeat();
    void copy();

    QTreeView *m_table;
    QLabel *m_hint;
    QAction *m_stop, *m_repeat, *m_copy, *m_clear;
};

} // namespace zigzag
