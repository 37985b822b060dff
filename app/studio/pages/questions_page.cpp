// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/questions_page.h"

#include "app/studio/state/quality_records.h"
#include "app/studio/state/question_run.h"
#include "engine/map/run_alike.h"
#include "profiler/jobs/evaluate_job.h"
#include "views/models/answers_model.h"
#include "views/models/native_path.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPointer>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QTextBrowser>
#include <QTextDocument>
#include <QTime>
#include <QTreeView>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

constexpr const char *questionsTask = "questions";
constexpr int mostBroken = 50; ///< questions that are shown to be read

enum Source { Ruler, File };
constexpr int allMaps = 1; // of the list of maps

} // namespace

QuestionsPage::QuestionsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("questions"), tr("Questions"), parent)
    , m_source(new QComboBox(this))
    , m_tasks(new QLineEdit(this))
    , m_lengths(new QLineEdit(this))
    , m_trials(new QLineEdit(QStringLiteral("5"), this))
    , m_maps(new QComboBox(this))
    , m_ask(new QPushButton(tr("Ask"), this))
    , m_record(new QComboBox(this))
    , m_hint(new QLabel(this))
    , m_model(new AnswersModel(this))
    , m_table(new QTreeView(this))
    , m_broken(new QTextBrowser(this))
{
    setGuidePage(QStringLiteral("questions#in-the-window"));
    m_table->setObjectName(QStringLiteral("answersTable"));
    m_table->setAccessibleName(tr("What maps answer beside full attention"));
    m_table->setModel(m_model);
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setAlternatingRowColors(true);
    m_table->setAllColumnsShowFocus(true);
    m_table->setFrameShape(QFrame::NoFrame);
    m_broken->setObjectName(QStringLiteral("brokenAnswers"));
    m_broken->setAccessibleName(tr("Questions that the map answers worse"));
    m_broken->setFrameShape(QFrame::NoFrame);
    m_broken->setOpenLinks(false); // a link asks its question again
    connect(m_broken, &QTextBrowser::anchorClicked, this, [this](const QUrl &link) { hearLink(link); });
    auto *split = new QSplitter(Qt::Vertical, this);
    split->setObjectName(QStringLiteral("answersSplit"));
    split->setChildrenCollapsible(false);
    split->addWidget(m_table);
    split->addWidget(m_broken);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildQuestions());
    column->addWidget(split, 1);
    setFocusProxy(m_table);

    QAction *start = offer(PageMenu::Run, QStringLiteral("askQuestions"), tr("Ask &questions"),
                           QKeySequence(Qt::CTRL | Qt::Key_F6), [this] { ask(); });
    QAction *choose = offer(PageMenu::Run, QStringLiteral("chooseQuestions"), tr("Choose a &file of questions…"), {},
                            [this] { chooseFile(); });
    m_save = offer(PageMenu::Export, QStringLiteral("saveAnswers"), tr("Save the &record of answers…"), {},
                   [this] { saveRecord(); });
    QAction *again = offer(PageMenu::Run, QStringLiteral("askBrokenAgain"),
                           tr("Show the answers to the first question that &broke"), {}, [this] { askFirstBroken(); });
    m_table->addAction(again);
    m_table->addAction(m_save); // beside what exhibit() brings
    connect(m_ask, &QPushButton::clicked, start, &QAction::trigger);
    connect(m_source, &QComboBox::activated, this, [this, choose](int source) {
        if (source == File)
            choose->trigger();
        else
            m_file.clear();
        refresh();
    });
    connect(m_record, &QComboBox::currentIndexChanged, this, &QuestionsPage::showRecord);
    // Another session brings its own.
    const auto list = [this] {
        if (const auto count = std::ssize(this->studio().qualities().answers()); m_record->count() != count)
            listRecords(static_cast<int>(count) - 1);
    };
    connect(&studio.qualities(), &QAbstractItemModel::modelReset, this, list);
    connect(&studio.qualities(), &QAbstractItemModel::rowsInserted, this, list);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this, &QuestionsPage::showBroken);
    exhibit(tableExhibit(tr("the table of answers"), QStringLiteral("answers"), *m_table), m_table);
    exhibit({tr("the questions that broke"), QStringLiteral("broken-answers"), [] { return documentSize; },
             [this](QPainter &painter, const QSize &size) {
                 QTextDocument page;
                 page.setHtml(m_broken->toHtml());
                 page.setTextWidth(size.width());
                 page.drawContents(&painter, QRectF(QPointF(), size));
             },
             [this] { return brokenCsv(current(), shownMap()); }},
            m_broken);
    showRecord();
}

