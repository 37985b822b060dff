// SPDX-License-Identifier: GPL-3.0-or-later
// How long a frame of the timeline takes: panning and zooming over a trace, painted as the window paints it.
// zigzag-timeline-bench [SPANS [WIDTHxHEIGHT]]
#include "trace_samples.h"
#include "views/widgets/timeline_view.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>

namespace {

using namespace zigzag;

double at(std::vector<double> times, double fraction)
{
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(fraction * static_cast<double>(times.size() - 1))];
}

/// Of this thread: what a frame would take on a machine that does nothing else.
double processorMs()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// Moves, then paints the whole viewport into an image, as often as there are moves; prints what a frame took.
void measure(const char *order, const char *what, TimelineView &view, int frames, const std::function<void(int)> &move)
{
    QImage image(view.size(), QImage::Format_RGB32);
    std::vector<double> wall, processor;
    for (int frame = 0; frame < frames; ++frame) {
        QElapsedTimer clock;
        clock.start();
        const double begin = processorMs();
        move(frame);
        view.viewport()->render(&image, QPoint(), QRegion(), QWidget::RenderFlags());
        processor.push_back(processorMs() - begin);
        wall.push_back(static_cast<double>(clock.nsecsElapsed()) * 1e-6);
    }
    const auto slow = std::count_if(wall.begin(), wall.end(), [](double ms) { return ms > 1000.0 / 60.0; });
    std::printf(
        "%-7s %-33s %4d frames  median %6.2f ms  p99 %6.2f ms  %3lld over 16.7 ms  (processor: median %6.2f ms  p99 %6.2f ms)\n",
        order, what, frames, at(wall, 0.5), at(wall, 0.99), static_cast<long long>(slow), at(processor, 0.5),
        at(processor, 0.99));
}

} // namespace

int main(int argc, char **argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const QStringList arguments = QApplication::arguments();
    const auto spans = static_cast<std::size_t>(arguments.value(1, QStringLiteral("1000000")).toLongLong());
    const QStringList size = arguments.value(2, QStringLiteral("1600x500")).split(QLatin1Char('x'));
    const auto trace = test::sampleTrace(spans, 32, true);
    TraceModel model;
    TimelineView view(&model);
    view.resize(size.value(0).toInt(), size.value(1).toInt());
    view.show();
    std::printf("%zu spans and %zu kernels on %d x %d pixels\n", trace->spans.size(), trace->kernels.size(), view.width(),
                view.height());
    for (const LaneOrder order : {LaneOrder::Nested, LaneOrder::ByOp}) {
        QElapsedTimer clock;
        clock.start();
        model.setOrder(order);
        model.show(nullptr);
        model.show(trace);
        const char *name = order == LaneOrder::Nested ? "nested" : "by op";
        std::printf("%-7s laid out in %.0f ms, %zu lanes\n", name, static_cast<double>(clock.nsecsElapsed()) * 1e-6,
                    model.lanes().size());
        view.showWhole();
        measure(name, "zoom in from all to a microsecond", view, 240,
                [&](int frame) { view.zoom(1.1, view.window().width() * (0.4 + 0.2 * std::sin(frame * 0.05))); });
        measure(name, "zoom out again", view, 240, [&](int) { view.zoom(1 / 1.1, view.window().width() * 0.3); });
        for (const double shown : {0.9, 0.1, 0.001}) {
            view.setCurrent({});
            view.showWhole();
            view.zoom(1 / shown, view.window().width() * 0.4);
            char what[64];
            std::snprintf(what, sizeof what, "pan, %g %% of the trace in sight", shown * 100);
            measure(name, what, view, 240, [&](int frame) { view.pan(frame < 120 ? 7 : -7); });
        }
        model.setSearch(QStringLiteral("attention layer 3"));
        view.showWhole();
        view.zoom(10, view.window().width() * 0.4);
        measure(name, "pan, 10 %, with a search", view, 240, [&](int frame) { view.pan(frame < 120 ? 7 : -7); });
        model.setSearch({});
    }
    return 0;
}
