// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/carry_quality.h"

#include "engine/run/layer_pass.h"
#include "profiler/carry/next_token.h"
#include "profiler/carry/sink_carrier.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

using Rows = std::vector<std::int64_t>;

/// At most `most` of [begin, end), evenly.
Rows evenly(std::int64_t begin, std::int64_t end, std::int64_t most)
{
    Rows rows;
    const std::int64_t all = std::max<std::int64_t>(0, end - begin), count = std::min(all, most);
    for (std::int64_t i = 0; i < count; ++i)
        rows.push_back(begin + i * all / count);
    return rows;
}

class Measurement
{
public:
    Measurement(LayerPass &own, std::span<const std::unique_ptr<LayerPass>> carried, const HeadMap &map, std::size_t texts,
                const std::atomic<bool> *cancel, const std::function<void(double)> &progress, CarrySums &soFar)
        : m_own(own)
        , m_carried(carried)
        , m_map(map)
        , m_alone(map)
        , m_full(map.withEvery(HeadKind::Retrieval))
        , m_all(static_cast<double>((3 + carried.size()) * texts) * map.layers())
        , m_cancel(cancel)
        , m_progress(progress)
        , m_soFar(soFar)
    {
        m_soFar.inside.resize(carried.size());
        m_soFar.beyond.resize(carried.size());
        m_done = m_all * static_cast<double>(m_soFar.texts) / std::max(1.0, static_cast<double>(texts));
        for (int layer = 0; layer < map.layers(); ++layer)
            m_alone.setLayerWindow(layer, 0, map.window(layer).recent);
    }

    Result<std::vector<CarryQuality>> run(std::span<const std::vector<int>> texts)
    {
        while (m_soFar.texts < texts.size()) {
            CarrySums with = m_soFar;
            ZIGZAG_CHECK(add(texts[m_soFar.texts], with));
            ++with.texts;
            m_soFar = std::move(with);
        }
        std::vector<CarryQuality> qualities;
        for (std::size_t i = 0; i < m_carried.size(); ++i)
            qualities.push_back(
                {meanOf(m_soFar.inside[i]), meanOf(m_soFar.beyond[i]), meanOf(m_soFar.windowAlone), meanOf(m_soFar.sinksKept)});
        return qualities;
    }

private:
    static constexpr std::int64_t firstMeasured = 8, mostRows = 512;

    /// Of sums.
    static NearFull meanOf(NearFull sums)
    {
        const double count = std::max(1.0, static_cast<double>(sums.positions));
        return {sums.kl / count, sums.sameTop / count, sums.positions};
    }

    Result<void> add(const std::vector<int> &text, CarrySums &sums)
    {
        const StreamingWindow window = streamingWindowOf(m_map);
        const std::int64_t last = std::ssize(text) - 1, edge = window.recent;
        const Rows inside = evenly(std::min(firstMeasured, edge), std::min(edge, last), mostRows);
        const Rows beyond = evenly(edge + window.sink, last, mostRows);
        ZIGZAG_TRY(full, states(m_own, m_full, text));
        for (std::size_t i = 0; i < m_carried.size(); ++i) {
            ZIGZAG_TRY(carried, states(*m_carried[i], m_full, text)); // its windows are its own
            ZIGZAG_CHECK(compare(inside, *full, *m_carried[i], *carried, sums.inside[i]));
            ZIGZAG_CHECK(compare(beyond, *full, *m_carried[i], *carried, sums.beyond[i]));
        }
        ZIGZAG_TRY(alone, states(m_own, m_alone, text));
        ZIGZAG_CHECK(compare(beyond, *full, m_own, *alone, sums.windowAlone));
        ZIGZAG_TRY(kept, states(m_own, m_map, text));
        return compare(beyond, *full, m_own, *kept, sums.sinksKept);
    }

    Result<std::unique_ptr<Buffer>> states(LayerPass &pass, const HeadMap &map, const std::vector<int> &text)
    {
        ZIGZAG_TRY(buffer, pass.states());
        ZIGZAG_CHECK(pass.embed(text, *buffer));
        for (int layer = 0; layer < map.layers(); ++layer) {
            if (m_cancel && m_cancel->load(std::memory_order_relaxed))
                return cancelled();
            pass.run(layer, map.patterns(layer), std::ssize(text), *buffer, *buffer);
            if (m_progress)
                m_progress(++m_done / m_all);
        }
        return std::move(buffer);
    }

    Result<void> compare(const Rows &rows, const Buffer &full, LayerPass &pass, const Buffer &other, NearFull &sums)
    {
        constexpr std::size_t block = 64; // logits of a large vocabulary
        for (std::size_t done = 0; done < rows.size(); done += block) {
            const auto part = std::span(rows).subspan(done, std::min(block, rows.size() - done));
            ZIGZAG_TRY(a, m_own.logits(part, full));
            ZIGZAG_TRY(b, pass.logits(part, other));
            for (const NextToken &each : compareNextTokens(a, b, static_cast<std::size_t>(m_own.config().vocabulary))) {
                sums.kl += each.kl;
                sums.sameTop += each.sameTop ? 1 : 0;
                ++sums.positions;
            }
        }
        return {};
    }

    LayerPass &m_own;
    std::span<const std::unique_ptr<LayerPass>> m_carried;
    const HeadMap &m_map;
    HeadMap m_alone;
    const HeadMap m_full;
    const double m_all; ///< layers of texts
    double m_done = 0;
    const std::atomic<bool> *m_cancel;
    const std::function<void(double)> &m_progress;
    CarrySums &m_soFar;
};

std::string textOf(const NearFull &near)
{
    return near.positions == 0 ? std::string("not measured")
                               : fmt::format("KL {:.3f}, same top token {:.1f} %", near.kl, 100 * near.sameTop);
}

} // namespace

Result<std::vector<CarryQuality>> measureCarried(const std::shared_ptr<DeviceModel> &model, const HeadMap &map,
                                                 std::span<const std::shared_ptr<DeviceModel>> carried,
                                                 std::span<const std::vector<int>> texts, const std::atomic<bool> *cancel,
                                                 const std::function<void(double)> &progress, CarrySums *soFar)
{
    std::int64_t longest = 1;
    for (const std::vector<int> &text : texts)
        longest = std::max(longest, std::ssize(text));
    ZIGZAG_TRY(own, LayerPass::create(model, longest, false));
    std::vector<std::unique_ptr<LayerPass>> passes;
    for (const auto &each : carried) {
        ZIGZAG_TRY(pass, LayerPass::create(each, longest, false));
        passes.push_back(std::move(pass));
    }
    const HeadMap whole = wholeLayers(map);
    CarrySums sums;
    return Measurement(*own, passes, whole, texts.size(), cancel, progress, soFar ? *soFar : sums).run(texts);
}

std::string qualityText(const CarryQuality &quality)
{
    return fmt::format("inside the window: {}; beyond it: {} (window alone: {}; its sinks kept: {})", textOf(quality.inside),
                       textOf(quality.beyond), textOf(quality.windowAlone), textOf(quality.sinksKept));
}

} // namespace zigzag
