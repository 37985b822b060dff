// SPDX-License-Identifier: GPL-3.0-or-later
// Preferences: what is stored, what makes no sense, and that each of them has its effect.
#include "app/studio/preferences_dialog.h"
#include "engine/model/memory_limit.h"
#include "held_window.h"

#include <QDialogButtonBox>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTimer>
#include <set>

namespace zigzag::test {

namespace {

/// Does something with the dialog that an action opens, while it is open.
void inDialog(QAction *action, const std::function<void(PreferencesDialog &)> &act)
{
    bool met = false;
    QTimer::singleShot(0, [&] {
        auto *dialog = qobject_cast<PreferencesDialog *>(QApplication::activeModalWidget());
        ASSERT_TRUE(dialog);
        met = true;
        act(*dialog);
        if (dialog->isVisible())
            dialog->reject();
    });
    action->trigger();
    EXPECT_TRUE(met);
}

class PreferencesTest : public HeldWindow
{
protected:
    ~PreferencesTest() override
    {
        limitMemory(0); // which is the whole process's
        QApplication::setFont(m_font);
    }
    const QFont m_font = QApplication::font();
};

} // namespace

TEST(Preferences, ContextsAreNumbersInRisingOrder)
{
    EXPECT_EQ(parseContexts("2048, 512 1024;512"), (std::vector<std::int64_t>{512, 1024, 2048}));
    EXPECT_EQ(parseContexts(" "), std::vector<std::int64_t>());
    for (const char *wrong : {"a", "512, -1", "0", "1.5", "99999999999", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"})
        EXPECT_FALSE(parseContexts(wrong)) << wrong;
    EXPECT_EQ(contextsText({512, 1024}), "512, 1024");
}

TEST(Preferences, AreStoredAndWhatMakesNoSenseIsNotTaken)
{
    TempFolder folder;
    QSettings settings(QString::fromStdString((folder / "s.ini").string()), QSettings::IniFormat);
    EXPECT_EQ(readPreferences(settings), Preferences());
    const Preferences some{.threads = 3,
                           .memoryBytes = 5ll << 30,
                           .patienceSeconds = 0,
                           .contexts = {64, 128},
                           .fontPoints = 14,
                           .language = QStringLiteral("de")};
    writePreferences(some, settings);
    EXPECT_EQ(readPreferences(settings), some);
    for (const auto &[key, value] :
         {std::pair("threads", "-4"), std::pair("memoryBytes", "nan"), std::pair("patienceSeconds", "1e99"),
          std::pair("contexts", "64, many"), std::pair("fontPoints", "4000"), std::pair("language", "../de")})
        settings.setValue(QLatin1String("preferences/") + QLatin1String(key), QLatin1String(value));
    EXPECT_EQ(readPreferences(settings), Preferences());
}

TEST_F(PreferencesTest, TheDialogSaysWhatItRefusesAndRestoresWhatIsUsual)
{
    const Preferences before{.threads = 2,
                             .memoryBytes = 3ll << 30,
                             .patienceSeconds = 30,
                             .contexts = {256},
                             .fontPoints = 12,
                             .language = QStringLiteral("en")};
    PreferencesDialog dialog(before, nullptr);
    EXPECT_EQ(dialog.chosen(), before);
    auto *buttons = dialog.findChild<QDialogButtonBox *>();
    auto *contexts = dialog.findChild<QLineEdit *>("preferContexts");
    contexts->setText("256, x");
    EXPECT_FALSE(buttons->button(QDialogButtonBox::Ok)->isEnabled());
    contexts->setText("256, 64");
    EXPECT_TRUE(buttons->button(QDialogButtonBox::Ok)->isEnabled());
    EXPECT_EQ(dialog.chosen().contexts, (std::vector<std::int64_t>{64, 256}));
    buttons->button(QDialogButtonBox::RestoreDefaults)->click();
    EXPECT_EQ(dialog.chosen(), Preferences());
}

TEST_F(PreferencesTest, MeasurementsAreTakenAtTheChosenContexts)
{
    hold({"calibrate", "score"});
    m_held->release = true;
    inDialog(m_window->actions().preferences, [](PreferencesDialog &dialog) {
        dialog.findChild<QLineEdit *>("preferContexts")->setText("48, 96, 4096");
        dialog.findChild<QDialogButtonBox *>()->button(QDialogButtonBox::Ok)->click();
    });
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 60000));
    m_window->actions().measure->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, 120000));
    std::set<std::int64_t> contexts;
    for (const PlottedMaps::Point &point : m_window->plotted().measured(Series::Full, Quantity::Tpot))
        contexts.insert(point.context);
    EXPECT_EQ(contexts, (std::set<std::int64_t>{48, 96})) << "4,096 are more than the model has";
}

TEST_F(PreferencesTest, FontAndMemoryTakeEffectAtOnceAndAreRemembered)
{
    const QString file = QString::fromStdString((m_folder / "settings.ini").string());
    const auto window = [&] {
        return std::make_unique<MainWindow>(MainWindow::Parts{std::make_unique<EngineWorker>(),
                                                              std::make_unique<PreparedPrompts>(),
                                                              std::make_unique<QSettings>(file, QSettings::IniFormat)});
    };
    {
        auto first = window();
        first->show();
        inDialog(first->actions().preferences, [](PreferencesDialog &dialog) {
            dialog.findChild<QSpinBox *>("preferFont")->setValue(19);
            dialog.findChild<QDoubleSpinBox *>("preferMemory")->setValue(0.1);
            dialog.findChild<QDialogButtonBox *>()->button(QDialogButtonBox::Ok)->click();
        });
        EXPECT_EQ(QApplication::font().pointSize(), 19);
        EXPECT_EQ(first->headMap().font().pointSize(), 19);
        inDialog(first->actions().preferences, [](PreferencesDialog &dialog) {
            dialog.findChild<QSpinBox *>("preferFont")->setValue(30); // and is left without a word
        });
        EXPECT_EQ(QApplication::font().pointSize(), 19);
        EXPECT_LE(availableMemory(), 107374183);
        ASSERT_TRUE(first->open("preset:llama-3.2-1b"));
        ASSERT_TRUE(QTest::qWaitFor([&] { return !first->runs().isBusy(); }, 60000));
        EXPECT_TRUE(first->messages().text().contains("are available")) << first->messages().text().toStdString();
    }
    limitMemory(0);
    QApplication::setFont(m_font);
    auto second = window();
    EXPECT_EQ(QApplication::font().pointSize(), 19);
    EXPECT_EQ(second->headMap().font().pointSize(), 19);
    EXPECT_LE(availableMemory(), 107374183);
}

} // namespace zigzag::test