QWidget *QuestionsPage::buildQuestions()
{
    auto *box = new QWidget(this);
    const int letter = fontMetrics().averageCharWidth();
    m_source->setObjectName(QStringLiteral("questionSource"));
    m_source->setAccessibleName(tr("What is asked"));
    m_source->addItem(tr("RULER's tasks"));
    m_source->addItem(tr("A file of questions…"));
    m_source->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_source->setMinimumContentsLength(16);
    m_tasks->setObjectName(QStringLiteral("rulerTasks"));
    m_tasks->setAccessibleName(tr("Tasks"));
    m_tasks->setPlaceholderText(tr("all tasks"));
    m_tasks->setToolTip(tr("Names with commas between: %1").arg([] {
        QStringList names;
        for (const std::string_view name : rulerTasks())
            names += QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
        return names.join(QStringLiteral(", "));
    }()));
    m_lengths->setObjectName(QStringLiteral("questionLengths"));
    m_lengths->setAccessibleName(tr("Lengths in tokens"));
    m_lengths->setPlaceholderText(tr("model's length"));
    m_lengths->setToolTip(tr("Tokens of a question with its answer's room, with commas between: 1024,4096"));
    m_trials->setObjectName(QStringLiteral("questionTrials"));
    m_trials->setAccessibleName(tr("Questions of each task and length"));
    m_trials->setToolTip(tr("Questions of each task and length"));
    m_maps->setObjectName(QStringLiteral("askedMaps"));
    m_maps->setAccessibleName(tr("Maps that are asked"));
    m_maps->addItem(tr("this map"));
    m_maps->addItem(tr("all plotted maps"));
    m_ask->setObjectName(QStringLiteral("startQuestions"));
    m_record->setObjectName(QStringLiteral("answersRecord"));
    m_record->setAccessibleName(tr("The answers that are shown"));
    m_record->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_record->setMinimumContentsLength(16);
    m_hint->setObjectName(QStringLiteral("questionsHint"));
    m_hint->setWordWrap(true);
    for (QLineEdit *field : {m_tasks, m_lengths})
        field->setMinimumWidth(field->fontMetrics().horizontalAdvance(field->placeholderText() + QStringLiteral("MM")));
    m_trials->setMaximumWidth(7 * letter);
    auto *row = new QHBoxLayout;
    row->setSpacing(fontMetrics().height() / 3);
    row->addWidget(m_source);
    row->addWidget(m_tasks, 2);
    row->addWidget(m_lengths, 1);
    row->addWidget(m_trials);
    row->addWidget(m_maps);
    row->addWidget(m_ask);
    row->addWidget(m_record, 1);
    auto *column = new QVBoxLayout(box);
    const int gap = fontMetrics().height() / 3;
    column->setContentsMargins(gap, gap / 2, gap, gap / 2);
    column->addLayout(row);
    column->addWidget(m_hint);
    return box;
}

void QuestionsPage::refresh()
{
    const QString doing = studio().doing(questionsTask);
    const bool isFile = !m_file.isEmpty();
    m_source->setItemText(File, isFile ? shownFileName(m_file) : tr("A file of questions…"));
    m_source->setCurrentIndex(isFile ? File : Ruler);
    for (QLineEdit *field : {m_tasks, m_lengths, m_trials})
        field->setEnabled(!isFile);
    m_ask->setEnabled(studio().canScore() && doing.isEmpty());
    m_save->setEnabled(current() != nullptr);
    m_hint->setText(!doing.isEmpty() ? doing
                        : current()  ? QString()
                        : studio().canScore()
                        ? tr("What does this map answer worse than full attention? Ask with Ctrl+F6, or open a "
                             "record of eval.")
                        : studio().modelName().empty() ? tr("To ask, open the model. Records of eval can be opened without it.")
                        : studio().loaded()            ? tr("Questions need a trained model with its tokenizer.")
                        : studio().whyNotLoaded().isEmpty() ? tr("loading the model…")
                                                            : studio().whyNotLoaded());
    m_hint->setVisible(!m_hint->text().isEmpty());
}

