// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/models/op_table_model.h"
#include "views/models/trace_model.h"

#include <memory>
#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QSplitter;
class QToolButton;

namespace zigzag {

class OpTableView;
struct TracePlan;
class TimelineView;

/// Where the time goes: traces recorded here or opened from files, as a timeline above and an op table below. The table counts
/// the stretch of time that is selected in the timeline.
class ProfilePage : public Page
{
    Q_OBJECT
public:
    ProfilePage(Studio &studio, QWidget *parent);

    TimelineView &timeline() { return *m_timeline; }
    OpTableView &opTable() { return *m_table; }
    const TraceModel &trace() const { return *m_trace; }
    /// A trace file, ours or Chrome's.
    Result<void> openTrace(const QString &path);
    QAction *recordAction() const { return m_record; }

protected:
    void refresh() override;
    void resizeEvent(QResizeEvent *event) override;

private:
    struct Shown {
        QString name;
        std::shared_ptr<const Trace> trace;
        bool fromFile = false; ///< stays when another model is opened
    };

    QWidget *buildBar();
    void record();
    void take(const TracePlan &plan, const std::shared_ptr<const Trace> &trace);
    /// What a person chose on this page: said to the other views.
    void choose(const std::vector<int> &layers, const std::vector<Op> &ops);
    void add(Shown shown, bool choose);
    void forgetRecorded();
    void showChosen();
    void fillTable();
    void shareRoom();
    void showArea();
    void showMatches();
    void showInfo();
    void stepMatch(bool backwards);

    std::vector<Shown> m_traces; // the newest last
    TraceModel *m_trace;
    OpTableModel *m_rows;
    TimelineView *m_timeline;
    OpTableView *m_table;
    QSplitter *m_split;
    QComboBox *m_choice;
    QComboBox *m_order;
    QComboBox *m_group;
    QLineEdit *m_search;
    QLabel *m_matches;
    QLabel *m_area;
    QLabel *m_info;
    QToolButton *m_clearArea;
    QAction *m_record;
    bool m_splitByHand = false;
    bool m_choosing = false; ///< the selection changes by what was chosen here
    ModelShape m_model; ///< that the traces belong to
};

} // namespace zigzag
