// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/inspector_page.h"

#include "profiler/jobs/attention_picture_job.h"
#include "views/models/layer_story.h"
#include "views/models/text.h"
#include "views/widgets/attention_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

constexpr const char *attentionTask = "attention-picture";

QLabel *wordsIn(QWidget *parent, const QString &name)
{
    auto *label = new QLabel(parent);
    label->setObjectName(name);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setFocusPolicy(Qt::NoFocus);
    return label;
}

/// A table as high as its rows, for a page that scrolls as a whole.
QTableView *tableIn(QWidget *parent, QAbstractItemModel *model, const QString &name, const QString &title)
{
    auto *table = new QTableView(parent);
    table->setObjectName(name);
    table->setAccessibleName(title);
    table->setModel(model);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setFrameShape(QFrame::NoFrame);
    table->setAlternatingRowColors(true);
    table->setTabKeyNavigation(false);
    table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    table->setSizeAdjustPolicy(QAbstractScrollArea::AdjustToContents);
    table->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    table->verticalHeader()->hide();
    table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    table->horizontalHeader()->setMinimumSectionSize(10 * table->fontMetrics().averageCharWidth());
    table->horizontalHeader()->setHighlightSections(false);
    return table;
}

} // namespace

InspectorPage::InspectorPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("inspector"), tr("Why this layer"), parent)
    , m_costsModel(new LayerCostsModel(this))
    , m_opinionsModel(new LayerOpinionsModel(this))
{
    setGuidePage(QStringLiteral("find#why-this-layer"));
    auto *content = new QWidget;
    content->setBackgroundRole(QPalette::Base);
    content->setAutoFillBackground(true);
    m_title = wordsIn(content, QStringLiteral("layerTitle"));
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_facts = wordsIn(content, QStringLiteral("layerFacts"));
    m_opinions = tableIn(content, m_opinionsModel, QStringLiteral("layerOpinions"), tr("What each source of scores says"));
    m_costs = tableIn(content, m_costsModel, QStringLiteral("layerCosts"), tr("What it costs either way"));
    m_text = new QLineEdit(content);
    m_text->setObjectName(QStringLiteral("attentionText"));
    m_text->setAccessibleName(tr("Prompt"));
    m_text->setPlaceholderText(tr("prompt; empty: a needle question"));
    m_text->setMaxLength(1 << 20);
    m_ask = new QPushButton(content);
    m_heads = new QComboBox(content);
    m_heads->setObjectName(QStringLiteral("attentionHead"));
    m_heads->setAccessibleName(tr("Query head"));
    m_pooling = new QComboBox(content);
    m_pooling->setObjectName(QStringLiteral("attentionPooling"));
    m_pooling->setAccessibleName(tr("Pooling"));
    m_pooling->addItems({tr("largest of each dot"), tr("mean of each dot")});
    m_asked = wordsIn(content, QStringLiteral("attentionAsked"));
    m_attention = new AttentionView(content);
    m_attention->setObjectName(QStringLiteral("attentionView"));
    m_words = wordsIn(content, QStringLiteral("attentionWords"));

    auto *asking = new QHBoxLayout;
    asking->addWidget(m_text, 1);
    asking->addWidget(m_ask);
    auto *choosing = new QHBoxLayout;
    choosing->addWidget(m_heads);
    choosing->addWidget(m_pooling);
    choosing->addStretch(1);
    auto *rows = new QVBoxLayout(content);
    for (QWidget *each : std::initializer_list<QWidget *>{m_title, m_facts, m_opinions, m_costs})
        rows->addWidget(each);
    rows->addLayout(asking);
    rows->addWidget(m_asked);
    rows->addLayout(choosing);
    rows->addWidget(m_attention, 1);
    rows->addWidget(m_words);
    rows->addStretch(0);
    auto *scrolled = new QScrollArea(this);
    scrolled->setWidget(content);
    scrolled->setWidgetResizable(true);
    scrolled->setFrameShape(QFrame::NoFrame);
    scrolled->setFocusPolicy(Qt::NoFocus);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(scrolled);
    setFocusProxy(m_text);

    QAction *action = offer(PageMenu::Run, QStringLiteral("showAttention"), tr("Show what the head a&ttends to"), {},
                            [this] { askAttention(); });
    m_ask->setText(tr("Show attention"));
    connect(m_ask, &QPushButton::clicked, action, &QAction::trigger);
    connect(m_text, &QLineEdit::returnPressed, action, &QAction::trigger);
    connect(&studio.selection(), &LayerSelection::changed, this, &InspectorPage::showStory);
    connect(m_heads, &QComboBox::activated, this, [this](int index) { m_attention->setHead(static_cast<std::size_t>(index)); });
    connect(m_pooling, &QComboBox::activated, this, [this](int index) { m_attention->setLargest(index == 0); });
    connect(m_attention, &AttentionView::chosen, this, &InspectorPage::showPicture);
    exhibit(tableExhibit(tr("the sources on this layer"), QStringLiteral("layer-sources"), *m_opinions), m_opinions);
    exhibit(tableExhibit(tr("the costs of this layer"), QStringLiteral("layer-costs"), *m_costs), m_costs);
    exhibit(m_attention->exhibit(), m_attention);
    showPicture();
}

