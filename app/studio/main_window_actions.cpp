// SPDX-License-Identifier: GPL-3.0-or-later
// Actions and menus, the command palette, and what Help shows.
#include "app/studio/main_window.h"
#include "app/studio/pages/map_page.h"
#include "app/studio/preferences_dialog.h"
#include "app/studio/window_actions.h"

#include "engine/map/kv_layout.h"
#include "engine/model/memory_limit.h"
#include "engine/model/model.h"
#include "engine/model/resources.h"
#include "views/models/native_path.h"
#include "views/widgets/command_palette.h"
#include "views/widgets/guide_window.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/text_dialogs.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>

namespace zigzag {

void MainWindow::buildActions()
{
    const auto make = [this](const QString &text, const QKeySequence &keys, auto &&slot) {
        auto *action = new QAction(text, this);
        action->setShortcut(keys);
        connect(action, &QAction::triggered, this, slot);
        return action;
    };
    WindowActions &all = *m_actions;
    all.open = make(tr("&Open session, map, scores, trace, runs or GGUF model…"), QKeySequence::Open, [this] {
        if (const QString path
            = m_studio.prompts().fileToOpen(this, tr("Open a session, a map, scores, a trace, runs or a GGUF model"));
            !path.isEmpty())
            open(path);
    });
    all.openFolder = make(tr("Open model &folder…"), QKeySequence(tr("Ctrl+Shift+O")), [this] {
        if (const QString path = m_studio.prompts().folderToOpen(this, tr("Open a model folder")); !path.isEmpty())
            open(path);
    });
    all.openConfig = make(tr("Open model &without weights…"), {}, [this] {
        if (const QString path = m_studio.prompts().fileToOpen(this, tr("Open a config.json or a GGUF file without its weights"));
            !path.isEmpty())
            openWithoutWeights(path);
    });
    all.openConfig->setObjectName(QStringLiteral("openConfig"));
    all.importScores = make(tr("&Import scores…"), QKeySequence(tr("Ctrl+I")), [this] {
        if (const QString path = m_studio.prompts().fileToOpen(this, tr("Import scores")); !path.isEmpty())
            open(path);
    });
    all.save = make(tr("&Save map"), QKeySequence::Save, [this] { save(); });
    all.saveAs = make(tr("Save map &as…"), QKeySequence(tr("Ctrl+Shift+S")), [this] { saveAs(); });
    all.saveSession = make(tr("Save sessio&n"), QKeySequence(tr("Ctrl+Alt+S")), [this] { saveSession(); });
    all.saveSession->setObjectName(QStringLiteral("saveSession"));
    all.saveSession->setToolTip(tr("Keep everything that was worked out with this model in one file"));
    all.saveSessionAs = make(tr("Save session as…"), {}, [this] { saveSessionAs(); });
    all.saveSessionAs->setObjectName(QStringLiteral("saveSessionAs"));
    all.exportMap = make(tr("&Export map…"), QKeySequence(tr("Ctrl+E")), [this] { exportMap(); });
    all.report = make(tr("Report for a collea&gue…"), {}, [this] { writeReport(); });
    all.report->setObjectName(QStringLiteral("writeReport"));
    all.close = make(tr("&Quit"), QKeySequence(tr("Ctrl+Q")), [this] { close(); });

    all.undo = document().undoGroup().createUndoAction(this, tr("&Undo"));
    all.undo->setShortcut(QKeySequence::Undo);
    all.redo = document().undoGroup().createRedoAction(this, tr("&Redo"));
    all.redo->setShortcuts({QKeySequence(QKeySequence::Redo), QKeySequence(tr("Ctrl+Y"))});
    all.flip = make(tr("&Flip heads"), QKeySequence(Qt::Key_Space), [this] { document().toggle(m_map->targets()); });
    all.retrieve = make(tr("Let heads &retrieve"), QKeySequence(Qt::Key_R),
                        [this] { document().setKind(m_map->targets(), HeadKind::Retrieval); });
    all.stream = make(tr("Let heads &stream"), QKeySequence(Qt::Key_S),
                      [this] { document().setKind(m_map->targets(), HeadKind::Streaming); });
    all.lock = make(tr("&Lock layers"), QKeySequence(Qt::Key_L), [this] { document().toggleLocks(headMap().targetLayers()); });
    all.selectAll = make(tr("Select &all heads"), QKeySequence::SelectAll, [this] {
        const QAbstractItemModel *heads = headMap().selectionModel()->model();
        if (heads->rowCount() > 0)
            headMap().selectionModel()->select(
                QItemSelection(heads->index(0, 0), heads->index(heads->rowCount() - 1, heads->columnCount() - 1)),
                QItemSelectionModel::Select);
    });
    // Letters are for the head map alone: elsewhere they are typed.
    for (QAction *action : {all.flip, all.retrieve, all.stream, all.lock, all.selectAll}) {
        action->setShortcutContext(Qt::WidgetShortcut);
        headMap().addAction(action);
    }
    all.exclusive
        = make(tr("&Make exclusive"), QKeySequence(tr("Ctrl+M")), [this] { m_studio.report(document().makeExclusive()); });

    all.preferences = make(tr("&Preferences…"), QKeySequence(tr("Ctrl+,")), [this] { askPreferences(); });
    all.preferences->setMenuRole(QAction::PreferencesRole);

    all.measure = make(tr("&Measure"), QKeySequence(Qt::Key_F5), [this] { m_studio.measureMaps(); });
    all.measure->setToolTip(tr("Measure TTFT, TPOT and KV memory of all series (F5)"));
    all.needle = make(tr("&Needle"), QKeySequence(Qt::Key_F6), [this] {
        m_studio.askNeedles();
        raisePage(QStringLiteral("needle"));
    });
    all.needle->setToolTip(tr("Ask this map and full attention for keys hidden in long text (F6)"));
    all.score = make(tr("&Score heads"), QKeySequence(Qt::Key_F7), [this] { m_studio.scoreModel(true); });
    all.score->setToolTip(tr("Score every KV head by the attention it pays to needles (F7)"));
    all.calibrate = make(tr("&Calibrate predictions"), QKeySequence(Qt::Key_F8), [this] { m_studio.calibrateModel(true); });
    all.checkServer = make(tr("Check a ser&ver…"), {}, [this] { checkServer(); });
    all.checkServer->setObjectName(QStringLiteral("checkServer"));
    all.checkServer->setToolTip(tr("Ask a running server whether it applies this map, and how fast it is"));
    all.recommend = make(tr("&Recommend a map…"), QKeySequence(tr("Ctrl+R")), [this] { recommend(); });
    all.recommend->setObjectName(QStringLiteral("recommendMap"));
    all.recommend->setToolTip(tr("From a model to the map that an engine should serve: searched, judged and exported"));
    all.cancel = make(tr("Cancel"), {}, [this] { runs().cancel(); }); // Esc: main_window_keys.cpp
    all.cancel->setToolTip(tr("Stop the current run; what waits goes on (Esc, when there is nothing else to leave)"));

    all.themes = new QActionGroup(this);
    for (const auto &[theme, name] : {std::pair(Theme::System, tr("Theme: as the &desktop")),
                                      std::pair(Theme::Light, tr("Theme: &light")), std::pair(Theme::Dark, tr("Theme: &dark"))}) {
        QAction *action = make(name, {}, [this, theme = theme] { setTheme(theme); });
        action->setCheckable(true);
        action->setData(static_cast<int>(theme));
        all.themes->addAction(action);
    }
    all.resetLayout = make(tr("Reset la&yout"), {}, [this] { resetLayout(); });
    all.palette = make(tr("Command &palette"), QKeySequence(tr("Ctrl+Shift+P")), [this] { showPalette(); });
    all.guide = make(tr("&Guide"), QKeySequence(Qt::Key_F1), [this] { showGuide(guidePlace()); });
    all.guide->setToolTip(tr("What one does here, with pictures (F1)"));
    all.glossary = make(tr("G&lossary"), {}, [this] { showGuide(QStringLiteral("glossary")); });
    all.shortcuts = make(tr("&Keyboard shortcuts"), QKeySequence(tr("?")), [this] { showShortcuts(); });
    all.about = make(tr("&About and licences"), {}, [this] { showAbout(); });
}

void MainWindow::buildMenus()
{
    WindowActions &all = *m_actions;
    QMenu *file = menuBar()->addMenu(tr("&File"));
    file->addActions({all.open, all.openFolder, all.openConfig});
    QMenu *bundled = file->addMenu(tr("Open &built-in model"));
    QMenu *described = file->addMenu(tr("Open built-in s&hape without weights"));
    for (const std::string &name : presetNames()) {
        const QString full = QStringLiteral("preset:") + QString::fromStdString(name);
        QAction *action = described->addAction(full);
        action->setProperty(CommandPalette::prefix, tr("Open without weights: "));
        connect(action, &QAction::triggered, this, [this, full] { openWithoutWeights(full); });
    }
    for (const auto &[prefix, names] :
         {std::pair(QStringLiteral("bundled:"), bundledNames()), std::pair(QStringLiteral("preset:"), presetNames())})
        for (const std::string &name : names) {
            const QString full = prefix + QString::fromStdString(name);
            QAction *action = bundled->addAction(full);
            action->setProperty(CommandPalette::prefix, tr("Open built-in model: "));
            connect(action, &QAction::triggered, this, [this, full] { open(full); });
        }
    all.recent = file->addMenu(tr("Open &recent"));
    file->addSeparator();
    file->addActions({all.importScores});
    file->addSeparator();
    file->addActions({all.saveSession, all.saveSessionAs});
    file->addSeparator();
    file->addActions({all.save, all.saveAs, all.exportMap, all.report});
    file->addSeparator();
    file->addAction(all.close);

    QMenu *edit = menuBar()->addMenu(tr("&Edit"));
    edit->addActions({all.undo, all.redo});
    edit->addSeparator();
    edit->addActions({all.flip, all.retrieve, all.stream, all.lock, all.selectAll});
    edit->addSeparator();
    edit->addAction(all.exclusive);
    edit->addMenu(buildVariantsMenu());
    edit->addSeparator();
    edit->addAction(all.preferences);

    QMenu *run = menuBar()->addMenu(tr("&Run"));
    run->addAction(all.recommend);
    run->addSeparator();
    run->addActions({all.measure, all.needle, all.score, all.calibrate, all.checkServer});
    run->addSeparator();
    run->addMenu(buildKvTypeMenu());
    run->addMenu(buildServedByMenu());
    run->addSeparator();
    run->addAction(all.cancel);

    QMenu *view = buildViewMenu();
    QMenu *exhibits = new QMenu(tr("Save plot or &table"), file);
    exhibits->addActions(pageActions(PageMenu::Export));
    exhibits->addSeparator();
    exhibits->addMenu(buildPaperMenu());
    file->insertMenu(all.close, exhibits);
    file->insertSeparator(all.close);
    for (const auto &[menu, place] : {std::pair(file, PageMenu::File), std::pair(edit, PageMenu::Edit),
                                      std::pair(run, PageMenu::Run), std::pair(view, PageMenu::View)})
        if (const QList<QAction *> more = pageActions(place); !more.isEmpty()) {
            QAction *last = menu == file ? exhibits->menuAction()
                : menu == run            ? all.cancel
                : menu == edit           ? all.preferences
                                         : nullptr;
            menu->insertActions(last, more);
            menu->insertSeparator(last ? last : more.first());
        }

    QMenu *help = menuBar()->addMenu(tr("&Help"));
    help->addActions({all.guide, all.glossary});
    help->addSeparator();
    help->addActions({all.palette, all.shortcuts});
    help->addSeparator();
    help->addAction(all.about);
    refreshRecent();
    nameOtherwise();
}

/// What models keep keys and values in.
QMenu *MainWindow::buildKvTypeMenu()
{
    auto *menu = new QMenu(tr("&Keys and values in"), this);
    auto *group = new QActionGroup(menu);
    const auto add = [&](const QString &text, const QString &name, std::optional<DType> type) {
        QAction *action = menu->addAction(text);
        action->setObjectName(QStringLiteral("kvType_") + name);
        action->setCheckable(true);
        action->setChecked(!type);
        action->setProperty(CommandPalette::prefix, tr("Keys and values in: "));
        connect(action, &QAction::triggered, this, [this, type] { m_studio.setKvType(type); });
        group->addAction(action);
    };
    add(tr("the weights' own type"), QStringLiteral("own"), {});
    for (const DType type : kvTypes) {
        const QString name = QString::fromStdString(std::string(nameOf(type)));
        add(name, name, type);
    }
    return menu;
}

/// What saved pictures are for.
QMenu *MainWindow::buildPaperMenu()
{
    auto *menu = new QMenu(tr("&Size of saved pictures"), this);
    m_papers = new QActionGroup(menu);
    for (const auto &[paper, name] :
         {std::pair(PaperSize::Screen, tr("As on the screen")), std::pair(PaperSize::Column, tr("A column of a paper, 85 mm")),
          std::pair(PaperSize::Page, tr("The width of a page, 180 mm")), std::pair(PaperSize::Slide, tr("A slide, 16 : 9"))}) {
        QAction *action = menu->addAction(name);
        action->setObjectName(QStringLiteral("paper_%1").arg(static_cast<int>(paper)));
        action->setCheckable(true);
        action->setChecked(paper == m_studio.paper());
        action->setData(static_cast<int>(paper));
        action->setProperty(CommandPalette::prefix, tr("Size of saved pictures: "));
        connect(action, &QAction::triggered, this, [this, paper = paper] { m_studio.setPaper(paper); });
        m_papers->addAction(action);
    }
    return menu;
}

/// Who will serve the map, by the names of `--as-engine`.
QMenu *MainWindow::buildServedByMenu()
{
    auto *menu = new QMenu(tr("As serve&d by"), this);
    auto *group = new QActionGroup(menu);
    const auto add = [&](const QString &text, const std::string &engine) {
        QAction *action = menu->addAction(text);
        action->setObjectName(QStringLiteral("servedBy_") + QString::fromStdString(engine));
        action->setCheckable(true);
        action->setChecked(engine.empty());
        action->setProperty(CommandPalette::prefix, tr("As served by: "));
        connect(action, &QAction::triggered, this, [this, engine] { m_studio.setServedBy(engine); });
        group->addAction(action);
    };
    add(tr("zigzag's own engine"), {});
    for (const ServingEngine &each : servingEngines()) {
        const std::string name(each.name);
        add(QStringLiteral("%1: %2").arg(QString::fromStdString(name), QString::fromStdString(std::string(each.title))), name);
    }
    return menu;
}

/// Each entry shows its page and brings it to the front; a page is closed by its own button.
QMenu *MainWindow::buildViewMenu()
{
    QMenu *view = menuBar()->addMenu(tr("&View"));
    view->addActions(m_actions->themes->actions());
    view->addSeparator();
    const auto add = [this, view](const Page *page, int digit, auto &&show) {
        QAction *action = view->addAction(page->windowTitle());
        action->setObjectName(QStringLiteral("show_") + page->objectName());
        constexpr int mostDigits = 9; // behind them they begin anew
        const Qt::KeyboardModifiers held = digit <= mostDigits ? Qt::AltModifier : Qt::AltModifier | Qt::ShiftModifier;
        const int key = Qt::Key_0 + (digit <= mostDigits ? digit : digit - mostDigits);
        action->setShortcut(QKeySequence(QKeyCombination(held, static_cast<Qt::Key>(key))));
        action->setProperty(CommandPalette::prefix, tr("Page: "));
        connect(action, &QAction::triggered, this, show);
    };
    add(m_map, 0, [this] { headMap().setFocus(Qt::OtherFocusReason); });
    int digit = 0;
    for (const Docked &each : m_docks)
        add(each.page, ++digit, [this, name = each.page->objectName()] { showPage(name); });
    view->addAction(m_actions->resetLayout);
    return view;
}

/// What a person may call a command otherwise: the palette finds it by these words too.
void MainWindow::nameOtherwise()
{
    const auto also = [](QAction *action, const QString &words) { action->setProperty(CommandPalette::synonyms, words); };
    also(m_actions->measure, tr("benchmark latency speed TTFT TPOT time"));
    also(m_actions->needle, tr("passkey retrieval haystack ask quality"));
    also(m_actions->score, tr("attention rank importance"));
    also(m_actions->calibrate, tr("cost model predict"));
    also(m_actions->checkServer, tr("vLLM SGLang llama.cpp OpenAI applied running URL"));
    also(m_actions->recommend, tr("best map answer auto tune optimise wizard vLLM export"));
    also(m_actions->cancel, tr("stop abort"));
    also(m_actions->exportMap, tr("vLLM SGLang transformers llama.cpp deploy"));
    also(m_actions->importScores, tr("load open"));
    also(m_actions->exclusive, tr("whole layers zigzag"));
    also(m_actions->shortcuts, tr("help keys mouse"));
    also(m_actions->preferences, tr("settings options threads memory font size contexts patience"));
    also(m_actions->guide, tr("help manual documentation tutorial how"));
    also(m_actions->glossary, tr("words terms meaning help"));
    for (const auto &[name, words] :
         {std::pair("sweepQuality", tr("pareto trade-off front loss")),
          std::pair("searchLayers", tr("find ablation greedy gates answer loss likelihood KL")),
          std::pair("recordTrace", tr("profile timeline ops")), std::pair("show_profile", tr("trace timeline ops")),
          std::pair("orderByScore", tr("sort rank cut")), std::pair("numbersInCells", tr("score values digits")),
          std::pair("showAttention", tr("matrix picture tokens keys needle")),
          std::pair("show_inspector", tr("inspector explain score cut rank attention")),
          std::pair("show_quality", tr("pareto sweep trade-off")), std::pair("show_runs", tr("compare benchmarks")),
          std::pair("show_plots", tr("TTFT TPOT KV memory")), std::pair("show_assign", tr("criterion sparsity budget"))})
        if (auto *action = findChild<QAction *>(QLatin1String(name)))
            also(action, words);
}

QList<QAction *> MainWindow::pageActions(PageMenu menu) const
{
    QList<QAction *> found = m_map->actionsIn(menu);
    for (const Docked &each : m_docks)
        found += each.page->actionsIn(menu);
    return found;
}

void MainWindow::refreshRecent()
{
    m_actions->recent->clear();
    for (const QString &name : m_recent.names()) {
        QAction *action = m_actions->recent->addAction(shownPath(name));
        action->setProperty(CommandPalette::prefix, tr("Open recent: "));
        // A built-in model stands in its own menu; the palette needs it once.
        action->setProperty(CommandPalette::hidden,
                            name.startsWith(QLatin1String("bundled:")) || name.startsWith(QLatin1String("preset:")));
        connect(action, &QAction::triggered, this, [this, name] { open(name); });
    }
    m_actions->recent->setEnabled(!m_recent.names().isEmpty());
}

void MainWindow::refreshActions()
{
    const bool any = document().map().layers() > 0;
    for (QAction *action :
         {m_actions->saveSession, m_actions->saveSessionAs, m_actions->save, m_actions->saveAs, m_actions->exportMap,
          m_actions->report, m_actions->flip, m_actions->retrieve, m_actions->stream, m_actions->lock, m_actions->selectAll})
        action->setEnabled(any);
    m_actions->exclusive->setEnabled(document().state().scores != nullptr);
    m_actions->measure->setEnabled(m_studio.loaded().has_value());
    m_actions->calibrate->setEnabled(m_studio.loaded().has_value());
    m_actions->needle->setEnabled(m_studio.canScore());
    m_actions->checkServer->setEnabled(m_studio.loaded().has_value());
    m_actions->score->setEnabled(m_studio.canScore());
    m_actions->cancel->setEnabled(runs().isBusy());
    for (QAction *action : m_actions->themes->actions())
        action->setChecked(action->data().toInt() == static_cast<int>(m_theme));
}

QList<QAction *> MainWindow::allActions() const
{
    QList<QAction *> actions;
    const auto collect = [&actions](const QMenu *menu, auto &&self) -> void {
        for (QAction *action : menu->actions()) {
            if (action->menu())
                self(action->menu(), self);
            else if (!action->isSeparator() && !actions.contains(action))
                actions.append(action);
        }
    };
    for (QAction *top : menuBar()->actions())
        if (top->menu())
            collect(top->menu(), collect);
    return actions;
}

void MainWindow::showPalette()
{
    CommandPalette palette(allActions(), this);
    palette.exec();
}

void MainWindow::showShortcuts()
{
    ShortcutsDialog dialog(allActions(),
                           {{tr("Click, drag"), tr("flip heads; a drag is one step of undo")},
                            {tr("Shift+click, Shift+drag, Shift+arrows"), tr("select heads")},
                            {tr("Ctrl+click"), tr("add heads to the selection")},
                            {tr("Arrows, Home, End, Page"), tr("move through the heads")},
                            {tr("Double-click a layer number"), tr("flip the whole layer")},
                            {tr("Esc"), tr("leave a stroke, a search, a selection; then stop the run")},
                            {tr("Timeline: W, S or +, −, Ctrl+wheel"), tr("zoom in and out")},
                            {tr("Timeline: A, D, Shift+wheel, Home"), tr("move through time, back to the whole")},
                            {tr("Timeline: arrows"), tr("go from item to item, and from lane to lane")},
                            {tr("Timeline: F, Enter"), tr("show what is chosen as large as the window")},
                            {tr("Timeline: drag"), tr("select a stretch of time; Esc leaves it")}},
                           this);
    dialog.exec();
}

void MainWindow::askPreferences()
{
    PreferencesDialog dialog(m_studio.preferences(), this);
    if (dialog.exec() != QDialog::Accepted)
        return;
    if (m_settings)
        writePreferences(dialog.chosen(), *m_settings);
    apply(dialog.chosen());
}

void MainWindow::apply(const Preferences &preferences)
{
    m_studio.setPreferences(preferences);
    limitMemory(preferences.memoryBytes);
    QFont font = m_desktopFont;
    if (preferences.fontPoints > 0)
        font.setPointSize(preferences.fontPoints);
    if (font == QApplication::font())
        return;
    QApplication::setFont(font);
    QEvent changed(QEvent::ApplicationFontChange); // Qt tells windows itself only once the application runs
    QCoreApplication::sendEvent(this, &changed);
}

void MainWindow::showGuide(const QString &place)
{
    if (!m_guide) {
        auto guide = Guide::read(resourceFolder() / "guide");
        if (!guide)
            return m_studio.say(guide.error());
        m_guide = new GuideWindow(std::move(*guide), this);
    }
    m_guide->open(place);
}

/// Of the page that has the keyboard, else of the head map.
QString MainWindow::guidePlace() const
{
    for (const QWidget *widget = focusWidget(); widget; widget = widget->parentWidget())
        if (const auto *page = qobject_cast<const Page *>(widget))
            return page->guidePage();
    return m_map->guidePage();
}

void MainWindow::showAbout()
{
    AboutDialog(this).exec();
}

} // namespace zigzag
