// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/profile_page.h"

#include "profiler/jobs/trace_job.h"
#include "profiler/trace/trace_file.h"
#include "views/models/native_path.h"
#include "views/models/text.h"
#include "views/widgets/op_table_view.h"
#include "views/widgets/timeline_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QScopedValueRollback>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace zigzag {

namespace {

constexpr int decodeSteps = 16; // enough for a p50, few enough to read
constexpr const char *traceTask = "trace";
constexpr int byKernel = -1; // of the rows of the op table, beside GroupBy

/// What was run, on what.
QString describe(const TraceInfo &info)
{
    QStringList lines{
        ProfilePage::tr("%1, %2").arg(QString::fromStdString(info.model), QString::fromStdString(info.map)),
        ProfilePage::tr("%1 at %2 tokens, batch %3")
            .arg(info.phase == Phase::Prefill ? ProfilePage::tr("prefill") : ProfilePage::tr("decode"), contextText(info.context))
            .arg(info.batch)};
    if (info.gpus > 1)
        lines << ProfilePage::tr("%1 ranks together").arg(info.gpus);
    if (!info.machine.device.empty())
        lines << ProfilePage::tr("%1, %2 threads, zigzag %3")
                     .arg(QString::fromStdString(info.machine.device))
                     .arg(info.machine.threads)
                     .arg(QString::fromStdString(info.machine.build));
    return lines.join(QLatin1Char('\n'));
}

QLabel *caption(const QString &text, QWidget *buddy)
{
    auto *label = new QLabel(text, buddy->parentWidget());
    label->setBuddy(buddy);
    return label;
}

} // namespace

ProfilePage::ProfilePage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("profile"), tr("Profile"), parent)
    , m_trace(new TraceModel(this))
    , m_rows(new OpTableModel(this))
    , m_timeline(new TimelineView(m_trace, this))
    , m_table(new OpTableView(m_rows, this))
    , m_split(new QSplitter(Qt::Vertical, this))
    , m_choice(new QComboBox(this))
    , m_order(new QComboBox(this))
    , m_group(new QComboBox(this))
    , m_search(new QLineEdit(this))
    , m_matches(new QLabel(this))
    , m_area(new QLabel(this))
    , m_info(new QLabel(this))
    , m_clearArea(new QToolButton(this))
{
    setGuidePage(QStringLiteral("profile"));
    m_record = offer(PageMenu::Run, QStringLiteral("recordTrace"), tr("&Record trace"), QKeySequence(Qt::Key_F9),
                     [this] { record(); });
    m_record->setToolTip(tr("Record what every op does in a prefill and %1 decode steps of this map (F9)").arg(decodeSteps));
    m_timeline->setObjectName(QStringLiteral("timeline"));
    setFocusProxy(m_timeline);
    m_table->setObjectName(QStringLiteral("opTable"));
    m_split->setObjectName(QStringLiteral("profileSplit"));
    m_split->setChildrenCollapsible(false);
    m_split->addWidget(m_timeline);
    m_split->addWidget(m_table);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildBar());
    m_info->setObjectName(QStringLiteral("traceInfo"));
    m_info->setWordWrap(true);
    m_info->hide();
    m_info->setContentsMargins(fontMetrics().height() / 3, 0, fontMetrics().height() / 3, 0);
    column->addWidget(m_info);
    column->addWidget(m_split, 1);

    connect(&studio, &Studio::traceKept, this, [this](const QString &name, const std::shared_ptr<const Trace> &trace) {
        add({name, trace, false}, m_traces.empty());
    });
    connect(m_split, &QSplitter::splitterMoved, this, [this] { m_splitByHand = true; });
    connect(m_trace, &TraceModel::changed, this, &ProfilePage::shareRoom);
    connect(m_timeline, &TimelineView::areaChanged, this, &ProfilePage::showArea);
    connect(m_trace, &TraceModel::emphasisChanged, this, &ProfilePage::showMatches);
    connect(m_timeline, &TimelineView::layersChosen, this, [this](const std::vector<int> &layers) {
        const TraceModel::Item current = m_timeline->current();
        choose(layers, {});
        m_table->choose(current.isValid() ? OpTableView::Chosen{layers, m_trace->opOf(current), m_trace->kindOf(current)}
                                          : OpTableView::Chosen{layers, {}, {}});
    });
    connect(m_table, &OpTableView::rowsChosen, this, &ProfilePage::choose);
    connect(&studio.selection(), &LayerSelection::changed, this, [this] {
        const std::vector<int> &layers = this->studio().selection().layers();
        m_trace->setLayers(layers);
        if (m_choosing)
            return;
        m_trace->setOps({}); // they were chosen here, and now something else is
        m_table->choose({layers, {}, {}});
    });
    exhibit(m_timeline->exhibit(), m_timeline);
    exhibit(tableExhibit(tr("the op table"), QStringLiteral("op-table"), *m_table), m_table);
    showArea();
    showMatches();
}

