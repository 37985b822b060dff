// SPDX-License-Identifier: GPL-3.0-or-later
// Five things that people come for, done in the window itself as a person does them, once with the mouse as well and once with
// the keyboard alone, and how many actions that takes. resources/guide/tasks.md has the table.
#include "engine/map/map_io.h"
#include "task_fixture.h"
#include "tests/paths.h"
#include "views/models/needle_model.h"
#include "views/models/side_by_side.h"
#include "views/widgets/answer_view.h"
#include "views/widgets/head_map_view.h"
#include "views/widgets/message_bar.h"
#include "views/widgets/needle_view.h"

#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QProcess>
#include <QSlider>
#include <QTreeWidget>

#include <fstream>

namespace zigzag::test {

namespace {

constexpr const char *bundled = "bundled:zigzag-tiny";
constexpr double mib = 1024.0 * 1024;

/// A head of the head map, or the number before a layer.
Place headMapPlace(MainWindow &window, int layer, int head)
{
    return {QStringLiteral("layer %1, head %2").arg(layer).arg(head), [&window, layer, head]() -> std::optional<Spot> {
                HeadMapView &view = window.headMap();
                const QRect rect = head < 0 ? view.visibleLayer(layer) : view.visibleCell(layer, head);
                if (!view.isVisible() || rect.isEmpty())
                    return {};
                return Spot{view.viewport(), view.viewport()->mapToGlobal(rect.center())};
            }};
}

bool isDialog(const QString &title)
{
    const QWidget *modal = QApplication::activeModalWidget();
    return modal && modal->windowTitle() == title;
}

bool hasNoDialog()
{
    return !QApplication::activeModalWidget();
}

QString said(const QString &label)
{
    for (QWidget *each : QApplication::allWidgets())
        if (auto *found = qobject_cast<QLabel *>(each); found && found->objectName() == label && found->isVisible())
            return found->text();
    return {};
}

/// Gates as DuoAttention publishes them, for a model of 32 layers of 8 KV heads.
void writeGates(const std::filesystem::path &file)
{
    std::ofstream out(file);
    for (int layer = 0; layer < 32; ++layer)
        for (int head = 0; head < 8; ++head)
            out << static_cast<double>((layer * 37 + head * 11) % 101) / 101 << (head == 7 ? '\n' : '\t');
}

} // namespace

// 1. The best map under a KV budget of a config without weights.

class BudgetTask : public TaskTest
{
protected:
    void SetUp() override
    {
        std::filesystem::create_directories(m_folder / "llama");
        QFile::copy(QString::fromStdString(sourceDir() + "/resources/presets/llama-3-8b.json"), path("llama/config.json"));
        writeGates(m_folder / "gates.tsv");
        start(QString::fromLatin1(bundled));
    }
    bool isModelOpen() { return map().layers() == 32 && window().plotted().hasBytes(); }
    bool isWithinBudget()
    {
        return map().streamingHeads() > 0 && map().streamingHeads() < map().model().mappableHeads() && kvMiB() <= budget;
    }
    double kvMiB() { return window().plotted().kv(map(), window().studio().context()) / mib; }
    static constexpr double budget = 600;
};

TEST_F(BudgetTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model", [&] { return isReady(); });
        me.click(menu("File"));
        me.click(menu("Open session, map, scores, trace, runs or GGUF model…"));
        me.openFile(path("llama/config.json"));
        me.sees("the model", [&] { return isModelOpen(); });
        me.click(button("Import…"));
        me.openFile(path("gates.tsv"));
        me.sees("its scores", [&] { return window().document().state().scores != nullptr; });
        me.click(widgetNamed("targetKind"));
        me.click(row("KV budget"));
        me.type("targetKv", QString::number(budget));
        me.press("Enter");
        me.sees("a map within the budget", [&] { return isWithinBudget(); });
    });
    EXPECT_GT(kvMiB(), budget - 40) << "the best map under a budget uses it";
    expectActions("Best map under a KV budget, without weights", "mouse", 11);
}

TEST_F(BudgetTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model", [&] { return isReady(); });
        me.press("Ctrl+O");
        me.openFile(path("llama/config.json"));
        me.sees("the model", [&] { return isModelOpen(); });
        me.press("Ctrl+I");
        me.openFile(path("gates.tsv"));
        me.sees("its scores", [&] { return window().document().state().scores != nullptr; });
        me.press(shortcutOf("show_assign"));
        me.tabTo("targetKind");
        me.press("K"); // the entry that begins with it
        me.type("targetKv", QString::number(budget));
        me.press("Enter");
        me.sees("a map within the budget", [&] { return isWithinBudget(); });
    });
    EXPECT_GT(kvMiB(), budget - 40);
    expectActions("Best map under a KV budget, without weights", "keyboard", 12);
}

