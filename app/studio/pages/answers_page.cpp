// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/answers_page.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/needle_trials.h"
#include "profiler/questions/asked_prompt.h"
#include "views/models/csv.h"
#include "views/models/layer_changes.h"
#include "views/models/native_path.h"
#include "views/models/text.h"
#include "views/widgets/answer_view.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/prompt_panel.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QPointer>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QTableView>
#include <QTextDocument>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

constexpr const char *answersTask = "answers";
constexpr std::uint64_t largestPrompt = 4 << 20; // bytes of text; no context of today takes more
constexpr int trialsOfACell = 5; // as the needle page asks

} // namespace

AnswersPage::AnswersPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("answers"), tr("Answers"), parent)
    , m_split(new QSplitter(this))
    , m_panel(new PromptPanel(m_split))
    , m_view(new AnswerView(this))
    , m_verdict(new QLabel(this))
    , m_thoughts(new QLabel(this))
    , m_table(new QTableView(m_split))
    , m_layers(new LayerChangesModel(this))
{
    setGuidePage(QStringLiteral("quality#answers"));
    build();
    connect(m_panel, &PromptPanel::askClicked, this, &AnswersPage::ask);
    connect(m_panel, &PromptPanel::stopClicked, this, &AnswersPage::stop);
    connect(m_panel, &PromptPanel::edited, this, [this] {
        m_needle.reset();
        m_question.reset();
        this->studio().refreshSoon();
    });
    connect(m_panel, &PromptPanel::mapsChosen, this, [this] { refresh(); });
    connect(m_panel, &PromptPanel::moreClicked, this, [this] {
        if (m_needle)
            m_needle->trial = (m_needle->trial + 1) % trialsOfACell;
        ask();
    });
    connect(m_panel, &PromptPanel::fileClicked, this, [this] {
        const QString file = this->studio().prompts().fileToOpen(this, tr("A prompt"));
        if (!file.isEmpty())
            takePrompt(file);
    });
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, &AnswersPage::showThoughts);
    connect(&m_view->model(), &QAbstractItemModel::dataChanged, this, &AnswersPage::showThoughts);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &AnswersPage::selectLayer);
    connect(&studio.selection(), &LayerSelection::changed, this, &AnswersPage::followSelection);
    offer(PageMenu::Run, QStringLiteral("answerBoth"), tr("Answers of &two maps"), QKeySequence(Qt::Key_F4), [this] { ask(); });
    QAction *copying
        = offer(PageMenu::Edit, QStringLiteral("copyAnswers"), tr("Copy the &answers as text"), {}, [this] { copy(); });
    m_view->setContextMenuPolicy(Qt::ActionsContextMenu);
    m_view->addAction(copying);
    exhibit({tr("the answers of two maps"), QStringLiteral("answers-of-two-maps"), [] { return documentSize; },
             [this](QPainter &painter, const QSize &size) {
                 QTextDocument page(m_view->model().asText(m_panel->prompt()));
                 page.setTextWidth(size.width());
                 page.drawContents(&painter, QRectF(QPointF(), size));
             },
             [this] { return csvOf(m_view->model()); }},
            m_view);
    exhibit(tableExhibit(tr("the table of layers that differ"), QStringLiteral("layer-changes"), *m_table), m_table);
}

void AnswersPage::build()
{
    m_view->setObjectName(QStringLiteral("answers"));
    m_verdict->setObjectName(QStringLiteral("verdict"));
    m_thoughts->setObjectName(QStringLiteral("thoughts"));
    for (QLabel *label : {m_verdict, m_thoughts}) {
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setContentsMargins(fontMetrics().height() / 2, 2, fontMetrics().height() / 2, 2);
        label->hide();
    }
    m_table->setObjectName(QStringLiteral("layerChanges"));
    m_table->setAccessibleName(tr("Layers that differ, and what each costs"));
    m_table->setModel(m_layers);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setAlternatingRowColors(true);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 3 / 2);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    auto *texts = new QWidget(m_split);
    auto *column = new QVBoxLayout(texts);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_verdict);
    column->addWidget(m_view, 1);
    column->addWidget(m_thoughts);
    m_split->insertWidget(1, texts);
    m_split->setChildrenCollapsible(false);
    m_split->setStretchFactor(0, 2);
    m_split->setStretchFactor(1, 4);
    m_split->setStretchFactor(2, 3);
    auto *all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->addWidget(m_split);
}