QWidget *ProfilePage::buildBar()
{
    auto *bar = new QWidget(this);
    m_choice->setObjectName(QStringLiteral("traceChoice"));
    m_choice->setAccessibleName(tr("Trace"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_choice->setPlaceholderText(tr("no trace yet"));
    m_order->setObjectName(QStringLiteral("laneOrder"));
    m_order->setAccessibleName(tr("Lanes"));
    m_order->addItem(tr("nested"), static_cast<int>(LaneOrder::Nested));
    m_order->addItem(tr("by op"), static_cast<int>(LaneOrder::ByOp));
    m_group->setObjectName(QStringLiteral("groupBy"));
    m_group->setAccessibleName(tr("Rows of the op table"));
    for (const auto &[name, by] :
         {std::pair(tr("op"), GroupBy::Op), std::pair(tr("layer"), GroupBy::Layer),
          std::pair(tr("layer kind"), GroupBy::LayerKind), std::pair(tr("op and layer"), GroupBy::OpAndLayer),
          std::pair(tr("op and kind"), GroupBy::OpAndKind)})
        m_group->addItem(name, static_cast<int>(by));
    m_search->setObjectName(QStringLiteral("traceSearch"));
    m_search->setAccessibleName(tr("Search the trace"));
    m_search->setPlaceholderText(tr("Search: attention layer 3"));
    m_search->setClearButtonEnabled(true);
    m_search->setMinimumWidth(fontMetrics().averageCharWidth() * 28);
    m_search->setMaximumWidth(fontMetrics().averageCharWidth() * 34);
    m_matches->setObjectName(QStringLiteral("traceMatches"));
    m_area->setObjectName(QStringLiteral("traceArea"));
    m_clearArea->setText(tr("Whole trace"));
    m_clearArea->setToolTip(tr("Count the whole trace again (Esc in the timeline)"));
    m_clearArea->setAutoRaise(true);
    auto *row = new QHBoxLayout(bar);
    const int gap = fontMetrics().height() / 3;
    row->setContentsMargins(gap, gap / 2, gap, gap / 2);
    row->addWidget(m_choice);
    row->addWidget(caption(tr("Lanes"), m_order));
    row->addWidget(m_order);
    row->addWidget(caption(tr("Rows by"), m_group));
    row->addWidget(m_group);
    row->addWidget(m_search);
    row->addWidget(m_matches);
    row->addStretch(1);
    row->addWidget(m_area);
    row->addWidget(m_clearArea);

    connect(m_choice, &QComboBox::currentIndexChanged, this, &ProfilePage::showChosen);
    connect(m_order, &QComboBox::currentIndexChanged, this,
            [this] { m_trace->setOrder(static_cast<LaneOrder>(m_order->currentData().toInt())); });
    connect(m_group, &QComboBox::currentIndexChanged, this, &ProfilePage::fillTable);
    connect(m_search, &QLineEdit::textChanged, m_trace, &TraceModel::setSearch);
    connect(m_search, &QLineEdit::returnPressed, this, [this] { stepMatch(false); });
    connect(m_clearArea, &QToolButton::clicked, this, [this] { m_timeline->setArea({}); });
    offer(PageMenu::View, QStringLiteral("findInTrace"), tr("Find in the &trace"), QKeySequence::Find, [this] {
        m_search->setFocus(Qt::ShortcutFocusReason);
        m_search->selectAll();
    });
    offer(PageMenu::View, QStringLiteral("nextMatch"), tr("&Next match in the trace"), QKeySequence(Qt::Key_F3),
          [this] { stepMatch(false); });
    offer(PageMenu::View, QStringLiteral("previousMatch"), tr("Pre&vious match in the trace"), QKeySequence(tr("Shift+F3")),
          [this] { stepMatch(true); });
    return bar;
}

void ProfilePage::choose(const std::vector<int> &layers, const std::vector<Op> &ops)
{
    const QScopedValueRollback choosing(m_choosing, true);
    studio().selection().set(layers);
    m_trace->setOps(ops);
}

void ProfilePage::record()
{
    if (!studio().loaded())
        return;
    const HeadMap map = studio().document().map();
    TracePlan plan;
    plan.model = studio().modelName();
    plan.map = {"this map", map};
    plan.context = studio().context();
    plan.steps = decodeSteps;
    RunRequest request;
    request.task = traceTask;
    request.title = tr("Record trace");
    request.ofModel = studio().modelName();
    request.page = objectName();
    request.commandLine = [&studio = studio(), model = studio().lineModel(), plan]() -> Result<std::string> {
        ZIGZAG_TRY(word, studio.mapWord(plan.map.map));
        TracePlan prefill = plan, decode = plan;
        prefill.phase = Phase::Prefill;
        decode.phase = Phase::Decode;
        return jobs::traceLine(model, word, prefill, "prefill.trace") + " && "
            + jobs::traceLine(model, word, decode, "decode.trace");
    };
    if (studio().costHere().isFitted()) // warmed up first, and the decode steps are few beside that
        request.expectedSeconds = 1e-3 * 2 * studio().costHere().estimate(map, Phase::Prefill, studio().context()).ms;
    const QPointer<ProfilePage> page(this);
    // Shared by the runs of this request: one that was stopped goes on behind the passes that it has.
    struct SoFar {
        TraceSoFar trace;
        bool hasPrefill = false;
    };
    request.work = [page, plan, soFar = std::make_shared<SoFar>()](const TaskContext &context) -> Result<void> {
        context.progress(0, tr("Recording a trace: prefill"));
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            if (phase == Phase::Prefill && soFar->hasPrefill)
                continue; // shown when it was there
            TracePlan each = plan;
            each.phase = phase;
            const auto tell = [&](const JobStep &step) {
                constexpr double prefillShare = 0.9; // of the progress: the decode steps are few
                if (step.part != JobPart::Trace)
                    return;
                if (phase == Phase::Prefill)
                    context.progress(prefillShare * step.fraction, tr("Recording a trace: prefill"));
                else
                    context.progress(prefillShare + (1 - prefillShare) * step.fraction, tr("Recording a trace: decode"));
            };
            ZIGZAG_TRY(recorded, jobs::trace(context.told(tell), each, &soFar->trace));
            soFar->trace = {};
            soFar->hasPrefill = phase == Phase::Prefill; // asked again, both are recorded again
            context.deliver([page, plan, trace = std::make_shared<const Trace>(std::move(recorded))] {
                if (page)
                    page->take(plan, trace);
            });
        }
        return {};
    };
    studio().runs().enqueue(std::move(request));
}

/// What was recorded.
void ProfilePage::take(const TracePlan &plan, const std::shared_ptr<const Trace> &trace)
{
    studio().plotted().measurements().addTrace(plan.map.map, trace);
    studio().runList().addTrace(entryOf(trace, tr("trace"), QDateTime::currentDateTime()), plan.map.map);
    const QString at = contextText(plan.context);
    const Phase of = trace->info.phase;
    add({of == Phase::Prefill ? tr("TTFT at %1: this map").arg(at) : tr("TPOT at %1: this map").arg(at), trace, false},
        of == studio().phase());
    studio().refreshSoon();
}

Result<void> ProfilePage::openTrace(const QString &path)
{
    ZIGZAG_TRY(trace, readTrace(pathOf(path)));
    const auto opened = std::make_shared<const Trace>(std::move(trace));
    const QString name = shownFileName(path);
    studio().runList().addTrace(entryOf(opened, name, lastModified(path)));
    add({name, opened, true}, true);
    if (opened->info.isForeign)
        studio().say(MessageBar::Kind::Note,
                     tr("%1: recorded by another program: %2 events in %3 rows.%4")
                         .arg(name, QString::number(opened->kernels.size()), QString::number(opened->rows.size()),
                              opened->info.note.empty() ? QString()
                                                        : QStringLiteral(" %1.").arg(QString::fromStdString(opened->info.note))));
    return {};
}

void ProfilePage::add(Shown shown, bool choose)
{
    constexpr std::size_t most = 24;
    if (m_traces.size() == most) {
        m_traces.erase(m_traces.begin());
        m_choice->removeItem(0);
    }
    const auto alike
        = std::count_if(m_traces.begin(), m_traces.end(), [&](const Shown &other) { return other.name.startsWith(shown.name); });
    if (alike)
        shown.name = tr("%1 (%2)").arg(shown.name).arg(alike + 1);
    m_traces.push_back(std::move(shown));
    m_choice->addItem(m_traces.back().name);
    if (choose || m_choice->count() == 1)
        m_choice->setCurrentIndex(m_choice->count() - 1);
}

void ProfilePage::forgetRecorded()
{
    for (std::size_t index = m_traces.size(); index-- > 0;)
        if (!m_traces[index].fromFile) {
            m_traces.erase(m_traces.begin() + static_cast<std::ptrdiff_t>(index));
            m_choice->removeItem(static_cast<int>(index));
        }
    showChosen();
}

void ProfilePage::showChosen()
{
    const int index = m_choice->currentIndex();
    m_trace->show(index < 0 ? nullptr : m_traces[static_cast<std::size_t>(index)].trace);
    const bool kernels = m_trace->trace() && !m_trace->trace()->kernels.empty();
    const int place = m_group->findData(byKernel);
    if (kernels && place < 0)
        m_group->addItem(tr("kernel"), byKernel);
    else if (!kernels && place >= 0)
        m_group->removeItem(place);
    const bool ranks = m_trace->trace() && m_trace->trace()->info.gpus > 1;
    for (const auto &[name, by] : {std::pair(tr("rank"), GroupBy::Rank), std::pair(tr("op and rank"), GroupBy::OpAndRank)})
        if (const int at = m_group->findData(static_cast<int>(by)); ranks && at < 0)
            m_group->addItem(name, static_cast<int>(by));
        else if (!ranks && at >= 0)
            m_group->removeItem(at);
    if (kernels && m_trace->trace()->info.isForeign) // there is nothing else to group by
        m_group->setCurrentIndex(m_group->findData(byKernel));
    fillTable();
    showMatches();
    showInfo();
}

void ProfilePage::showInfo()
{
    const Trace *trace = m_trace->trace();
    QStringList parts;
    if (trace && trace->info.predicted)
        parts << tr("Predicted by the cost model, not recorded: hatched.");
    if (trace && trace->info.isForeign)
        parts << tr("Recorded by another program. Self is the time without what lies inside.");
    if (trace && trace->info.inDeviceTime)
        parts << (trace->info.isReplayed ? tr("Spans in the time of their kernels, decode replayed as it runs.")
                                         : tr("Spans in the time of their kernels."));
    if (trace && trace->info.stepMs > 0 && trace->info.watchedStepMs > 0)
        parts << tr("A step takes %1, and %2 while it is recorded (%3).")
                     .arg(timeText(trace->info.stepMs), timeText(trace->info.watchedStepMs),
                          changeText(trace->info.watchedStepMs, trace->info.stepMs));
    if (trace && trace->info.disturbed)
        parts << tr(
            "Other programs took the processors while it was recorded: its times are longer than when the machine is left "
            "alone.");
    if (trace && !trace->info.note.empty())
        parts << QString::fromStdString(trace->info.note) + QLatin1Char('.');
    if (trace && trace->dropped > 0)
        parts << tr("%1 spans and kernels no longer fitted into the recorder.").arg(trace->dropped);
    m_info->setText(parts.join(QLatin1Char(' ')));
    m_info->setVisible(!parts.isEmpty());
    m_choice->setToolTip(trace ? describe(trace->info) : QString());
}

void ProfilePage::shareRoom()
{
    if (m_splitByHand)
        return;
    // The timeline takes what its lanes need, up to three fifths; the table has the rest.
    const int all = m_split->height();
    const int lanes = std::clamp(m_timeline->contentHeight() + fontMetrics().height() / 2, m_timeline->minimumSizeHint().height(),
                                 std::max(m_timeline->minimumSizeHint().height(), all * 3 / 5));
    m_split->setSizes({lanes, std::max(1, all - lanes)});
}

void ProfilePage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    shareRoom();
}

