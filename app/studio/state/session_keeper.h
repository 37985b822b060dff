// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/session_restore.h"
#include "app/studio/state/session_snapshot.h"

#include <QObject>
#include <QThread>
#include <QTimer>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {

/// Keeps the window's session in a file while one works: a second after the first change at the latest it is taken, and then put
/// into words and written by a thread of its own, so that an edit never waits for a disk.
class SessionKeeper : public QObject
{
    Q_OBJECT
public:
    using Take = std::function<SessionSnapshot()>;

    /// `take` is asked on this object's thread; what it lays down as carried parts is replaced by what is carried here.
    SessionKeeper(Take take, QObject *parent);
    ~SessionKeeper() override;

    /// The file from now on; nothing is written before the next change.
    void keepIn(SessionFile file, const SavedSession &found, std::vector<SessionPart> carried);
    /// A file that is made with the first save. What is carried stays.
    void keepIn(const std::filesystem::path &file);
    /// No file, until there is one.
    void stop();
    bool isKeeping() const { return !m_path.empty(); }
    const std::filesystem::path &path() const { return m_path; }
    /// Whether its file was there, or has been made.
    bool hasFile() const { return m_hasFile; }

    /// Something changed; what and how much does not matter.
    void noteChange();
    /// Saves now and returns when it is done. `whole`: with the manifest first, as a person keeps it.
    Result<void> saveNow(bool whole = false);

    /// Reads traces one by one, on the thread; `traceRead` tells of each.
    void readTraces(const std::vector<SessionPart> &traces, const SavedSession &session);

Q_SIGNALS:
    /// The file is about to be made: whoever remembers it before cannot lose it.
    void begins();
    /// Once, until a save succeeds again.
    void failed(const zigzag::Error &error);
    void traceRead(const zigzag::RunEntry &run);

private:
    class Worker;
    void saveSoon();
    void readNext();
    void announce();
    void onSaved(const Result<void> &saved);
    SessionSnapshot taken();

    Take m_take;
    QThread m_thread;
    std::unique_ptr<Worker> m_worker; ///< lives on the thread
    QTimer m_timer;
    std::filesystem::path m_path;
    std::vector<SessionPart> m_carried;
    std::deque<SessionPart> m_toRead; ///< traces; one at a time is with the thread, so that a save need not wait for all of them
    std::shared_ptr<const SavedSession> m_readFrom;
    bool m_hasFile = false;
    bool m_isAnnounced = false, m_isSaving = false, m_isDue = false, m_hasFailed = false;
};

} // namespace zigzag
