// SPDX-License-Identifier: GPL-3.0-or-later
// Measure against a server of one's own: one that runs the window's map, by `zigzag serve`'s own parts, on this machine.
#include "engine/run/device_model.h"
#include "profiler/serve/http_server.h"
#include "task_fixture.h"
#include "views/models/run_list_model.h"

#include <QCheckBox>
#include <QTreeWidget>

namespace zigzag::test {

class ServerTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }
    void TearDown() override
    {
        if (m_scheduler)
            m_scheduler->stop();
        m_server.reset();
    }
    /// Serves the map that the window shows, and says where.
    QString serve()
    {
        auto model = loadModel(bundled);
        auto backend = createBackend("cpu");
        if (!model || !backend)
            return {};
        auto device = uploadModel(*model, std::shared_ptr<Backend>(std::move(*backend)));
        if (!device)
            return {};
        auto scheduler = serve::BatchScheduler::create(*device, map(), {.batch = 1, .context = (*model)->config.maxContext});
        if (!scheduler)
            return {};
        m_scheduler = std::move(*scheduler);
        serve::ServerOptions options;
        options.port = 0;
        options.name = "zigzag-tiny";
        auto server = serve::HttpServer::start(*model, *m_scheduler, options);
        if (!server)
            return {};
        m_server = std::move(*server);
        return QStringLiteral("http://127.0.0.1:%1").arg(m_server->port());
    }
    static bool takesTimes()
    {
        const QWidget *dialog = QApplication::activeModalWidget();
        const auto *box = dialog ? dialog->findChild<QCheckBox *>(QStringLiteral("checkTimes")) : nullptr;
        return box && box->isChecked();
    }
    bool isFound() { return isIdle() && said("checkSays").endsWith("the server runs the map, sinks kept"); }
    /// What stands in the table of times, a text for each cell of its first row.
    QStringList times()
    {
        QStringList texts;
        for (const QWidget *each : QApplication::allWidgets())
            if (const auto *table = qobject_cast<const QTreeWidget *>(each);
                table && table->objectName() == "checkedTimes" && table->isVisible() && table->topLevelItemCount() > 0)
                for (int column = 0; column < table->columnCount(); ++column)
                    texts << table->topLevelItem(0)->text(column);
        return texts;
    }
    /// Beside each time of the server what was predicted, and the floor; and that its times are a run like others.
    void expectTimes(const QStringList &read, const QString &server)
    {
        ASSERT_EQ(read.size(), 7) << "tokens, and each time with its prediction and its floor: " << m_note.toStdString();
        for (const int time : {1, 4}) {
            EXPECT_TRUE(read[time].endsWith("s")) << read[time].toStdString();
            EXPECT_TRUE(read[time + 1].startsWith("~")) << read[time + 1].toStdString();
            EXPECT_TRUE(read[time + 2].endsWith("s")) << read[time + 2].toStdString();
        }
        const RunListModel &runs = window().studio().runList();
        bool isListed = false;
        for (int row = 0; row < runs.rowCount(); ++row)
            isListed = isListed || runs.entry(row).origin.startsWith(QStringLiteral("server ") + server);
        EXPECT_TRUE(isListed);
    }

    QString m_note; ///< beneath the times

private:
    std::unique_ptr<serve::BatchScheduler> m_scheduler;
    std::unique_ptr<serve::HttpServer> m_server;
};

TEST_F(ServerTask, Mouse)
{
    Person &me = person();
    QStringList read;
    QString server;
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        server = me.ask([&] { return serve(); });
        me.click(menu("Run"));
        me.click(menu("Check a server…"));
        me.type("checkServer", server);
        me.click(widgetNamed("checkTimes"));
        me.click(button("Check"));
        me.sees("that the server runs the map", [&] { return isFound(); });
        read = me.ask([&] { return times(); });
        m_note = me.ask([] { return said("checkTimesNote"); });
    });
    expectTimes(read, server);
    expectActions("Measure against a server of one's own", "mouse", 5);
}

TEST_F(ServerTask, KeyboardAlone)
{
    Person &me = person();
    QStringList read;
    QString server;
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        server = me.ask([&] { return serve(); });
        me.press("Alt+R");
        me.press("V");
        me.type("checkServer", server);
        me.press("Alt+T");
        me.sees("the box ticked", [] { return takesTimes(); }); // a button that is pressed by its key stays down for a moment
        me.press("Enter");
        me.sees("that the server runs the map", [&] { return isFound(); });
        read = me.ask([&] { return times(); });
        m_note = me.ask([] { return said("checkTimesNote"); });
    });
    expectTimes(read, server);
    expectActions("Measure against a server of one's own", "keyboard", 5);
}

} // namespace zigzag::test
