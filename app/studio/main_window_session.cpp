// SPDX-License-Identifier: GPL-3.0-or-later
// The session: kept while one works, opened, saved under a name, and left for another.
#include "app/studio/main_window.h"
#include "app/studio/state/quality_records.h"
#include "app/studio/state/session_keeper.h"
#include "app/studio/window_actions.h"

#include "engine/model/model.h"
#include "views/models/native_path.h"
#include "views/widgets/message_bar.h"

#include <QAction>
#include <QDateTime>

#include <algorithm>

namespace zigzag {

namespace {

const QString settingsKey = QStringLiteral("session");
/// Of sessions that nobody named, so many stay.
constexpr std::size_t mostUnnamed = 20;

/// It is remembered, and the next window may be started elsewhere.
std::filesystem::path wholePath(const QString &name)
{
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(pathOf(name), failed);
    return failed ? pathOf(name) : path;
}

std::filesystem::path nameFor(const std::filesystem::path &folder)
{
    const std::string stem = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd-HHmmss")).toStdString();
    std::filesystem::path path = folder / (stem + ".zigzag");
    std::error_code ignored;
    for (int number = 2; std::filesystem::exists(path, ignored); ++number)
        path = folder / (stem + "-" + std::to_string(number) + ".zigzag");
    return path;
}

/// The oldest go. Their names are their times.
void sweepUnnamed(const std::filesystem::path &folder)
{
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (std::filesystem::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored))
        if (entry->path().extension() == ".zigzag" && !entry->path().filename().string().starts_with('.'))
            files.push_back(entry->path());
    std::sort(files.begin(), files.end());
    for (std::size_t index = 0; index + mostUnnamed < files.size(); ++index)
        std::filesystem::remove(files[index], ignored);
}

} // namespace

void MainWindow::buildKeeper()
{
    m_keeper = new SessionKeeper(
        [this] {
            SessionSnapshot snapshot = snapshotOf(m_studio);
            snapshot.layout = saveState(sessionLayoutVersion).toBase64().toStdString();
            snapshot.view = {{"context", std::to_string(m_studio.context())},
                             {"phase", std::string(nameOf(m_studio.phase()))},
                             {"engine", m_studio.serving().engine()},
                             {"kv_type", m_studio.kvType() ? std::string(nameOf(*m_studio.kvType())) : std::string()}};
            return snapshot;
        },
        this);
    connect(m_keeper, &SessionKeeper::begins, this, [this] { rememberSession(); });
    connect(m_keeper, &SessionKeeper::failed, this, [this](const Error &error) { m_studio.say(error); });
    connect(m_keeper, &SessionKeeper::traceRead, &m_studio, &Studio::takeKeptTrace);
    connect(&m_studio, &Studio::refreshed, m_keeper, &SessionKeeper::noteChange);
    if (!m_sessions.empty())
        sweepUnnamed(m_sessions);
}

void MainWindow::rememberSession()
{
    if (!m_settings)
        return;
    m_settings->setValue(settingsKey, storedPath(textOfPath(m_keeper->path())));
    m_settings->sync(); // whoever is killed finds it again
}

QString MainWindow::lastSession() const
{
    const QString stored = m_settings ? m_settings->value(settingsKey).toString() : QString();
    return stored.isEmpty() ? QString() : restoredPath(stored);
}

bool MainWindow::isUnnamed() const
{
    return m_keeper->isKeeping() && !m_sessions.empty() && m_keeper->path().parent_path() == m_sessions;
}

bool MainWindow::leaveSession()
{
    if (m_keeper->hasFile() || (m_keeper->isKeeping() && !document().isUntouched())) {
        if (const auto saved = m_keeper->saveNow(); !saved) {
            m_studio.say(saved.error());
            if (!mayLoseEdits())
                return false;
        } else {
            m_recent.add(textOfPath(m_keeper->path()));
            refreshRecent();
        }
    }
    m_keeper->stop();
    return true;
}

void MainWindow::beginSession()
{
    if (!m_keeper->isKeeping() && !m_sessions.empty())
        m_keeper->keepIn(nameFor(m_sessions));
}

