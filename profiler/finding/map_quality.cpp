// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/finding/map_quality.h"

namespace zigzag {

Result<std::vector<MapQuality>> measureQuality(MapMeter &meter, std::span<const HeadMap> maps, const std::atomic<bool> *cancel,
                                               const std::function<void(int done, int all)> &progress)
{
    std::vector<HeadMap> all(maps.begin(), maps.end());
    all.emplace_back(meter.shape(), HeadKind::Retrieval, 0, 1); // full attention, at no more than its own layers
    std::vector<std::vector<PromptMeasure>> measured; // [prompts][maps + 1]
    for (int prompt = 0; prompt < meter.promptCount(); ++prompt) {
        auto measures = meter.measure(prompt, all, cancel);
        if (!measures) {
            if (isCancelled(measures.error()) && !measured.empty())
                break;
            return tl::unexpected(std::move(measures.error()));
        }
        measured.push_back(std::move(*measures));
        if (progress)
            progress(prompt + 1, meter.promptCount());
    }
    double answers = 0.0;
    for (std::size_t prompt = 0; prompt < measured.size(); ++prompt)
        answers += static_cast<double>(meter.prompts()[prompt].answers.size());
    const auto shareRight = [&](std::size_t map) {
        double right = 0.0;
        for (std::size_t prompt = 0; prompt < measured.size(); ++prompt)
            right += measured[prompt][map].right * static_cast<double>(meter.prompts()[prompt].answers.size());
        return shareInterval(right, answers);
    };
    std::vector<MapQuality> qualities;
    for (std::size_t map = 0; map < maps.size(); ++map) {
        std::vector<double> losses, divergences;
        for (const auto &prompt : measured) {
            losses.push_back(prompt[map].loss);
            divergences.push_back(prompt[map].kl);
        }
        qualities.push_back({meanInterval(losses), meanInterval(divergences), shareRight(map), shareRight(maps.size()),
                             static_cast<int>(measured.size())});
    }
    return qualities;
}

} // namespace zigzag
