// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/map_quality.h"

namespace zigzag {
namespace {

/// measured: [prompts done][maps + 1], full attention last.
std::vector<MapQuality> qualitiesOf(const std::vector<TaskPrompt> &prompts,
                                    const std::vector<std::vector<PromptMeasure>> &measured)
{
    double answers = 0.0;
    for (std::size_t prompt = 0; prompt < measured.size(); ++prompt)
        answers += static_cast<double>(prompts[prompt].answers.size());
    const auto shareRight = [&](std::size_t map) {
        double right = 0.0;
        for (std::size_t prompt = 0; prompt < measured.size(); ++prompt)
            right += measured[prompt][map].right * static_cast<double>(prompts[prompt].answers.size());
        return shareInterval(right, answers);
    };
    const std::size_t maps = measured.front().size() - 1;
    std::vector<MapQuality> qualities;
    for (std::size_t map = 0; map < maps; ++map) {
        std::vector<double> losses, divergences;
        for (const auto &prompt : measured) {
            losses.push_back(prompt[map].loss);
            divergences.push_back(prompt[map].kl);
        }
        qualities.push_back({positiveMeanInterval(losses), positiveMeanInterval(divergences), shareRight(map), shareRight(maps),
                             static_cast<int>(measured.size())});
    }
    return qualities;
}

} // namespace

Result<std::vector<MapQuality>> measureQuality(MapMeter &meter, std::span<const HeadMap> maps, const std::atomic<bool> *cancel,
                                               const PromptProgress &progress,
                                               const std::function<void(const std::vector<MapQuality> &)> &onPrompt,
                                               QualityState *state, const std::function<void()> &onMap)
{
    std::vector<HeadMap> all(maps.begin(), maps.end());
    all.emplace_back(meter.shape(), HeadKind::Retrieval, 0, 1); // full attention, at no more than its own layers
    QualityState own;
    QualityState &kept = state ? *state : own;
    std::vector<std::vector<PromptMeasure>> &measured = kept.measured;
    const auto tell = [&](double share) {
        if (progress)
            progress(static_cast<double>(measured.size()) + share, meter.promptCount());
    };
    meter.onLayer = tell;
    const HearingMaps hearing(meter, onMap);
    const auto ran = meter.measureRest(
        all, measured, cancel, true,
        [&] {
            tell(0.0);
            if (onPrompt)
                onPrompt(qualitiesOf(meter.prompts(), measured));
        },
        &kept.begun);
    meter.onLayer = {};
    if (!ran && !(isCancelled(ran.error()) && !measured.empty()))
        return tl::unexpected(ran.error());
    return qualitiesOf(meter.prompts(), measured);
}

} // namespace zigzag
