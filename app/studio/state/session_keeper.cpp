// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/session_keeper.h"

#include "app/studio/state/session_parts_of.h"

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {
/// From a change to the snapshot. Putting it into words and onto the disk has the rest of two seconds.
constexpr int patienceMs = 800;
} // namespace

/// All of it runs on the thread.
class SessionKeeper::Worker : public QObject
{
public:
    void setFile(SessionFile file, SavedSession found)
    {
        m_file = std::move(file);
        m_path = m_file->path();
        m_writer = {};
        m_writer.setLast(std::move(found));
    }
    void setPath(std::filesystem::path path)
    {
        m_file.reset();
        m_path = std::move(path);
    }
    void clear()
    {
        m_file.reset();
        m_path.clear();
        m_writer = {};
    }
    Result<void> save(const SessionSnapshot &snapshot, bool whole)
    {
        if (!m_file) {
            std::error_code ignored;
            std::filesystem::create_directories(m_path.parent_path(), ignored); // opening says what is wrong
            ZIGZAG_TRY(opened, SessionFile::open(m_path));
            m_file = std::move(opened);
        }
        const SavedSession session = m_writer.session(snapshot);
        if (whole)
            m_file->wantWhole();
        return m_file->save(session);
    }
    void remember(const std::shared_ptr<const Trace> &trace, const SessionPart &part) { m_writer.remember(trace, part); }

private:
    std::optional<SessionFile> m_file;
    std::filesystem::path m_path;
    SnapshotWriter m_writer;
};

SessionKeeper::SessionKeeper(Take take, QObject *parent)
    : QObject(parent)
    , m_take(std::move(take))
    , m_worker(std::make_unique<Worker>())
{
    m_timer.setSingleShot(true);
    m_timer.setInterval(patienceMs);
    connect(&m_timer, &QTimer::timeout, this, &SessionKeeper::saveSoon);
    m_worker->moveToThread(&m_thread);
    m_thread.setObjectName(QStringLiteral("session"));
    m_thread.start(QThread::LowPriority);
}

SessionKeeper::~SessionKeeper()
{
    m_thread.requestInterruption();
    m_thread.quit();
    m_thread.wait();
}

void SessionKeeper::keepIn(SessionFile file, const SavedSession &found, std::vector<SessionPart> carried)
{
    m_timer.stop();
    m_path = file.path();
    m_hasFile = m_isAnnounced = true;
    m_carried = std::move(carried);
    m_toRead.clear();
    m_readFrom.reset();
    // Shared, because functions for another thread are copied.
    const auto shared = std::make_shared<SessionFile>(std::move(file));
    QMetaObject::invokeMethod(m_worker.get(),
                              [worker = m_worker.get(), shared, found] { worker->setFile(std::move(*shared), found); });
}

void SessionKeeper::keepIn(const std::filesystem::path &file)
{
    m_path = file;
    m_hasFile = m_isAnnounced = false;
    QMetaObject::invokeMethod(m_worker.get(), [worker = m_worker.get(), file] { worker->setPath(file); });
}

void SessionKeeper::stop()
{
    m_timer.stop();
    m_path.clear();
    m_hasFile = m_isAnnounced = false;
    m_carried.clear();
    m_toRead.clear();
    m_readFrom.reset();
    // At once: whoever opens the file next finds it free.
    QMetaObject::invokeMethod(
        m_worker.get(), [worker = m_worker.get()] { worker->clear(); }, Qt::BlockingQueuedConnection);
}

void SessionKeeper::announce()
{
    if (!std::exchange(m_isAnnounced, true))
        Q_EMIT begins();
}

void SessionKeeper::noteChange()
{
    if (isKeeping() && !m_timer.isActive()) // the first change counts: else whoever never rests is never saved
        m_timer.start();
}

SessionSnapshot SessionKeeper::taken()
{
    SessionSnapshot snapshot = m_take();
    snapshot.carried = m_carried;
    return snapshot;
}

void SessionKeeper::saveSoon()
{
    if (!isKeeping())
        return;
    m_isDue = m_isSaving; // a slow disk: the newest is taken once it is done
    if (m_isSaving)
        return;
    m_isSaving = true;
    announce();
    QMetaObject::invokeMethod(m_worker.get(), [this, worker = m_worker.get(), path = m_path, snapshot = taken()] {
        Result<void> saved = worker->save(snapshot, false);
        QMetaObject::invokeMethod(this, [this, path, saved] {
            m_isSaving = false;
            if (path == m_path)
                onSaved(saved);
            if (std::exchange(m_isDue, false))
                saveSoon();
        });
    });
}

Result<void> SessionKeeper::saveNow(bool whole)
{
    if (!isKeeping())
        return {};
    m_timer.stop();
    m_isDue = false;
    announce();
    Result<void> saved;
    QMetaObject::invokeMethod(
        m_worker.get(), [&saved, whole, worker = m_worker.get(), snapshot = taken()] { saved = worker->save(snapshot, whole); },
        Qt::BlockingQueuedConnection);
    if (saved)
        onSaved(saved);
    return saved;
}

void SessionKeeper::onSaved(const Result<void> &saved)
{
    if (saved) {
        m_hasFailed = false;
        m_hasFile = true;
    } else if (!std::exchange(m_hasFailed, true)) {
        Q_EMIT failed(saved.error());
    }
}

void SessionKeeper::readTraces(const std::vector<SessionPart> &traces, const SavedSession &session)
{
    // Until it has been read, a trace is carried: it is in every save.
    m_carried.insert(m_carried.end(), traces.begin(), traces.end());
    m_toRead.assign(traces.begin(), traces.end());
    m_readFrom = std::make_shared<const SavedSession>(session);
    readNext();
}

void SessionKeeper::readNext()
{
    if (m_toRead.empty())
        return;
    const SessionPart part = std::move(m_toRead.front());
    m_toRead.pop_front();
    QMetaObject::invokeMethod(m_worker.get(), [this, worker = m_worker.get(), part, from = m_readFrom] {
        if (QThread::currentThread()->isInterruptionRequested())
            return;
        auto run = traceRunOf(part, *from);
        if (run)
            worker->remember(run->trace, part);
        QMetaObject::invokeMethod(this, [this, part, from, run = std::move(run)] {
            if (from != m_readFrom)
                return; // of a session that was left
            if (run) { // else it stays carried
                std::erase_if(m_carried,
                              [&](const SessionPart &other) { return other.kind == part.kind && other.name == part.name; });
                Q_EMIT traceRead(*run);
            }
            readNext();
        });
    });
}

} // namespace zigzag
