// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "app/studio/recent_files.h"
#include "app/studio/state/studio.h"
#include "app/studio/theme.h"

#include <QApplication>
#include <QFont>
#include <QMainWindow>
#include <memory>

class QActionGroup;
class QDockWidget;
class QShortcut;

namespace zigzag {

class RunsBar;
class GuideWindow;
class HeadlineBar;
class HeadMapView;
class LongRunNotice;
class MapPage;
class PlotsPage;
class PlotsPanel;
class ProfilePage;
class QuestionsPage;
class RunsPage;
class SessionKeeper;
struct RestoredSession;
struct WindowActions;

/// The window: a frame around the studio's pages. The head map is in the middle, every other page is a dock.
/// Files: main_window_actions (menus), main_window_files (open, save, export, check), main_window_keys (Esc, shortcuts in text
/// fields), main_window_layout (docks and their places), main_window_session (what is kept of the work), main_window_variants.
class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    struct Parts {
        std::unique_ptr<RunWorker> worker;
        std::unique_ptr<UserPrompts> prompts;
        std::unique_ptr<QSettings> settings; ///< null: nothing is remembered
        std::filesystem::path sessions = {}; ///< folder of sessions that have no name; empty: none is kept before it has one
        std::filesystem::path kept = {}; ///< folder of calibrations for the next start; empty: none are kept
    };
    explicit MainWindow(Parts parts);
    ~MainWindow() override;

    /// A map, scores, a trace, a machine profile, a model's folder, config.json or GGUF file, `preset:NAME` or `bundled:NAME`,
    /// judged by content. What cannot be opened is said in the message bar and changes nothing.
    bool open(const QString &name);
    /// The same of a model, by its config alone: nothing is loaded, and times come from a machine's profile.
    bool openWithoutWeights(const QString &name);
    bool saveTo(const QString &path);
    /// The session that the last window kept; empty: none.
    QString lastSession() const;
    SessionKeeper &keeper() { return *m_keeper; }

    Studio &studio() { return m_studio; }
    Document &document() { return m_studio.document(); }
    RunController &runs() { return m_studio.runs(); }
    const PlottedMaps &plotted() { return m_studio.plotted(); }
    HeadMapView &headMap();
    MessageBar &messages() { return *m_messages; }
    PlotsPanel &plots();
    ProfilePage &profile() { return *m_profile; }
    HeadlineBar &headline() { return *m_headline; }
    LongRunNotice &notice() { return *m_notice; }
    const WindowActions &actions() const { return *m_actions; }
    Theme theme() const { return m_theme; }
    void setTheme(Theme theme);
    /// Brings every view up to date now rather than at the end of this turn of the event loop.
    void refreshNow() { m_studio.refreshNow(); }
    /// Brings the page of this object name to the front, in its dock, and the keyboard to it.
    void showPage(const QString &name);
    /// The same and leaves the keyboard where it is, unless that is behind the page now: what was asked for appears there.
    void raisePage(const QString &name);

protected:
    void closeEvent(QCloseEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void changeEvent(QEvent *event) override;
    bool eventFilter(QObject *watched, QEvent *event) override;
    /// Past what is behind another page's tab, and with what gets the keyboard scrolled into sight.
    bool focusNextPrevChild(bool next) override;

private:
    // main_window.cpp
    void buildPages();
    void buildRecommendPage();
    void refresh();
    void refreshTitle();

    // main_window_layout.cpp
    /// Gives a page its dock; pages of one area share it as tabs, in the order in which they were added.
    template <class T> T *addPage(T *page, Qt::DockWidgetArea area)
    {
        dock(page, area);
        return page;
    }
    void dock(Page *page, Qt::DockWidgetArea area);
    void resetLayout();
    void leaveHidden(const QDockWidget &dock);
    void restoreLayout();
    void saveLayout();

    // main_window_actions.cpp
    void buildActions();
    void buildMenus();
    QMenu *buildKvTypeMenu();
    QMenu *buildPaperMenu();
    QMenu *buildServedByMenu();
    QMenu *buildViewMenu();
    void nameOtherwise();
    QList<QAction *> pageActions(PageMenu menu) const;
    void refreshActions();
    void refreshRecent();
    void showPalette();
    void askPreferences();
    void apply(const Preferences &preferences);
    void showShortcuts();
    void showGuide(const QString &place);
    QString guidePlace() const;
    void showAbout();
    QList<QAction *> allActions() const;

    // main_window_variants.cpp
    QMenu *buildVariantsMenu();
    void refreshVariants();

    // main_window_keys.cpp
    void buildKeys();
    void escape();
    bool leaveFocus();
    bool belongsToWindow(const QKeySequence &keys) const;

    // main_window_files.cpp
    bool openModel(const QString &name, bool withWeights);
    bool openProfile(const QString &path);
    bool openMap(const QString &path);
    bool openScores(const QString &path);
    /// The model of a file takes the window: with its config and its weights where it comes with the program.
    void adoptModelOf(const ModelShape &shape);
    void beginFor(const ModelShape &shape);
    bool mayCloseModel(const QString &path, const ModelShape &other);
    bool openTrace(const QString &path);
    bool openRuns(const QString &path);
    bool openAnswers(const QString &path);
    bool mayLoseEdits();
    /// Another model may take the window: the session has been saved, or edits may be lost.
    bool mayLeave();
    bool save();
    bool saveAs();
    void exportMap();
    void writeReport();
    void checkServer();
    void recommend();

    // main_window_session.cpp
    void buildKeeper();
    void rememberSession();
    /// Whether the session is kept in a file that no person named.
    bool isUnnamed() const;
    /// Saves it and lets it go; the next change begins another, where sessions are kept. False, and said, where it cannot be
    /// saved.
    bool leaveSession();
    void beginSession();
    bool openSession(const QString &name);
    void adoptModelOf(const RestoredSession &restored, QStringList &notes);
    bool saveSession();
    bool saveSessionAs();

    std::unique_ptr<QSettings> m_settings;
    std::filesystem::path m_sessions;
    RecentFiles m_recent;
    Studio m_studio;
    Theme m_theme = Theme::System;
    const QFont m_desktopFont = QApplication::font();

    struct Docked {
        Page *page;
        QDockWidget *dock;
        Qt::DockWidgetArea area;
    };
    std::vector<Docked> m_docks; // in the order of the View menu
    MapPage *m_map = nullptr;
    PlotsPage *m_plots = nullptr;
    ProfilePage *m_profile = nullptr;
    RunsPage *m_runs = nullptr;
    QuestionsPage *m_questions = nullptr;
    RunsBar *m_bar = nullptr;
    QShortcut *m_escape = nullptr;
    SessionKeeper *m_keeper = nullptr;
    QList<QAction *> m_variantActions; // in the variants' order
    HeadlineBar *m_headline = nullptr;
    MessageBar *m_messages = nullptr;
    LongRunNotice *m_notice = nullptr;
    GuideWindow *m_guide = nullptr; ///< once it was asked for
    std::unique_ptr<WindowActions> m_actions;
    QActionGroup *m_papers = nullptr;
};

/// Of what QMainWindow::saveState writes into sessions and settings. Count up when pages move, not when one is added: Qt gives a
/// dock that the saved layout does not know its place from resetLayout.
inline constexpr int sessionLayoutVersion = 2;

/// Sink and recent tokens that a new map begins with: less than an eighth of the model's context.
std::pair<int, int> defaultWindow(std::int64_t maxContext);

} // namespace zigzag
