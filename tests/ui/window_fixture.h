// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/main_window.h"
#include "app/studio/window_actions.h"
#include "engine/map/map_io.h"
#include "samples.h"
#include "tests/tiny_model.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/headline_bar.h"
#include "views/widgets/message_bar.h"

#include <QAction>
#include <QCoreApplication>
#include <QFile>
#include <QTest>
#include <deque>
#include <gtest/gtest.h>

namespace zigzag::test {

/// Answers in a person's place; an answer that was not prepared fails the test.
class PreparedPrompts : public UserPrompts
{
public:
    std::deque<QString> files;
    std::deque<Saving> saving;
    std::deque<Unfinished> unfinished;
    std::optional<ExportChoice> exporting;
    bool copiesLine = false; ///< before the export's dialog is left, its line for vLLM
    std::deque<bool> closing; ///< whether a model may be closed for scores of another one
    QStringList closingFor;
    int asked = 0;

    QString fileToOpen(QWidget *, const QString &) override { return nextFile(); }
    QString folderToOpen(QWidget *, const QString &) override { return nextFile(); }
    QString fileToSave(QWidget *, const QString &, const QString &) override { return nextFile(); }
    QString exhibitToSave(QWidget *, const QString &, const QString &) override { return nextFile(); }
    QString textFor(QWidget *, const QString &, const QString &, const QString &) override { return nextFile(); }
    Saving saveFirst(QWidget *, const QString &) override
    {
        ++asked;
        if (saving.empty()) {
            ADD_FAILURE() << "nobody expected to be asked to save";
            return Saving::Cancel;
        }
        const Saving answer = saving.front();
        saving.pop_front();
        return answer;
    }
    Unfinished goOn(QWidget *, const QString &, const QDateTime &stopped) override
    {
        ++asked;
        EXPECT_TRUE(stopped.isValid());
        if (unfinished.empty()) {
            ADD_FAILURE() << "nobody expected an unfinished search";
            return Unfinished::Cancel;
        }
        const Unfinished answer = unfinished.front();
        unfinished.pop_front();
        return answer;
    }
    bool closeModel(QWidget *, const QString &what, const QString &model) override
    {
        ++asked;
        closingFor = {what, model};
        if (closing.empty()) {
            ADD_FAILURE() << "nobody expected to be asked to close a model for this: " << what.toStdString();
            return false;
        }
        const bool answer = closing.front();
        closing.pop_front();
        return answer;
    }
    std::optional<ExportChoice> exportTo(QWidget *, const HeadMap &, const ExportModel *, RunController *,
                                         const CopyExportLine &copyLine) override
    {
        if (copiesLine)
            copyLine("vllm", {});
        return exporting;
    }

private:
    QString nextFile()
    {
        ++asked;
        if (files.empty()) {
            ADD_FAILURE() << "nobody expected to be asked for a file";
            return {};
        }
        const QString file = files.front();
        files.pop_front();
        return file;
    }
};

/// The real window with a person's answers prepared and nothing remembered.
class WindowTest : public testing::Test
{
protected:
    WindowTest() { build(std::make_unique<EngineWorker>()); }

    /// The window anew, with another worker.
    void build(std::unique_ptr<EngineWorker> worker)
    {
        auto prompts = std::make_unique<PreparedPrompts>();
        m_prompts = prompts.get();
        m_worker = worker.get();
        m_window = std::make_unique<MainWindow>(MainWindow::Parts{std::move(worker), std::move(prompts), nullptr});
        m_window->resize(1200, 800);
        m_window->show();
        QCoreApplication::processEvents();
    }

    std::string write(const std::string &name, const std::string &content)
    {
        const std::filesystem::path file = m_folder / name;
        std::ofstream(file, std::ios::binary) << content;
        return file.string();
    }
    bool open(const std::filesystem::path &path) { return m_window->open(QString::fromStdString(path.string())); }
    /// What the window writes where an action asks for a file.
    QByteArray saved(const QString &action, const char *name)
    {
        const QString path = QString::fromStdString((m_folder / name).string());
        m_prompts->files = {path};
        m_window->findChild<QAction *>(action)->trigger();
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    std::filesystem::path savedMap(const HeadMap &map, const std::string &name = "map.json")
    {
        EXPECT_TRUE(writeHeadMap(map, m_folder / name));
        return m_folder / name;
    }
    QPoint cell(int layer, int head) { return m_window->headMap().visibleCell(layer, head).center(); }
    void drag(const QPoint &from, const QPoint &to)
    {
        QWidget *view = m_window->headMap().viewport();
        QTest::mousePress(view, Qt::LeftButton, {}, from);
        for (int step = 1; step <= 8; ++step)
            QTest::mouseMove(view, from + (to - from) * step / 8);
        QTest::mouseRelease(view, Qt::LeftButton, {}, to);
        settle();
    }
    void click(int layer, int head, Qt::KeyboardModifiers keys = {})
    {
        QTest::mouseClick(m_window->headMap().viewport(), Qt::LeftButton, keys, cell(layer, head));
        settle();
    }
    void key(Qt::Key which, Qt::KeyboardModifiers keys = {})
    {
        m_window->headMap().setFocus();
        QTest::keyClick(&m_window->headMap(), which, keys);
        settle();
    }
    void settle() { QCoreApplication::processEvents(); }
    const HeadMap &map() const { return m_window->document().map(); }
    QString message() const { return m_window->messages().text(); }

    TempFolder m_folder;
    PreparedPrompts *m_prompts = nullptr;
    EngineWorker *m_worker = nullptr;
    std::unique_ptr<MainWindow> m_window;
};

} // namespace zigzag::test
