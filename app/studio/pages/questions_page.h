// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "app/studio/state/asked_elsewhere.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/questions/ruler.h"

#include <memory>
#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTextBrowser;
class QTreeView;
class QUrl;

namespace zigzag {

class AnswersModel;

/// Questions that maps are asked: a person's own file, or RULER's tasks. What maps answer beside full attention by task and
/// length, and which questions broke, to be read; of this session and of records that were opened.
class QuestionsPage : public Page
{
    Q_OBJECT
public:
    QuestionsPage(Studio &studio, QWidget *parent);

    /// A record that `eval --out` or this page wrote.
    Result<void> openAnswers(const QString &path);
    /// One of those that the studio has, by its place.
    void showAnswers(int place) { listRecords(place); }

Q_SIGNALS:
    /// The answers of full attention and of this map to a question of the record that is shown.
    void answersAsked(const zigzag::AskedElsewhere &question);

protected:
    void refresh() override;
    void changeEvent(QEvent *event) override;

private:
    using SharedQuestions = std::shared_ptr<const std::vector<Question>>;
    QWidget *buildQuestions();
    /// What the fields ask for; the error says which of them is wrong.
    Result<RulerPlan> rulerPlan() const;
    void ask();
    void chooseFile();
    void saveRecord();
    /// A record so far, or a whole one, of a run of this window.
    void take(int run, const QString &name, const AnswersRecord &record, const SharedQuestions &questions);
    /// The list of records as the studio has them, and the one at a place shown.
    void listRecords(int place);
    void showRecord();
    void showBroken();
    void hearLink(const QUrl &link);
    void askFirstBroken();
    /// A question of the record by its place.
    void askAgain(std::size_t place);
    const AnswersRecord *current() const;
    /// Of the row that is chosen, its place in the record; 0: none is.
    std::size_t shownMap() const;

    int m_runs = 0; ///< that were asked for here
    QString m_file; ///< of questions; empty: RULER's tasks
    QComboBox *m_source;
    QLineEdit *m_tasks;
    QLineEdit *m_lengths;
    QLineEdit *m_trials;
    QComboBox *m_maps;
    QPushButton *m_ask;
    QComboBox *m_record;
    QLabel *m_hint;
    AnswersModel *m_model;
    QTreeView *m_table;
    QTextBrowser *m_broken;
    QAction *m_save;
};

} // namespace zigzag
