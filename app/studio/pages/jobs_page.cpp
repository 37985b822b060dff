// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/jobs_page.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>
#include <algorithm>

namespace zigzag {

JobsPage::JobsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("jobs"), tr("Jobs"), parent)
    , m_table(new QTreeView(this))
    , m_hint(new QLabel(tr("Nothing has run yet. What runs and what waits stands here, and what has ended."), this))
{
    setGuidePage(QStringLiteral("window#jobs"));
    m_table->setObjectName(QStringLiteral("jobList"));
    m_table->setAccessibleName(tr("Jobs"));
    m_table->setModel(&studio.jobs());
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setAlternatingRowColors(true);
    m_table->setAllColumnsShowFocus(true);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->header()->setStretchLastSection(true);
    const int letter = fontMetrics().averageCharWidth();
    for (const auto &[column, letters] : {std::pair(JobList::What, 34), std::pair(JobList::State, 18),
                                          std::pair(JobList::Progress, 11), std::pair(JobList::Time, 16)})
        m_table->setColumnWidth(column, std::max(letter * letters, m_table->header()->sectionSizeHint(column)));
    setFocusProxy(m_table);
    m_stop = offer(PageMenu::Run, QStringLiteral("stopJob"), tr("&End or take out the chosen job"), {}, [this] { stop(); });
    m_repeat = offer(PageMenu::Run, QStringLiteral("repeatJob"), tr("&Go on with the chosen job, or run it again"), {},
                     [this] { repeat(); });
    m_copy
        = offer(PageMenu::Run, QStringLiteral("copyJobLine"), tr("Copy the chosen job as command &line"), {}, [this] { copy(); });
    m_clear = offer(PageMenu::View, QStringLiteral("clearJobs"), tr("&Forget the jobs that have ended"), {}, [this] {
        this->studio().jobs().clearEnded();
        refresh();
    });
    m_table->setContextMenuPolicy(Qt::ActionsContextMenu);
    m_table->addActions({m_stop, m_repeat, m_copy, m_clear});
    exhibit(tableExhibit(tr("the list of jobs"), QStringLiteral("jobs"), *m_table), m_table);
    m_hint->setObjectName(QStringLiteral("jobsHint"));
    m_hint->setWordWrap(true);
    m_hint->setMargin(fontMetrics().height() / 2);
    auto *bar = new QHBoxLayout;
    const int gap = fontMetrics().height() / 3;
    bar->setContentsMargins(gap, gap / 2, gap, gap / 2);
    for (const auto &[action, name] : {std::pair(m_stop, tr("Stop")), std::pair(m_repeat, tr("Run again")),
                                       std::pair(m_copy, tr("Copy as command line")), std::pair(m_clear, tr("Forget ended"))}) {
        action->setIconText(name);
        auto *button = new QToolButton(this);
        button->setDefaultAction(action);
        button->setAutoRaise(true);
        bar->addWidget(button);
    }
    bar->addStretch(1);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(bar);
    column->addWidget(m_hint);
    column->addWidget(m_table, 1);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &JobsPage::refresh);
    connect(m_table, &QTreeView::activated, this, [this](const QModelIndex &index) {
        if (const QString page = this->studio().jobs().job(index.row()).request.page; !page.isEmpty())
            Q_EMIT resultAsked(page);
    });
    connect(&studio.jobs(), &JobList::rowsInserted, this, &JobsPage::refresh);
    refresh();
}

int JobsPage::chosen() const
{
    const QModelIndexList rows = m_table->selectionModel()->selectedRows();
    return rows.isEmpty() ? studio().jobs().currentRow() : rows.front().row();
}

bool JobsPage::canRepeat(int row) const
{
    if (row < 0)
        return false;
    const Job &job = studio().jobs().job(row);
    return job.isOver() && job.request.canRepeat && studio().loaded() && studio().loaded()->name == job.request.ofModel;
}

void JobsPage::refresh()
{
    const JobList &jobs = studio().jobs();
    const int row = chosen();
    const bool any = jobs.rowCount() > 0;
    m_hint->setVisible(!any);
    m_stop->setEnabled(row >= 0 && !jobs.job(row).isOver());
    m_repeat->setEnabled(canRepeat(row));
    m_repeat->setIconText(row >= 0 && jobs.job(row).isOver() && jobs.job(row).state != Job::State::Done ? tr("Resume")
                                                                                                        : tr("Run again"));
    m_copy->setEnabled(row >= 0 && jobs.job(row).request.commandLine);
    m_clear->setEnabled(any);
}

void JobsPage::stop()
{
    const int row = chosen();
    if (row < 0)
        return;
    const Job &job = studio().jobs().job(row);
    if (job.state == Job::State::Running)
        studio().runs().cancel();
    else if (job.state == Job::State::Waiting)
        studio().runs().remove(job.request.id);
}

void JobsPage::repeat()
{
    if (const int row = chosen(); canRepeat(row))
        studio().runs().enqueue(studio().jobs().job(row).request);
}

void JobsPage::copy()
{
    if (const int row = chosen(); row >= 0)
        studio().copyLine(studio().jobs().job(row).request.commandLine);
}

} // namespace zigzag