int InspectorPage::layer() const
{
    const std::vector<int> &selected = studio().selection().layers();
    const int found = selected.empty() ? m_layer : selected.front();
    return found < studio().document().map().layers() ? found : -1;
}

void InspectorPage::follow(int layer, int head)
{
    m_layer = layer;
    m_head = head;
    showStory();
}

void InspectorPage::showEvent(QShowEvent *event)
{
    Page::showEvent(event);
    showStory();
}

void InspectorPage::refresh()
{
    if (m_picturedModel != studio().modelName() && !m_attention->isEmpty())
        m_attention->show(nullptr); // of another model
    showStory();
}

/// What the chosen engine makes of the layer, where that is another one than ours.
QString InspectorPage::servingFact(int layer) const
{
    const ServingChoice &serving = studio().serving();
    const HeadMap &map = studio().document().map();
    if (serving.isOurs())
        return {};
    const auto found = serving.serving(map);
    if (!found)
        return QString::fromStdString(found.error().message);
    const HeadMap run = (*found)->asRun(map);
    const bool same = run.pattern(layer, 0) == map.pattern(layer, 0);
    const HeadPattern pattern = run.pattern(layer, 0);
    const QString does = pattern.keepsEverything()
        ? tr("it keeps every token")
        : tr("it keeps %1 sink and %2 recent tokens").arg(pattern.sink()).arg(pattern.recent());
    QString text = tr("%1, %2").arg(serving.asText(), does);
    if (!same)
        text += tr(", which is not what the map says");
    if ((*found)->standsIn && !pattern.keepsEverything())
        text += tr("; something stands in for its sinks");
    return text + QLatin1Char('.');
}

LayerStory InspectorPage::told() const
{
    const int at = layer();
    if (at < 0)
        return {};
    const DocumentState &state = studio().document().state();
    LayerStory story
        = tellLayer(at,
                    {.map = state.map,
                     .scores = state.scores.get(),
                     .isLocked = state.locked.size() > static_cast<std::size_t>(at) && state.locked[static_cast<std::size_t>(at)],
                     .sources = studio().scoreSources(),
                     .plotted = studio().plotted(),
                     .context = studio().context()});
    if (const QString fact = servingFact(at); !fact.isEmpty())
        story.facts << fact;
    return story;
}

QStringList InspectorPage::toldOfPicture() const
{
    return m_attention->isEmpty() ? QStringList() : QStringList{m_asked->text(), m_words->text()};
}

void InspectorPage::showStory()
{
    refreshAsking();
    if (!isVisible())
        return; // told once it is looked at
    LayerStory story = told();
    const DocumentState &state = studio().document().state();
    if (story.title.isEmpty())
        story.title = state.map.layers() > 0 ? tr("Choose a layer in the head map.") : tr("There is no map yet.");
    if (const std::size_t more = studio().selection().layers().size(); more > 1)
        story.facts << tr("%1 layers are selected; this is the first of them.").arg(more);
    m_title->setText(story.title);
    m_facts->setText(story.facts.join(QLatin1Char('\n')));
    m_facts->setVisible(!story.facts.isEmpty());
    m_opinions->setVisible(!story.opinions.empty());
    m_costs->setVisible(!story.rows.empty());
    m_costs->setColumnHidden(LayerCostsModel::Now, state.map.isExclusive()); // it is one of the other two
    m_opinionsModel->show(std::move(story.opinions));
    m_costsModel->show(std::move(story.rows));
}

