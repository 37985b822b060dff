// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "held_window.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/trace/trace_file.h"
#include "trace_samples.h"
#include "views/models/layer_ranking.h"
#include "views/models/score_sources.h"
#include "views/widgets/focus_ring.h"

#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QDockWidget>
#include <QTimer>
#include <functional>

namespace zigzag::test {

/// Shows the dialog that asks for an export; all else is answered as prepared.
class ShownExport : public PreparedPrompts
{
public:
    std::optional<ExportChoice> exportTo(QWidget *parent, const HeadMap &map, const ExportModel *model, RunController *runs,
                                         const CopyExportLine &copyLine) override
    {
        return DialogPrompts().exportTo(parent, map, model, runs, copyLine);
    }
};

inline bool isInSight(const QWidget &widget)
{
    return !shownPart(widget).isEmpty();
}

inline std::string whereIs(const QWidget &widget)
{
    QString path;
    for (const QWidget *each = &widget; each; each = each->parentWidget())
        path
            = QLatin1String(each->metaObject()->className()) + QLatin1Char('[') + each->objectName() + QLatin1String("] ") + path;
    return path.toStdString();
}

/// The window with the bundled model and something on every page, so that every control of them is there.
class FilledWindow : public HeldWindow
{
protected:
    void fill()
    {
        auto worker = std::make_unique<HeldWorker>(std::set<std::string>{RunName::Calibrate, RunName::Score, RunName::Measure});
        m_held = worker.get();
        auto prompts = std::make_unique<ShownExport>();
        m_prompts = prompts.get();
        m_worker = worker.get();
        m_window = std::make_unique<MainWindow>(MainWindow::Parts{std::move(worker), std::move(prompts), nullptr});
        m_window->setAnimated(false);
        m_window->resize(1280, 720);
        m_window->show();
        ASSERT_TRUE(m_window->open(QStringLiteral("bundled:zigzag-tiny"))) << message().toStdString();
        ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value(); }, 180000));
        m_window->runs().cancelAll();
        ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 180000));

        for (const char *name : {"a.trace", "b.trace"}) {
            ASSERT_TRUE(writeTrace(*sampleTrace(200, map().layers(), true), m_folder / name));
            ASSERT_TRUE(open(m_folder / name)) << message().toStdString();
        }
        NeedleResult needle;
        needle.grid = {{256, 0.0, 4, 3}, {256, 1.0, 4, 4}, {512, 0.0, 4, 0}, {512, 1.0, 4, 1}};
        m_window->studio().plotted().measurements().addNeedle(map(), needle);
        m_window->studio().plotted().measurements().addNeedle(fullMapOf(map()), needle);
        FoundScores ablation;
        ablation.name = QStringLiteral("Ablation of layers");
        ablation.scores = m_window->document().state().scores;
        ablation.isSearch = true;
        ablation.done = 3;
        ablation.all = map().layers();
        m_window->studio().scoreSources().add(ablation);
        ASSERT_TRUE(writeAnswersFile(m_folder / "record.json", answers()));
        ASSERT_TRUE(open(m_folder / "record.json")) << message().toStdString();
        m_window->document().duplicateVariant(QStringLiteral("another"));
        m_window->studio().selection().set({0});
        m_window->messages().close();
        m_window->refreshNow();
        settle();
    }
    void toEveryPage(const std::function<void(Page &)> &visit)
    {
        for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
            auto *page = qobject_cast<Page *>(dock->widget());
            ASSERT_TRUE(page);
            SCOPED_TRACE(page->objectName().toStdString());
            m_window->showPage(page->objectName());
            m_window->refreshNow();
            ASSERT_TRUE(comesToFront(page->objectName().toLatin1().constData()));
            settle();
            visit(*page);
        }
    }
    /// Opens every dialog of the window, one after the other, and closes it again.
    void toEveryDialog(const std::function<void(QWidget &)> &visit)
    {
        const WindowActions &all = m_window->actions();
        for (QAction *action :
             {all.palette, all.shortcuts, all.preferences, all.about, all.exportMap, all.checkServer, all.recommend, all.guide}) {
            SCOPED_TRACE(action->text().toStdString());
            ASSERT_TRUE(action->isEnabled());
            bool visited = false;
            const auto look = [&](QWidget *dialog) {
                ASSERT_TRUE(dialog);
                dialog->activateWindow();
                ASSERT_TRUE(QTest::qWaitForWindowActive(dialog));
                settle();
                visit(*dialog);
                visited = true;
                dialog->close();
            };
            QTimer::singleShot(0, qApp, [&] {
                if (QWidget *dialog = QApplication::activeModalWidget())
                    look(dialog);
            });
            action->trigger();
            settle();
            for (QWidget *each : QApplication::topLevelWidgets()) // it did not wait for an answer
                if (!visited && each->isVisible() && each != m_window.get() && each->windowType() != Qt::ToolTip)
                    look(each);
            EXPECT_TRUE(visited);
            activate();
        }
    }

private:
    static HeadMap fullMapOf(HeadMap map)
    {
        for (int layer = 0; layer < map.layers(); ++layer)
            map.setLayer(layer, HeadKind::Retrieval);
        return map;
    }
    static AnswersRecord answers()
    {
        AnswersRecord record;
        record.model = "zigzag-tiny";
        record.machine.device = "a machine";
        record.asked = "mine.jsonl";
        record.questionsHash = "sha256:01";
        const auto answered = [](std::string text, double score) {
            QuestionAnswer answer;
            answer.text = std::move(text);
            answer.score = score;
            answer.promptTokens = 12;
            return answer;
        };
        for (int i = 0; i < 4; ++i)
            record.questions.push_back({"mine.jsonl", "colours", std::to_string(i), 0, -1, {"blue"}, "which colour?"});
        record.maps.push_back({"full attention", 0, 4, 64, "", std::vector<QuestionAnswer>(4, answered("blue", 1))});
        record.maps.push_back({"narrow.json",
                               0.5,
                               4,
                               64,
                               "vllm",
                               {answered("blue", 1), answered("red", 0), answered("green", 0), answered("blue", 1)}});
        return record;
    }
};

} // namespace zigzag::test