void AnswersPage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    // Beside each other where the page is low, as at the foot of the window; above each other where it stands alone.
    m_split->setOrientation(height() > width() * 2 / 3 ? Qt::Vertical : Qt::Horizontal);
}

const HeadMap *AnswersPage::mapOf(int choice) const
{
    if (choice == static_cast<int>(Series::Current)) // as it is now, whether or not plots have followed
        return &studio().document().map();
    if (const int variant = choice - static_cast<int>(allSeries.size()); variant >= 0)
        return variant < studio().document().variants() ? &studio().document().variantMap(variant) : nullptr;
    return choice >= 0 ? studio().plotted().map(allSeries[static_cast<std::size_t>(choice)]) : nullptr;
}

QString AnswersPage::whyNot() const
{
    if (!studio().canScore())
        return studio().modelName().empty()     ? tr("To hear answers, open the model.")
            : studio().loaded()                 ? tr("Answers need a trained model with its tokenizer.")
            : studio().whyNotLoaded().isEmpty() ? tr("loading the model…")
                                                : studio().whyNotLoaded();
    if (m_panel->prompt().isEmpty() && !m_needle && !m_question)
        return tr("Does the answer still hold? Type a prompt, or double-click a cell of the needle page, or a question that "
                  "broke, and ask both (F4).");
    return {};
}

QString AnswersPage::sourceText(const NeedlePlace &needle)
{
    return tr("Needle at %1 tokens, depth %2, question %3 of %4")
        .arg(contextText(needle.context), percentText(needle.depth))
        .arg(needle.trial + 1)
        .arg(trialsOfACell);
}

bool AnswersPage::takePrompt(const QString &file)
{
    auto text = readTextFile(pathOf(file), largestPrompt);
    if (text)
        if (const FileContent content = contentOf(*text); !isReadable(content))
            text = wrongContent(pathOf(file).string(), {content, false}, "a text");
    if (!text) {
        studio().say(text.error());
        return false;
    }
    m_needle.reset();
    m_question.reset();
    m_panel->setPrompt(QString::fromStdString(*text), shownFileName(file));
    studio().refreshSoon();
    return true;
}

void AnswersPage::askNeedle(std::int64_t context, double depth)
{
    m_needle = NeedlePlace{context, depth, 0};
    m_question.reset();
    m_panel->choose({static_cast<int>(Series::Full), static_cast<int>(Series::Current)});
    ask();
}

void AnswersPage::askQuestion(const AskedElsewhere &question)
{
    m_question = question;
    m_needle.reset();
    m_panel->choose({static_cast<int>(Series::Full), static_cast<int>(Series::Current)});
    ask();
}

void AnswersPage::stop()
{
    if (studio().runs().isRunning(answersTask))
        studio().runs().cancel();
}

void AnswersPage::ask()
{
    if (const QString why = whyNot(); !why.isEmpty())
        return studio().say(MessageBar::Kind::Note, why);
    Asked asked;
    asked.text = m_panel->prompt().toStdString();
    asked.isChat = m_panel->isChat();
    // Half of a short context is the prompt's.
    asked.most = static_cast<int>(
        std::min<std::int64_t>(m_panel->mostTokens(), std::max<std::int64_t>(1, studio().loaded()->config.maxContext / 2)));
    asked.needle = m_needle;
    asked.question = m_question;
    for (std::size_t side = 0; side < 2; ++side) {
        const int choice = m_panel->chosen()[side];
        const HeadMap *map = mapOf(choice);
        if (!map)
            return studio().say(MessageBar::Kind::Note,
                                tr("There are no scores to choose that map by: score the model, or import scores."));
        QString name = m_names.value(choice);
        std::optional<EngineServing> served;
        if (choice != static_cast<int>(Series::Full)
            && !studio().serving().isOurs()) { // full attention is what maps are held against
            auto serving = studio().serving().serving(*map);
            if (!serving)
                return studio().say(serving.error());
            served = std::move(*serving);
            name = tr("%1, %2").arg(name, studio().serving().asText());
        }
        asked.maps[side] = {name.toStdString(), *map, std::move(served)};
    }
    run(asked);
}