void InspectorPage::refreshAsking()
{
    const bool can = studio().canScore() && layer() >= 0;
    m_ask->setEnabled(can);
    if (auto *action = findChild<QAction *>(QStringLiteral("showAttention")))
        action->setEnabled(can);
    if (m_attention->isEmpty()) {
        const QString doing = studio().doing(attentionTask);
        m_asked->setText(!doing.isEmpty()                   ? doing
                             : can                          ? tr("What does a head of it look at?")
                             : studio().modelName().empty() ? tr("To see what a head looks at, open the model.")
                             : !studio().loaded()           ? tr("loading the model…")
                             : !studio().canScore()         ? tr("To see what a head looks at needs a model with its tokenizer.")
                                                            : QString());
    }
}

void InspectorPage::showPicture()
{
    const jobs::AttentionPictures *pictures = m_attention->pictures();
    for (QWidget *each : std::initializer_list<QWidget *>{m_heads, m_pooling, m_attention, m_words})
        each->setVisible(pictures != nullptr);
    if (!pictures)
        return refreshAsking();
    const QSignalBlocker quiet(m_heads);
    m_heads->clear();
    for (const AttentionPicture &each : pictures->heads)
        m_heads->addItem(tr("query head %1").arg(each.queryHead));
    m_heads->setCurrentIndex(static_cast<int>(m_attention->head()));
    const AttentionPicture &shown = *m_attention->picture();
    const AttentionShares mean = shown.meanShares();
    const int group = static_cast<int>(pictures->heads.size());
    QString asked = tr("Layer %1, KV head %2, over %3 tokens with full attention.")
                        .arg(shown.layer)
                        .arg(shown.queryHead / group)
                        .arg(shown.tokens);
    if (mean.sink + mean.window + mean.beyond > 0)
        asked += tr(" Its queries give %1 to sinks, %2 to the window and %3 to what a streaming head would not see.")
                     .arg(percentText(static_cast<double>(mean.sink)), percentText(static_cast<double>(mean.window)),
                          percentText(static_cast<double>(mean.beyond)));
    else
        asked += tr(" Sinks and window hold the whole of it.");
    if (!pictures->spoken.empty()) {
        const jobs::SpokenLogit &spoken = pictures->spoken[m_attention->head()];
        asked += tr(" It adds %1 to the right answer's logit of %2, %3 of it from what a streaming head would not see.")
                     .arg(signedText(spoken.given, 2), QString::number(pictures->answerLogit, 'f', 2),
                          signedText(spoken.beyond, 2));
    }
    m_asked->setText(asked);
    m_words->setText(m_attention->described());
}

void InspectorPage::askAttention()
{
    const int at = layer();
    if (!studio().canScore() || at < 0)
        return;
    const HeadMap &map = studio().document().map();
    const std::int64_t longest = studio().loaded()->config.maxContext;
    jobs::AttentionPictureJob job{.layer = at, .kvHead = at == m_layer ? std::max(0, m_head) : 0, .window = map.window(at)};
    if (!m_text->text().isEmpty())
        job.text = m_text->text().toStdString();
    constexpr std::int64_t shortest = 512, usual = 2048;
    job.context = std::clamp(studio().context(), std::min(shortest, longest), std::min(usual, longest));
    const QPointer<InspectorPage> page(this);
    RunRequest request;
    request.task = attentionTask;
    request.title = tr("Attention of layer %1, KV head %2").arg(job.layer).arg(job.kvHead);
    request.work = [page, job, title = request.title, model = studio().modelName()](const TaskContext &context) -> Result<void> {
        const auto tell = [&](const JobStep &step) { context.progress(step.fraction, title); };
        ZIGZAG_TRY(found, jobs::attentionPictures(context.told(tell), job));
        auto pictures = std::make_shared<const jobs::AttentionPictures>(std::move(found));
        context.deliver([page, pictures, model] {
            if (!page)
                return;
            page->m_picturedModel = model;
            page->m_attention->show(pictures);
        });
        return {};
    };
    studio().runs().enqueue(std::move(request));
}

} // namespace zigzag
