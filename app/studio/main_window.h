// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/document.h"
#include "app/studio/recent_files.h"
#include "app/studio/run_controller.h"
#include "app/studio/theme.h"
#include "app/studio/user_prompts.h"
#include "views/models/study.h"

#include <QMainWindow>
#include <QTimer>
#include <memory>

class QComboBox;
class QLabel;
class QProgressBar;

namespace zigzag {

class AssignPanel;
class HeadlineBar;
class HeadMapModel;
class HeadMapView;
class MessageBar;
class NeedleView;
class PlotsPanel;
class ScoreLegend;
struct WindowActions;

/// The window: it passes what the hand does on to the document and the runs, and what they say on to the views.
/// Files: main_window_actions (menus), main_window_files (open, save, export), main_window_runs (runs and their results).
class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    struct Parts {
        std::unique_ptr<RunWorker> worker;
        std::unique_ptr<UserPrompts> prompts;
        std::unique_ptr<QSettings> settings; ///< null: nothing is remembered
    };
    explicit MainWindow(Parts parts);
    ~MainWindow() override;

    /// A map, scores, a model folder, `preset:NAME` or `bundled:NAME`, judged by content. What cannot be opened is said in
    /// the message bar and changes nothing.
    bool open(const QString &name);
    bool saveTo(const QString &path);

    Document &document() { return m_document; }
    RunController &runs() { return m_runs; }
    const Study &study() const { return m_study; }
    HeadMapView &headMap() { return *m_headMap; }
    MessageBar &messages() { return *m_messages; }
    PlotsPanel &plots() { return *m_plots; }
    HeadlineBar &headline() { return *m_headline; }
    const WindowActions &actions() const { return *m_actions; }
    bool canScore() const { return m_loaded && m_loaded->hasTokenizer; }
    Theme theme() const { return m_theme; }
    void setTheme(Theme theme);
    /// Brings every view up to date now rather than at the end of this turn of the event loop.
    void refreshNow();

Q_SIGNALS:
    void refreshed();

protected:
    void closeEvent(QCloseEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    // main_window.cpp
    void buildViews();
    void buildToolBar();
    void connectViews();
    void refreshSoon() { m_refresh.start(); }
    void refresh();
    void refreshLayers();
    void refreshAssignPanel();
    void refreshTitle();
    void refreshContexts();
    QString whyNoTimes() const;
    std::int64_t context() const;
    void report(const Result<void> &result);
    void say(const Error &error);

    // main_window_actions.cpp
    void buildActions();
    void buildMenus();
    void refreshActions();
    void refreshRecent();
    std::vector<Cell> targetCells() const;
    void showPalette();
    void showShortcuts();
    void showAbout();
    QList<QAction *> allActions() const;

    // main_window_files.cpp
    bool openModel(const QString &name);
    bool openMap(const QString &path);
    bool openScores(const QString &path);
    bool mayLoseEdits();
    bool save();
    bool saveAs();
    void exportMap();
    void adopt(const ModelShape &shape, std::optional<ModelConfig> config);
    void loadInBackground(const std::string &name);
    /// Scores that arrive before anybody edited: the first map is Zigzag at one half rather than full.
    void takeScores(std::shared_ptr<const HeadScores> scores);

    // main_window_runs.cpp
    void connectRuns();
    void calibrateModel();
    void scoreModel(bool asked);
    void measureMaps();
    void askNeedles();
    void onLoaded(const LoadedModel &model);
    void onFinished(RunKind kind, const RunOutcome &outcome);
    void refreshProgress();

    std::unique_ptr<UserPrompts> m_prompts;
    std::unique_ptr<QSettings> m_settings;
    RecentFiles m_recent;
    Document m_document;
    RunController m_runs;
    Study m_study;
    QTimer m_refresh;
    std::string m_modelName; ///< as MODEL on the command line; empty for a map without its model
    std::optional<LoadedModel> m_loaded;
    QString m_whyNotLoaded; ///< after a failed or cancelled load
    Theme m_theme = Theme::System;

    HeadMapModel *m_model = nullptr;
    HeadMapView *m_headMap = nullptr;
    ScoreLegend *m_scoreLegend = nullptr;
    AssignPanel *m_assign = nullptr;
    PlotsPanel *m_plots = nullptr;
    NeedleView *m_needle = nullptr;
    HeadlineBar *m_headline = nullptr;
    MessageBar *m_messages = nullptr;
    QComboBox *m_contextBox = nullptr;
    QComboBox *m_phaseBox = nullptr;
    QProgressBar *m_progress = nullptr;
    QLabel *m_progressText = nullptr;
    QList<QAction *> m_whileBusy; ///< parts of the tool bar that are there during a run
    std::unique_ptr<WindowActions> m_actions;
};

/// Sink and recent tokens that a new map begins with: less than an eighth of the model's context.
std::pair<int, int> defaultWindow(std::int64_t maxContext);

} // namespace zigzag