Result<std::vector<int>> AnswersPage::tokensOf(const JobContext &context, Asked &asked, std::int64_t &cut)
{
    const Model &model = context.textModel();
    if (asked.needle) {
        constexpr std::uint64_t needleSeed = 2; // the questions of the needle page
        const NeedlePlace &place = *asked.needle;
        ZIGZAG_TRY(trials, NeedleTrials::plan(model, {place.context}, {place.depth}, trialsOfACell, needleSeed, AskAs::Auto));
        ZIGZAG_TRY(prompt, trials.prompt(place.context, place.depth, place.trial));
        asked.text = model.tokenizer->decode(prompt.tokens);
        asked.most
            = std::min(asked.most, static_cast<int>(prompt.answer.size())); // behind the key, any text is as good as another
        return std::move(prompt.tokens);
    }
    Question question;
    question.prompt = asked.text;
    question.answerTokens = asked.most;
    if (asked.question) {
        ZIGZAG_TRY(made, asked.question->make(model));
        question = std::move(made);
        asked.most = std::min(asked.most, std::max(1, question.answerTokens));
    }
    const AskAs as = asked.question ? AskAs::Auto : asked.isChat ? AskAs::Chat : AskAs::Text;
    ZIGZAG_TRY(prompt, askedPrompt(model, question, as, context.config().maxContext));
    cut = prompt.cut;
    if (asked.question)
        asked.text = model.tokenizer->decode(prompt.tokens);
    return std::move(prompt.tokens);
}

void AnswersPage::run(const Asked &asked)
{
    m_asked = std::array{asked.maps[0].map, asked.maps[1].map};
    m_model = studio().document().model();
    m_view->model().clear();
    const QPointer<AnswersPage> page(this);
    RunRequest request;
    request.task = answersTask;
    request.title = tr("Answers");
    request.work = [page, asked](const TaskContext &context) -> Result<void> {
        Asked known = asked;
        std::int64_t cut = 0;
        context.progress(0, tr("Answers: the prompt"));
        ZIGZAG_TRY(tokens, tokensOf(context.job, known, cut));
        context.deliver([page, text = QString::fromStdString(known.text), needle = known.needle, question = known.question, cut] {
            if (page && needle)
                page->m_panel->setPrompt(text, sourceText(*needle), true);
            if (page && question)
                page->m_panel->setPrompt(text, question->source);
            if (page && cut > 0)
                page->studio().say(
                    MessageBar::Kind::Note,
                    tr("The prompt is longer than the model's context: %1 tokens were cut from its middle.").arg(cut));
        });
        const jobs::SideBySidePlan plan{.maps = known.maps, .prompt = std::move(tokens), .most = known.most};
        const auto tell = [&](const JobStep &step) {
            if (step.part == JobPart::Carry)
                context.progress(0, tr("Calibrating what stands in for sinks"));
            else if (!step.subject.empty())
                context.progress(step.fraction,
                                 tr("Answers: %1 reads %2 tokens")
                                     .arg(QString::fromUtf8(step.subject.data(), std::ssize(step.subject)))
                                     .arg(plan.prompt.size()));
            else
                context.progress(step.fraction, tr("Answers: token %1 of %2").arg(static_cast<int>(step.done)).arg(plan.most));
        };
        const auto show = [&](const jobs::SideBySide &soFar) {
            context.deliver([page, both = std::make_shared<const jobs::SideBySide>(soFar)] {
                if (page)
                    page->take(both);
            });
        };
        ZIGZAG_CHECK(jobs::sideBySide(context.told(tell), plan, show));
        return {};
    };
    studio().runs().enqueue(std::move(request));
    studio().refreshSoon();
}

void AnswersPage::take(const std::shared_ptr<const jobs::SideBySide> &both)
{
    m_view->model().show(both);
    showVerdict();
}