// 2. See one answer break, and repair it.

class AnswerTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }

    Place slider(double share)
    {
        return {QStringLiteral("the slider at %1").arg(share), [this, share]() -> std::optional<Spot> {
                    auto *found = window().findChild<QSlider *>(QStringLiteral("sparsitySlider"));
                    const int along = static_cast<int>(share * (found->width() - 1)); // the handle is wider than what this is off
                    return Spot{found, found->mapToGlobal(QPoint(along, found->height() / 2))};
                }};
    }
    const NeedleResult *needles() { return window().plotted().measurements().needle(map(), {}); }
    /// The cell of this map's grid where least was found, by what a screen reader knows of it.
    Place worstCell()
    {
        return {QStringLiteral("the worst needle"), [this]() -> std::optional<Spot> {
                    NeedleGrid &grid = window().findChild<NeedleView *>()->currentGrid();
                    QAccessibleTableInterface *table = QAccessible::queryAccessibleInterface(&grid)->tableInterface();
                    std::optional<Spot> worst;
                    double least = 2;
                    for (int row = 0; row < table->rowCount(); ++row)
                        for (int column = 0; column < table->columnCount(); ++column) {
                            const QVariant found = grid.model().index(row, column).data(NeedleModel::AccuracyRole);
                            if (found.isValid() && found.toDouble() < least) {
                                least = found.toDouble();
                                worst = Spot{&grid, table->cellAt(row, column)->rect().center()};
                            }
                        }
                    return worst;
                }};
    }
    const SideBySideModel &answers() { return window().findChild<AnswerView *>()->model(); }
    bool isAnswered() { return isIdle() && answers().rowCount() > 0; }
    bool isBroken() { return isAnswered() && answers().partingRow() >= 0; }
    bool isRepaired() { return isAnswered() && answers().partingRow() < 0; }
};

TEST_F(AnswerTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.drag(slider(0.5), slider(1));
        me.sees("a map that streams all", [&] { return map().streamingHeads() == map().model().mappableHeads(); });
        me.click(button("Needle"));
        me.sees("needles", [&] { return isIdle() && needles(); });
        me.doubleClick(worstCell());
        me.sees("an answer that breaks", [&] { return isBroken(); });
        me.drag(slider(1), slider(0.5));
        me.sees("a map that streams less", [&] { return map().streamingHeads() < map().model().mappableHeads(); });
        me.click(button("Ask both"));
        me.sees("the answer of full attention", [&] { return isRepaired(); });
    });
    expectActions("See one answer break, and repair it", "mouse", 5);
}

TEST_F(AnswerTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.press(shortcutOf("show_assign"));
        me.tabTo("sparsitySlider");
        me.press("End");
        me.sees("a map that streams all", [&] { return map().streamingHeads() == map().model().mappableHeads(); });
        me.press("F6");
        me.sees("needles", [&] { return isIdle() && needles(); });
        me.press(shortcutOf("show_needle"));
        me.press("Enter"); // the worst of them
        me.sees("an answer that breaks", [&] { return isBroken(); });
        me.press(shortcutOf("show_assign"));
        me.tabTo("sparsity");
        me.type("sparsity", "50");
        me.press("Enter");
        me.sees("a map that streams less", [&] { return map().streamingHeads() < map().model().mappableHeads(); });
        me.press("F4");
        me.sees("the answer of full attention", [&] { return isRepaired(); });
    });
    expectActions("See one answer break, and repair it", "keyboard", 18);
}

// 3. Explain one layer to a colleague.

class ExplainTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }

    bool isToldOf(int number) { return said("layerTitle").startsWith(QStringLiteral("Layer %1 ").arg(number)); }
    bool isDrawn() { return isIdle() && said("attentionAsked").startsWith("Layer "); }
    void expectReport(int number)
    {
        QFile file(path("layer.html"));
        ASSERT_TRUE(file.open(QIODevice::ReadOnly));
        const QString html = QString::fromUtf8(file.readAll());
        EXPECT_TRUE(html.contains(QStringLiteral("<h2>Layer %1 ").arg(number))) << "what the layer does, and why";
        EXPECT_TRUE(html.contains(said("layerFacts").section(QLatin1Char('\n'), 0, 0).toHtmlEscaped()));
        EXPECT_TRUE(html.contains(said("attentionAsked").toHtmlEscaped())) << "what its head looks at";
    }
    static constexpr int layer = 2;
};

