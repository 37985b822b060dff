// SPDX-License-Identifier: GPL-3.0-or-later
#include "task_fixture.h"

#include <QApplication>
#include <gtest/gtest.h>

int main(int argc, char **argv)
{
    using namespace zigzag::test;
    testing::InitGoogleTest(&argc, argv);
    if (testing::GTEST_FLAG(list_tests))
        return RUN_ALL_TESTS();
    const Screen screen;
    qputenv("QT_LOGGING_RULES", "qt.*=false");
    QApplication::setAttribute(Qt::AA_DontUseNativeDialogs); // a desktop's own cannot be found on this screen
    QApplication application(argc, argv);
    QApplication::setDoubleClickInterval(2000); // ms: on a busy machine the second click comes late
    KeyboardKeeper keeper;
    application.installEventFilter(&keeper);
    TaskTest::hasScreen = screen.isReal();
    std::printf("events come from %s\n",
                screen.isReal() ? "an X server, by xdotool" : "Qt's test library: there is no Xvfb and xdotool");
    return RUN_ALL_TESTS();
}
