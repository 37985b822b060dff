// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/checks.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/score_formats.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace zigzag {

namespace {

using HeadIndex = std::pair<int, int>; // layer, query head

Result<HeadIndex> parseKey(const std::string &key, const std::string &where)
{
    const char *const end = key.data() + key.size();
    HeadIndex index;
    const auto layer = std::from_chars(key.data(), end, index.first);
    if (layer.ec == std::errc{} && layer.ptr != end && *layer.ptr == '-') {
        const auto head = std::from_chars(layer.ptr + 1, end, index.second);
        // Written back and compared, so that "-1-0" and "01-2" are refused.
        if (head.ec == std::errc{} && head.ptr == end && fmt::format("{}-{}", index.first, index.second) == key
            && index.first >= 0 && index.first < maxLayers && index.second >= 0 && index.second < maxHeads)
            return index;
    }
    return badInput(fmt::format(
        "{}: \"{}\" is no \"layer-head\" key with layer < {} and head < {}, and there is no \"format\": give scores of "
        "zigzag score, DuoAttention or Retrieval_Head",
        where, json::printable(key), maxLayers, maxHeads));
}

Result<double> meanScore(const json::Value &list, const HeadIndex &head, const std::string &where)
{
    double sum = 0;
    if (list.is_array())
        for (const json::Value &score : list)
            sum += score.is_number() ? score.get<double>() : std::nan("");
    if (!list.is_array() || list.empty() || !std::isfinite(sum))
        return badInput(fmt::format("{}: head {}-{} has no list of finite scores; give one number at least for each head", where,
                                    head.first, head.second));
    return sum / static_cast<double>(list.size());
}

} // namespace

Result<HeadScores> parseRetrievalHead(const json::Value &root, const ScoreSource &source)
{
    std::map<HeadIndex, double> means;
    int layers = 0, heads = 0;
    for (const auto &[key, list] : root.items()) {
        ZIGZAG_TRY(index, parseKey(key, source.where));
        ZIGZAG_TRY(mean, meanScore(list, index, source.where));
        means[index] = mean;
        layers = std::max(layers, index.first + 1);
        heads = std::max(heads, index.second + 1);
    }
    HeadIndex expected{0, 0};
    for (const auto &[index, mean] : means) {
        if (index != expected)
            break;
        expected
            = expected.second + 1 < heads ? HeadIndex{expected.first, expected.second + 1} : HeadIndex{expected.first + 1, 0};
    }
    if (expected != HeadIndex{layers, 0})
        return badInput(fmt::format("{}: head {}-{} is missing from {} layers x {} query heads; give a score for every head",
                                    source.where, expected.first, expected.second, layers, heads));

    HeadScores result;
    result.method = "retrieval-head";
    result.model = source.model.value_or(ModelShape{source.name, layers, heads, heads, 0, {}});
    const int kvHeads = result.model.kvHeads;
    if (source.model)
        ZIGZAG_CHECK(checkGrid(means.size() / static_cast<std::size_t>(heads), static_cast<std::size_t>(heads),
                               result.model.layers, result.model.queryHeads, "query heads", source.where));
    else
        result.notes.push_back("no model was given: every query head counts as a KV head, and the head size is not known");

    const int group = heads / kvHeads;
    std::vector<double> folded;
    auto mean = means.begin();
    for (int i = 0; i < layers * kvHeads; ++i) {
        double largest = mean->second, sum = 0;
        for (int member = 0; member < group; ++member, ++mean) {
            largest = std::max(largest, mean->second);
            sum += mean->second;
        }
        folded.push_back(source.fold == Fold::Max ? largest : sum / group);
    }
    if (group > 1)
        result.notes.push_back(fmt::format("{} query heads were folded to {} KV heads by {}", heads, kvHeads,
                                           source.fold == Fold::Max ? "max" : "mean"));
    result.scores = clipped(folded, result.notes);
    return result;
}

} // namespace zigzag