bool MainWindow::openSession(const QString &name)
{
    const std::filesystem::path path = wholePath(name);
    std::error_code none;
    if (m_keeper->hasFile() && std::filesystem::equivalent(m_keeper->path(), path, none))
        return true;
    auto file = SessionFile::open(path);
    auto found = file ? Result<ReadSession>(file->takeFound()) : readSession(path);
    auto restored = found ? restoredFrom(found->session, path.string()) : tl::unexpected(found.error());
    if (!restored) {
        m_studio.say(restored.error());
        return false;
    }
    if (!m_keeper->isKeeping() && !mayLoseEdits())
        return false;
    if (!leaveSession())
        return false;
    m_messages->close();
    QStringList notes = restored->notes;
    for (const std::string &note : found->notes)
        notes << QString::fromStdString(note);
    adoptModelOf(*restored, notes);
    m_studio.runList().clear(); // those of the session that was left are in its file
    m_studio.qualities().clear();
    giveBack(m_studio, *restored);
    if (!restored->layout.empty())
        restoreState(QByteArray::fromBase64(QByteArray::fromStdString(restored->layout)), sessionLayoutVersion);
    m_studio.refreshNow();
    if (file) {
        m_keeper->keepIn(std::move(*file), found->session, restored->carried);
        rememberSession();
    } else {
        notes << QString::fromStdString(file.error().message) << tr("What you do here goes into a session of its own.");
        beginSession();
    }
    m_keeper->readTraces(restored->traces, found->session);
    if (!notes.isEmpty())
        m_studio.say(MessageBar::Kind::Note, notes.join('\n'));
    return true;
}

void MainWindow::adoptModelOf(const RestoredSession &restored, QStringList &notes)
{
    const auto detail = [&](const char *key) {
        const auto found = restored.view.find(key);
        return found == restored.view.end() ? std::string() : found->second;
    };
    const auto trigger = [this](const QString &action) {
        if (auto *found = findChild<QAction *>(action); found && !found->isChecked())
            found->trigger();
    };
    // Without a model there is nothing to load anew for another type.
    m_studio.adopt(restored.model, {});
    const std::string kvType = detail("kv_type");
    trigger(QStringLiteral("kvType_") + (kvType.empty() ? QStringLiteral("own") : QString::fromStdString(kvType)));
    if (!restored.asked.empty()) {
        const auto config = loadModelConfig(restored.asked, m_studio.kvType());
        const HeadMap any(restored.model, HeadKind::Retrieval, 0, 1);
        const auto fits = config ? checkFits(any, config->shape(), restored.asked) : tl::unexpected(config.error());
        if (fits) {
            m_studio.adopt(restored.model.headDim > 0 ? restored.model : config->shape(), *config);
            m_studio.loadInBackground(restored.asked);
        } else {
            notes << QString::fromStdString(fits.error().message);
        }
    }
    trigger(QStringLiteral("servedBy_") + QString::fromStdString(detail("engine")));
    const std::vector<std::int64_t> &contexts = plotted().contexts();
    for (const std::int64_t context : contexts)
        if (std::to_string(context) == detail("context"))
            m_studio.setContext(context);
    if (const auto phase = findPhase(detail("phase")))
        m_studio.setPhase(*phase);
}

bool MainWindow::saveSession()
{
    if (!m_keeper->isKeeping() || isUnnamed())
        return saveSessionAs();
    if (const auto saved = m_keeper->saveNow(true); !saved) {
        m_studio.say(saved.error());
        return false;
    }
    m_messages->say(MessageBar::Kind::Note, tr("Saved %1").arg(shownPath(textOfPath(m_keeper->path()))));
    return true;
}

bool MainWindow::saveSessionAs()
{
    const QString model = QString::fromStdString(document().model().name);
    const QString suggested = m_keeper->isKeeping() && !isUnnamed()
        ? textOfPath(m_keeper->path())
        : (model.isEmpty() ? tr("session") : model) + QStringLiteral(".zigzag");
    QString name = m_studio.prompts().fileToSave(this, tr("Save the session"), suggested);
    if (name.isEmpty())
        return false;
    if (!name.endsWith(QLatin1String(".zigzag")))
        name += QLatin1String(".zigzag");
    const std::filesystem::path before = m_keeper->path(), path = wholePath(name);
    const bool had = m_keeper->hasFile(), wasUnnamed = isUnnamed();
    if (path != before)
        m_keeper->keepIn(path);
    if (const auto saved = m_keeper->saveNow(true); !saved) {
        m_studio.say(saved.error());
        if (before.empty())
            m_keeper->stop();
        else
            m_keeper->keepIn(before);
        rememberSession();
        return false;
    }
    std::error_code ignored;
    if (had && wasUnnamed && path != before)
        std::filesystem::remove(before, ignored); // it has a name now
    rememberSession();
    m_recent.add(textOfPath(path));
    refreshRecent();
    m_messages->say(MessageBar::Kind::Note, tr("Saved %1; from now on it is kept as you work").arg(shownPath(name)));
    return true;
}

} // namespace zigzag
