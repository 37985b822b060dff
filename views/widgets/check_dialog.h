// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/check_job.h"

#include <QDialog>
#include <cstdint>
#include <string>
#include <vector>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTreeWidget;

namespace zigzag {

/// Asks for a server that somebody runs, and shows what it was found to do with the map: the ways in which it may run, which of
/// them it runs, and its times. It measures nothing itself.
class CheckDialog : public QDialog
{
    Q_OBJECT
public:
    /// `engine`: who serves the map, among those of servingEngines(); empty: ours. `contexts`: at which times may be taken.
    CheckDialog(const std::string &engine, std::vector<std::int64_t> contexts, QWidget *parent = nullptr);

    struct Choice {
        std::string server, key, servedName;
        std::string engine; ///< empty: ours
        std::vector<std::int64_t> contexts; ///< empty: no times
    };
    Choice choice() const;

    bool isChecking() const { return m_checking; }
    void showProgress(double fraction, const QString &text);
    void showFound(const jobs::ServerCheck &check);
    /// The check is over, with what it showed or with a reason why there is nothing to show.
    void endChecking(const QString &why = {});

Q_SIGNALS:
    void checkAsked();
    void checkCancelled();

private:
    void buildFields(QFormLayout &form, const std::string &engine);
    QTreeWidget *makeTable(const QString &name, const QString &accessible, const QStringList &titles);
    void toggleChecking();
    void showWays(const jobs::ServerCheck &check);
    void showTimes(const jobs::ServerCheck &check);

    const std::vector<std::int64_t> m_contexts;
    QLineEdit *m_server;
    QLineEdit *m_key;
    QLineEdit *m_servedName;
    QComboBox *m_engine;
    QCheckBox *m_takesTimes;
    QPushButton *m_check;
    QProgressBar *m_progress;
    QLabel *m_doing;
    QLabel *m_says;
    QTreeWidget *m_ways;
    QLabel *m_basis; ///< what the table of ways rests on
    QTreeWidget *m_times;
    QLabel *m_timesNote;
    bool m_checking = false;
};

} // namespace zigzag
