// SPDX-License-Identifier: GPL-3.0-or-later
// Things that people come for, done in the window itself as a person does them, with the mouse and with the keyboard alone, and
// how many actions that takes: a budget, an explanation, an export. resources/guide/tasks.md has the table.
#include "task_fixture.h"
#include "tests/paths.h"
#include "views/widgets/head_map_view.h"

#include <QFile>

#include <fstream>

namespace zigzag::test {

namespace {

constexpr double mib = 1024.0 * 1024;

/// A layer of the head map, by the number before it.
Place layerNumber(MainWindow &window, int layer)
{
    return {QStringLiteral("layer %1").arg(layer), [&window, layer]() -> std::optional<Spot> {
                HeadMapView &view = window.headMap();
                const QRect rect = view.visibleLayer(layer);
                if (!view.isVisible() || rect.isEmpty())
                    return {};
                return Spot{view.viewport(), view.viewport()->mapToGlobal(rect.center())};
            }};
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
        me.click(menu("Open model without weights…"));
        me.openFile(path("llama/config.json"));
        me.sees("the model", [&] { return isModelOpen(); });
        me.click(button("Import…"));
        me.openFile(path("gates.tsv"));
        me.sees("its scores", [&] { return window().document().state().scores != nullptr; });
        me.click(widgetNamed("targetKind"));
        me.click(row("KV budget"));
        me.type("targetKv", QString::number(budget));
        me.click(button("Assign"));
        me.sees("a map within the budget", [&] { return isWithinBudget(); });
    });
    EXPECT_GT(kvMiB(), budget - 40);
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

// 2. Explain one layer to a colleague.

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
        me.click(layerNumber(window(), layer));
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

// 3. Export for vLLM, knowing what is lost.

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
