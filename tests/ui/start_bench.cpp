// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag-start-bench: how long it takes from the start of zigzag-studio to the first picture of the bundled model, with its
// scores and its plots. The very program, started anew each time, without a display. Fails where something of the picture is
// missing.
#include <QCoreApplication>
#include <QProcess>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace {

/// Milliseconds as the program prints them; less than nothing where it failed or its picture was not whole.
double start(const QString &program)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.start(program, {QStringLiteral("--startup-time")});
    if (!process.waitForFinished() || process.exitStatus() != QProcess::NormalExit || process.exitCode() != 0)
        return -1;
    const QStringList lines = QString::fromUtf8(process.readAllStandardOutput()).split(QLatin1Char('\n'));
    bool number = false;
    const double ms = lines.value(0).section(QLatin1Char(' '), 1).toDouble(&number);
    const bool whole = lines.contains(QLatin1String("scores yes")) && lines.contains(QLatin1String("times yes"));
    return number && whole ? ms : -1;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    const QString program = QCoreApplication::applicationDirPath() + QStringLiteral("/zigzag-studio");
    constexpr int runs = 21;
    std::vector<double> times;
    for (int run = 0; run < runs; ++run) {
        times.push_back(start(program));
        if (times.back() < 0) {
            std::fprintf(stderr, "error: %s --startup-time ended without a picture with scores and plots\n", qPrintable(program));
            return 1;
        }
    }
    std::sort(times.begin(), times.end());
    std::printf("first picture with scores and plots: median %.0f ms, most %.0f ms of %d starts\n", times[times.size() / 2],
                times.back(), runs);
    return 0;
}
