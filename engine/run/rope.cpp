// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/rope.h"

#include "engine/base/thread_pool.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zigzag {

namespace {

/// Llama 3.1: long wavelengths are interpolated, short ones kept, those between blended.
double llama3Frequency(double frequency, const RopeConfig &rope)
{
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength > rope.originalContext / rope.lowFrequencyFactor)
        return frequency / rope.factor;
    if (wavelength < rope.originalContext / rope.highFrequencyFactor)
        return frequency;
    const double smooth
        = (rope.originalContext / wavelength - rope.lowFrequencyFactor) / (rope.highFrequencyFactor - rope.lowFrequencyFactor);
    return (1 - smooth) * frequency / rope.factor + smooth * frequency;
}

/// YaRN (arXiv 2309.00071), section 3.2: the pair of dimensions that turns `rotations` times within the original context.
double yarnDimension(double rotations, const RopeConfig &rope, int rotated)
{
    return rotated * std::log(rope.originalContext / (rotations * 2 * std::numbers::pi)) / (2 * std::log(rope.theta));
}

double yarnFrequency(double frequency, int pair, const RopeConfig &rope, int rotated)
{
    double low = yarnDimension(rope.betaFast, rope, rotated);
    double high = yarnDimension(rope.betaSlow, rope, rotated);
    if (rope.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, rotated - 1.0);
    if (low == high)
        high += 0.001;
    const double ramp = std::clamp((pair - low) / (high - low), 0.0, 1.0);
    return frequency / rope.factor * ramp + frequency * (1 - ramp);
}

/// Dynamic NTK scaling, as transformers computes it: the base of a context beyond the original one.
double dynamicBase(const RopeConfig &rope, int rotated, std::int64_t context)
{
    const double stretched = rope.factor * static_cast<double>(context) / rope.originalContext - (rope.factor - 1);
    return rope.theta * std::pow(stretched, rotated / (rotated - 2.0));
}

double attentionFactor(const RopeConfig &rope)
{
    if (rope.type != RopeType::Yarn && rope.type != RopeType::LongRope)
        return 1.0;
    if (rope.attentionFactor > 0)
        return rope.attentionFactor;
    if (rope.type == RopeType::LongRope)
        return rope.factor > 1 ? std::sqrt(1 + std::log(rope.factor) / std::log(rope.originalContext)) : 1.0;
    return rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1.0 : 1.0;
}

} // namespace

std::vector<float> rotationFrequencies(const ModelConfig &config, const RopeConfig &rope, std::int64_t context)
{
    const int rotated = config.rotated();
    const bool isLong = static_cast<double>(context) > rope.originalContext;
    const double theta = rope.type == RopeType::Dynamic && isLong ? dynamicBase(rope, rotated, context) : rope.theta;
    std::vector<float> frequencies;
    for (int pair = 0; pair < rotated / 2; ++pair) {
        double frequency = std::pow(theta, -2.0 * pair / rotated);
        switch (rope.type) {
        case RopeType::Default:
        case RopeType::Dynamic: // in its base
            break;
        case RopeType::Linear:
            frequency /= rope.factor;
            break;
        case RopeType::Llama3:
            frequency = llama3Frequency(frequency, rope);
            break;
        case RopeType::Yarn:
            frequency = yarnFrequency(frequency, pair, rope, rotated);
            break;
        case RopeType::LongRope:
            frequency /= (isLong ? rope.longFactors : rope.shortFactors)[static_cast<std::size_t>(pair)];
            break;
        }
        frequencies.push_back(static_cast<float>(frequency));
    }
    return frequencies;
}

std::vector<float> rotationTable(const ModelConfig &config, const RopeConfig &rope, std::int64_t context)
{
    const std::vector<float> frequencies = rotationFrequencies(config, rope, context);
    const auto half = static_cast<std::int64_t>(frequencies.size());
    const double factor = attentionFactor(rope);
    std::vector<float> table(static_cast<std::size_t>(context * 2 * half));
    const auto fillRow = [&](std::int64_t position) {
        float *row = table.data() + position * 2 * half;
        for (std::int64_t pair = 0; pair < half; ++pair) {
            // The angle is rounded to float32 as in the code that the models were trained with.
            const float angle = static_cast<float>(position) * frequencies[static_cast<std::size_t>(pair)];
            row[pair] = static_cast<float>(std::cos(static_cast<double>(angle)) * factor);
            row[half + pair] = static_cast<float>(std::sin(static_cast<double>(angle)) * factor);
        }
    };
    constexpr std::int64_t grain = 64; // positions: about 100 µs
    parallelFor(context, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t position = begin; position < end; ++position)
            fillRow(position);
    });
    return table;
}

std::vector<float> queryScales(const RopeConfig &rope, std::int64_t context)
{
    std::vector<float> scales;
    for (std::int64_t position = 0; position < context; ++position)
        scales.push_back(static_cast<float>(
            1 + rope.queryScaleBeta * std::log(1 + std::floor(static_cast<double>(position) / rope.originalContext))));
    return scales;
}

} // namespace zigzag