void ProfilePage::fillTable()
{
    const Trace *trace = m_trace->trace();
    const TimeRange range = m_timeline->area().value_or(TimeRange());
    if (!trace)
        m_rows->show({});
    else if (m_group->currentData().toInt() == byKernel)
        m_rows->showKernels(kernelTable(*trace, range));
    else
        m_rows->show(zigzag::opTable(*trace, static_cast<GroupBy>(m_group->currentData().toInt()), range));
    m_table->setVisible(trace != nullptr); // an empty table would keep room that the map needs
}

void ProfilePage::showArea()
{
    const auto &area = m_timeline->area();
    m_clearArea->setVisible(area.has_value());
    QString text;
    if (const Trace *trace = m_trace->trace(); trace && area) {
        text = tr("Selected: %1").arg(durationText(static_cast<double>(area->endNs - area->beginNs)));
        const auto isInside = [&](const auto &each) { return each.endNs() > area->beginNs && each.beginNs < area->endNs; };
        text += tr(", %1 spans").arg(std::count_if(trace->spans.begin(), trace->spans.end(), isInside));
        if (!trace->kernels.empty()) {
            std::int64_t count = 0, ns = 0;
            for (const KernelRow &row : kernelTable(*trace, *area)) {
                count += row.count;
                ns += row.totalNs;
            }
            text += tr(", %1 kernels of %2").arg(count).arg(durationText(static_cast<double>(ns)));
        }
    }
    m_area->setText(text);
    fillTable();
}

