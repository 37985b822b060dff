// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/colors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace zigzag {

QColor scoreColor(double score)
{
    // Nine samples of matplotlib's viridis (CC0); linear between them, which stays within 2 of 255 of the table.
    static const std::array<QColor, 9> samples
        = {QColor(68, 1, 84),    QColor(71, 44, 122), QColor(59, 81, 139),  QColor(44, 113, 142), QColor(33, 144, 141),
           QColor(39, 173, 129), QColor(92, 200, 99), QColor(170, 220, 50), QColor(253, 231, 37)};
    const double place = std::clamp(std::isfinite(score) ? score : 0.0, 0.0, 1.0) * (samples.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(place), samples.size() - 2);
    return mixed(samples[low], samples[low + 1], place - static_cast<double>(low));
}

namespace {

double luminance(const QColor &color)
{
    const auto linear
        = [](double channel) { return channel <= 0.03928 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

} // namespace

double contrastRatio(const QColor &a, const QColor &b)
{
    const auto [low, high] = std::minmax({luminance(a), luminance(b)});
    return (high + 0.05) / (low + 0.05);
}

QColor inkOn(const QColor &background)
{
    const QColor dark(0x10, 0x14, 0x18);
    return contrastRatio(dark, background) >= contrastRatio(Qt::white, background) ? dark : QColor(Qt::white);
}

QColor standingOut(const QColor &color, std::initializer_list<QColor> grounds)
{
    // Against each ground there is a darkest or lightest luminance that will do, with room for the rounding to 8 bits.
    constexpr double wanted = leastContrast * 1.02;
    std::vector<double> lights;
    for (const QColor &ground : grounds)
        lights.push_back(luminance(ground));
    const auto stands = [&](const QColor &tried) {
        const double light = luminance(tried) + 0.05;
        return std::all_of(lights.begin(), lights.end(), [&](double ground) {
            return std::max(light, ground + 0.05) / std::min(light, ground + 0.05) >= wanted;
        });
    };
    if (grounds.size() == 0 || stands(color))
        return color;
    const QColor end = inkOn(*grounds.begin());
    double low = 0, high = 1; // too little, and enough
    for (int step = 0; step < 8; ++step) {
        const double middle = (low + high) / 2;
        (stands(mixed(color, end, middle)) ? high : low) = middle;
    }
    return mixed(color, end, high);
}

QColor differenceColor(double difference, const QColor &background)
{
    const QColor end = difference < 0 ? QColor(0xd5, 0x5e, 0x00) : QColor(0x00, 0x72, 0xb2);
    const double size = std::clamp(std::abs(difference), 0.0, 1.0);
    return mixed(background, end, size > 0 ? 0.15 + 0.85 * size : 0.0); // the smallest difference can be seen
}

QColor mixed(const QColor &from, const QColor &to, double share)
{
    const auto channel = [share](float a, float b) { return static_cast<float>(a + (b - a) * share); };
    return QColor::fromRgbF(channel(from.redF(), to.redF()), channel(from.greenF(), to.greenF()),
                            channel(from.blueF(), to.blueF()));
}

bool isDark(const QPalette &palette)
{
    return palette.color(QPalette::Window).lightnessF() < 0.5f;
}

QColor seriesColor(Series series, bool dark)
{
    switch (series) {
    case Series::Full:
        return dark ? QColor(0xb8, 0xbe, 0xc6) : QColor(0x4a, 0x50, 0x58);
    case Series::Duo:
        return dark ? QColor(0xf0, 0xa0, 0x30) : QColor(0xc0, 0x55, 0x00);
    case Series::Zigzag:
        return dark ? QColor(0x5a, 0xb4, 0xf0) : QColor(0x00, 0x6c, 0xb0);
    case Series::Current:
        return dark ? QColor(0xf0, 0x90, 0xc8) : QColor(0x9c, 0x1f, 0x6c);
    }
    return {};
}

QColor variantColor(std::size_t variant, bool dark)
{
    constexpr std::array<QRgb, 6> onLight = {0x1b7a3d, 0x6a3fb5, 0x7a5a1e, 0x0b7d86, 0xb3261e, 0x5e6b00};
    constexpr std::array<QRgb, 6> onDark = {0x66d08a, 0xb99cf5, 0xd9b36c, 0x5cd3da, 0xf28b82, 0xc3cf5a};
    return QColor((dark ? onDark : onLight)[variant % onLight.size()]);
}

} // namespace zigzag