TEST_F(ExplainTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.click(headMapPlace(window(), layer, -1));
        me.click(tab("Why this layer"));
        me.sees("why it does what it does", [&] { return isToldOf(layer); });
        me.click(button("Show attention"));
        me.sees("what it attends to", [&] { return isDrawn(); });
        me.click(menu("File"));
        me.click(menu("Report for a colleague…"));
        me.openFile(path("layer.html"));
        me.sees("the report", [&] { return QFile::exists(path("layer.html")) && hasNoDialog(); });
    });
    expectReport(layer);
    expectActions("Explain one layer to a colleague", "mouse", 7);
}

TEST_F(ExplainTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.press(shortcutOf("show_map"));
        for (int below = 0; below < layer; ++below)
            me.press("Down");
        me.press(shortcutOf("show_inspector"));
        me.sees("why it does what it does", [&] { return isToldOf(layer); });
        me.press("Enter"); // asks what it attends to
        me.sees("what it attends to", [&] { return isDrawn(); });
        me.press("Alt+F");
        me.press("G");
        me.openFile(path("layer.html"));
        me.sees("the report", [&] { return QFile::exists(path("layer.html")) && hasNoDialog(); });
    });
    expectReport(layer);
    expectActions("Explain one layer to a colleague", "keyboard", 9);
}

// 4. Measure against a server of one's own.

class ServerTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }
    void TearDown() override
    {
        m_server.terminate();
        m_server.waitForFinished();
    }
    /// Serves the map that the window shows; its address. That is no action: the server has long been running.
    QString serve()
    {
        return person().ask([this] {
            EXPECT_TRUE(writeHeadMap(map(), m_folder / "served.json"));
            m_server.start(QString::fromStdString(zigzagProgram()),
                           {"serve", QString::fromLatin1(bundled), "--map", path("served.json"), "--port", "0"});
            QString line;
            while (!line.contains(QLatin1String("/v1")) && m_server.waitForReadyRead(60000))
                line += QString::fromUtf8(m_server.readAllStandardOutput());
            return line.section(QLatin1String("/v1"), 0, 0);
        });
    }
    static int timesShown()
    {
        for (QWidget *each : QApplication::allWidgets())
            if (auto *found = qobject_cast<QTreeWidget *>(each);
                found && found->objectName() == "checkedTimes" && found->isVisible())
                return found->topLevelItemCount();
        return 0;
    }
    bool isChecked() { return isIdle() && timesShown() > 0 && said("checkSays").contains("the map"); }
    QProcess m_server;
};

TEST_F(ServerTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        const QString address = serve();
        me.click(menu("Run"));
        me.click(menu("Check a server…"));
        me.type("checkServer", address);
        me.click(widgetNamed("checkTimes"));
        me.click(widgetNamed("check"));
        me.sees("what the server runs, and its times", [&] { return isChecked(); });
        me.click(button("Close"));
        me.sees("the window", [] { return hasNoDialog(); });
    });
    expectActions("Measure against a server of one's own", "mouse", 6);
}

TEST_F(ServerTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        const QString address = serve();
        me.press("Alt+R");
        me.press("V");
        me.type("checkServer", address);
        me.press("Alt+T");
        me.press("Enter");
        me.sees("what the server runs, and its times", [&] { return isChecked(); });
        me.press("Esc");
        me.sees("the window", [] { return hasNoDialog(); });
    });
    expectActions("Measure against a server of one's own", "keyboard", 6);
}

// 5. Export for vLLM, knowing what is lost.

class ExportTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }

    bool isCostKnown() { return isIdle() && said("exportCost").startsWith("vLLM"); }
    bool isWritten() { return hasNoDialog() && std::filesystem::exists(m_folder / "served"); }
};

TEST_F(ExportTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.click(menu("File"));
        me.click(menu("Export map…"));
        me.click(row("vLLM"));
        me.click(widgetNamed("measureExport"));
        me.sees("what the map costs in vLLM", [&] { return isCostKnown(); });
        me.click(button("Export…"));
        me.openFile(path("served"));
        me.sees("what was exported", [&] { return isWritten(); });
    });
    expectActions("Export for vLLM, knowing what is lost", "mouse", 7);
}

TEST_F(ExportTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.press("Ctrl+E");
        me.sees("the targets", [] { return isDialog("Export the map"); });
        me.press("V"); // the target that begins with it
        me.press("Alt+M");
        me.sees("what the map costs in vLLM", [&] { return isCostKnown(); });
        me.press("Enter");
        me.openFile(path("served"));
        me.sees("what was exported", [&] { return isWritten(); });
    });
    expectActions("Export for vLLM, knowing what is lost", "keyboard", 6);
}

} // namespace zigzag::test
