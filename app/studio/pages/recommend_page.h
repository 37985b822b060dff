// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

class QLabel;
class QLineEdit;
class QPushButton;
class QTreeWidget;

namespace zigzag {

class ParetoPlot;

/// The answer in one go: what is planned while it runs, what has been tried so far, and at the end the map, what it saves and
/// costs, and the command that serves it.
class RecommendPage : public Page
{
    Q_OBJECT
public:
    RecommendPage(Studio &studio, QWidget *parent);

Q_SIGNALS:
    void recommendAsked();
    /// Of the recommended map, as `engine` serves it; empty: ours.
    void checkAsked(const QString &engine);
    void answersAsked(const QString &file);

protected:
    void refresh() override;

private:
    QWidget *makeText();
    QTreeWidget *makeTable();
    void showText();
    void showTried();
    void copyCommand();

    QLabel *m_headline;
    QLabel *m_text;
    QLineEdit *m_command;
    QWidget *m_serving; ///< the command, and its button
    QPushButton *m_ask, *m_open, *m_check, *m_answers;
    QTreeWidget *m_tried;
    ParetoPlot *m_plot;
    std::shared_ptr<const jobs::RecommendRecord> m_shown; ///< whose maps the table has
};

} // namespace zigzag