void AnswersPage::showVerdict()
{
    QString verdict = m_view->model().verdict();
    const std::array chosen = {mapOf(m_panel->chosen()[0]), mapOf(m_panel->chosen()[1])};
    const bool isOld = m_asked && !verdict.isEmpty()
        && !(chosen[0] && chosen[1] && runAlike(*chosen[0], (*m_asked)[0]) && runAlike(*chosen[1], (*m_asked)[1]));
    if (isOld)
        verdict += QLatin1Char(' ') + tr("Asked of other maps than those that are chosen now.");
    m_verdict->setText(verdict);
    m_verdict->setVisible(!verdict.isEmpty());
}

void AnswersPage::showThoughts()
{
    const QModelIndex current = m_view->selectionModel()->currentIndex();
    const QString thoughts = current.isValid() ? m_view->model().thoughts(current.row(), current.column()) : QString();
    m_thoughts->setText(thoughts);
    m_thoughts->setVisible(!thoughts.isEmpty());
}

void AnswersPage::copy()
{
    if (!m_view->model().isEmpty())
        QGuiApplication::clipboard()->setText(m_view->model().asText(m_panel->prompt()));
}

void AnswersPage::selectLayer()
{
    if (m_following)
        return;
    std::vector<int> layers;
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        layers.push_back(m_layers->layerAt(index.row())); // that of all layers is −1, which the selection drops
    studio().selection().set(std::move(layers));
}

void AnswersPage::followSelection()
{
    const QScopedValueRollback following(m_following, true);
    QItemSelection rows;
    for (int row = 0; row < m_layers->rowCount(); ++row)
        if (const int layer = m_layers->layerAt(row); layer >= 0 && studio().selection().contains(layer))
            rows.select(m_layers->index(row, 0), m_layers->index(row, 0));
    m_table->selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

void AnswersPage::refreshLayers()
{
    if (!isVisible()) // an edit does not wait for what nobody sees
        return;
    const PlottedMaps &plotted = studio().plotted();
    const HeadMap *a = mapOf(m_panel->chosen()[0]), *b = mapOf(m_panel->chosen()[1]);
    LayerChanges changes;
    const FoundScores *ablation = nullptr;
    if (a && b) {
        if (const auto window = studio().document().map().oneWindow())
            ablation = studio().scoreSources().ablation(*window);
        changes = layerChanges(plotted, {*a, *b}, studio().context(), studio().document().state().scores.get(), ablation);
    }
    const QScopedValueRollback following(m_following, true); // a reset selects nothing, and means nothing
    m_layers->show(std::move(changes), plotted.hasBytes(), ablation ? ablation->name : QString());
    followSelection();
}

void AnswersPage::showEvent(QShowEvent *event)
{
    Page::showEvent(event);
    refreshLayers();
}

void AnswersPage::refresh()
{
    const PlottedMaps &plotted = studio().plotted();
    QStringList &names = m_names;
    names.clear();
    std::vector<bool> available;
    for (const Series series : allSeries) {
        names << nameOf(series, plotted);
        available.push_back(plotted.map(series) != nullptr);
    }
    // By name, the one in front as well: it stays what was chosen when another comes to the front.
    for (int variant = 0; studio().document().variants() > 1 && variant < studio().document().variants(); ++variant) {
        names << studio().document().variantName(variant);
        available.push_back(true);
    }
    const bool isFirst = m_panel->chosen()[0] < 0;
    m_panel->setMaps(names, available);
    if (isFirst)
        m_panel->choose({static_cast<int>(Series::Full), static_cast<int>(Series::Current)});
    const ModelShape &model = studio().document().model();
    if (m_asked && (model.name != m_model.name || model.layers != m_model.layers)) { // another model's answers go with it
        m_asked.reset();
        m_view->model().clear();
    }
    m_panel->setHasChat(studio().loaded() && studio().loaded()->hasChat);
    const QString why = whyNot(), doing = studio().doing(answersTask);
    m_panel->setState(why, studio().runs().isRunning(answersTask));
    m_view->setHint(!doing.isEmpty() ? doing : why.isEmpty() ? tr("Ask both (F4).") : why);
    showVerdict();
    showThoughts();
    refreshLayers();
}

} // namespace zigzag