void ProfilePage::showMatches()
{
    m_matches->setText(m_trace->search().isEmpty()   ? QString()
                           : m_trace->matches() == 1 ? tr("1 match")
                                                     : tr("%1 matches").arg(m_trace->matches()));
}

void ProfilePage::stepMatch(bool backwards)
{
    if (m_trace->search().isEmpty())
        return;
    TraceModel::Item next = m_trace->nextMatch(m_timeline->current(), backwards);
    if (!next.isValid())
        next = m_trace->nextMatch({}, backwards); // around the end
    if (next.isValid())
        m_timeline->setCurrent(next);
}

void ProfilePage::refresh()
{
    m_record->setEnabled(studio().loaded().has_value());
    const ModelShape &model = studio().document().model();
    if (model.name != m_model.name || model.layers != m_model.layers) { // another model: its traces go with it
        m_model = model;
        forgetRecorded();
    }
    const QString doing = studio().doing(traceTask);
    m_timeline->setHint(
        !doing.isEmpty() ? doing
            : studio().loaded()
            ? tr("Where does the time go? Record a trace of this map with Run › Record trace (F9), or open a trace file.")
            : studio().modelName().empty()      ? tr("Open a trace file, or the model to record one.")
            : studio().whyNotLoaded().isEmpty() ? tr("loading the model…")
                                                : studio().whyNotLoaded());
}

} // namespace zigzag