Result<RulerPlan> QuestionsPage::rulerPlan() const
{
    RulerPlan plan;
    plan.seed = 11; // others than a search learns from
    for (const QString &name : m_tasks->text().split(QLatin1Char(','), Qt::SkipEmptyParts))
        plan.tasks.push_back(name.trimmed().toStdString());
    bool isNumber = false;
    for (const QString &length : m_lengths->text().split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        plan.contexts.push_back(length.trimmed().toLongLong(&isNumber));
        if (!isNumber)
            return badInput(tr("\"%1\" is no number of tokens: write 1024, or 1024,4096").arg(length.trimmed()).toStdString());
    }
    if (plan.contexts.empty())
        plan.contexts = {std::min<std::int64_t>(studio().loaded()->config.maxContext, 4096)};
    plan.trials = m_trials->text().trimmed().toInt(&isNumber);
    if (!isNumber || plan.trials < 1)
        return badInput(tr("\"%1\" is no number of questions: write 5").arg(m_trials->text()).toStdString());
    return plan;
}

void QuestionsPage::chooseFile()
{
    const QString file = studio().prompts().fileToOpen(this, tr("Questions to ask"));
    if (!file.isEmpty())
        m_file = file;
    refresh();
}

void QuestionsPage::ask()
{
    if (!studio().canScore() || !studio().doing(questionsTask).isEmpty())
        return;
    const auto plan = rulerPlan();
    if (!plan && m_file.isEmpty())
        return studio().say(plan.error());
    const HeadMap &map = studio().document().map();
    const auto serving = studio().serving().serving(map);
    if (!serving)
        return studio().say(serving.error());
    AskedQuestions asked;
    asked.ruler = plan ? *plan : RulerPlan{};
    asked.file = m_file;
    asked.served = *serving;
    asked.model = studio().modelName();
    asked.maps = {{"full attention", jobs::fullLike(map)}, {"this map", map}};
    if (m_maps->currentIndex() == allMaps)
        for (const Series series : {Series::Duo, Series::Zigzag})
            if (const HeadMap *plotted = studio().plotted().map(series); plotted && !runAlike(*plotted, map))
                asked.maps.push_back({series == Series::Duo ? "duo" : "zigzag", *plotted});
    const QString what = m_file.isEmpty() ? tr("RULER") : shownFileName(m_file);
    const QString name = tr("%1, %2").arg(what, QTime::currentTime().toString(QStringLiteral("HH:mm:ss")));
    const QPointer<QuestionsPage> page(this);
    RunRequest request;
    request.task = questionsTask;
    request.title = studio().serving().isOurs() ? tr("Questions: %1").arg(what)
                                                : tr("Questions: %1, %2").arg(what, studio().serving().asText());
    request.page = objectName();
    request.ofModel = studio().modelName();
    const auto soFar = std::make_shared<QuestionsSoFar>();
    request.work = [asked, page, name, soFar, run = m_runs++](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) {
            if (step.part == JobPart::Carry)
                return context.progress(0, tr("Calibrating what stands in for sinks"));
            if (step.part != JobPart::Questions || step.all == 0)
                return;
            const auto before = std::find_if(asked.maps.begin(), asked.maps.end(),
                                             [&](const NamedMap &each) { return each.name == step.subject; })
                - asked.maps.begin();
            context.progress((static_cast<double>(before) + step.fraction) / static_cast<double>(asked.maps.size()),
                             tr("Questions, %1: %2 of %3")
                                 .arg(QString::fromStdString(std::string(step.subject)))
                                 .arg(static_cast<int>(step.done))
                                 .arg(step.all));
        };
        context.progress(0, tr("Writing questions"));
        return askMaps(asked, context.told(tell), *soFar, [&](const AnswersRecord &record) {
            context.deliver([page, name, run, record, questions = soFar->questions] {
                if (page)
                    page->take(run, name, record, questions);
            });
        });
    };
    studio().runs().enqueue(std::move(request));
}

void QuestionsPage::take(int run, const QString &name, const AnswersRecord &record, const SharedQuestions &questions)
{
    listRecords(studio().qualities().takeAnswers(
        {name, QDateTime::currentDateTime(), std::make_shared<const AnswersRecord>(record), run, questions}));
    studio().refreshSoon(); // the session keeps it
}

void QuestionsPage::listRecords(int place)
{
    {
        const QSignalBlocker blocker(m_record);
        m_record->clear();
        for (const AskedAnswers &each : studio().qualities().answers())
            m_record->addItem(each.name);
        m_record->setCurrentIndex(std::min(place, m_record->count() - 1));
    }
    showRecord();
}

Result<void> QuestionsPage::openAnswers(const QString &path)
{
    ZIGZAG_TRY(record, readAnswersFile(pathOf(path)));
    take(-1, shownFileName(path), record, {});
    return {};
}

void QuestionsPage::saveRecord()
{
    const AnswersRecord *record = current();
    if (!record)
        return;
    const QString path = studio().prompts().fileToSave(this, tr("Save the record of answers"), QStringLiteral("answers.json"));
    if (!path.isEmpty())
        studio().report(writeAnswersFile(pathOf(path), *record));
}

const AnswersRecord *QuestionsPage::current() const
{
    const auto &answers = studio().qualities().answers();
    const int at = m_record->currentIndex();
    return at < 0 || at >= static_cast<int>(answers.size()) ? nullptr : answers[static_cast<std::size_t>(at)].record.get();
}

void QuestionsPage::showRecord()
{
    m_model->show(current());
    for (int column = 0; column < AnswersModel::ColumnCount; ++column)
        m_table->resizeColumnToContents(column);
    m_record->setVisible(m_record->count() > 0);
    if (m_model->rowCount() > 0)
        m_table->setCurrentIndex(m_model->index(m_model->rowCount() - 1, 0));
    showBroken();
    QuestionsPage::refresh(); // from the constructor too
}

std::size_t QuestionsPage::shownMap() const
{
    const QModelIndex row = m_table->currentIndex();
    return row.isValid() ? m_model->mapAt(row.row()) : 0;
}

void QuestionsPage::hearLink(const QUrl &link)
{
    bool isNumber = false;
    const std::size_t place = link.path().toULongLong(&isNumber);
    if (link.scheme() == QLatin1String(askedAgainScheme) && isNumber)
        askAgain(place);
}

void QuestionsPage::askFirstBroken()
{
    const AnswersRecord *record = current();
    const std::vector<std::size_t> broken = record && shownMap() > 0 && shownMap() < record->maps.size()
        ? brokenBy(*record, shownMap())
        : std::vector<std::size_t>{};
    if (broken.empty())
        return studio().say(MessageBar::Kind::Note,
                            tr("No question that broke is shown here: ask first, or choose another map."));
    askAgain(broken.front());
}

void QuestionsPage::askAgain(std::size_t place)
{
    const AnswersRecord *record = current();
    if (!record || place >= record->questions.size())
        return;
    const AskedQuestion &kept = record->questions[place];
    const QString source = tr("Question %1 %2").arg(QString::fromStdString(kept.task), QString::fromStdString(kept.id));
    const SharedQuestions known = studio().qualities().answers()[static_cast<std::size_t>(m_record->currentIndex())].questions;
    if (known && place < known->size()) {
        Q_EMIT answersAsked({source, [question = (*known)[place]](const Model &) -> Result<Question> { return question; }});
        return;
    }
    // A record keeps the end of each question: what was asked is made or read again, and must be the same.
    const auto plan = rulerPlan();
    AskedQuestions again;
    again.ruler = plan ? *plan : RulerPlan{};
    again.file = m_file;
    Q_EMIT answersAsked({source, [again, place, hash = record->questionsHash](const Model &model) -> Result<Question> {
                             std::string name;
                             ZIGZAG_TRY(questions, questionsOf(again, model, name));
                             if (hashOf(questions) != hash)
                                 return badInput(tr("The record keeps the end of a question alone, and what stands beside "
                                                    "\"Ask\" makes other questions: choose the file that was asked, or RULER's "
                                                    "tasks, lengths and number as they were.")
                                                     .toStdString());
                             return questions[place];
                         }});
}

void QuestionsPage::changeEvent(QEvent *event)
{
    Page::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        showBroken(); // a text keeps the colour that links had when it was set
}

void QuestionsPage::showBroken()
{
    const AnswersRecord *record = current();
    if (!record || shownMap() == 0)
        m_broken->clear();
    else
        m_broken->setHtml(brokenHtml(*record, shownMap(), mostBroken));
}

} // namespace zigzag
