// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/attention_picture.h"

#include "engine/run/finite.h"
#include "engine/run/layer_pass.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace zigzag {

namespace {

bool isSet(const std::atomic<bool> *cancel)
{
    return cancel && cancel->load();
}

Result<void> check(const ModelConfig &config, const AttentionPicturePlan &plan)
{
    if (plan.layer < 0 || plan.layer >= config.layers)
        return badInput(fmt::format("layer {}: {} has layers 0 to {}", plan.layer, config.name, config.layers - 1));
    if (plan.kvHead < 0 || plan.kvHead >= config.kvHeads)
        return badInput(fmt::format("KV head {}: {} has KV heads 0 to {}", plan.kvHead, config.name, config.kvHeads - 1));
    if (plan.tokens.empty())
        return badInput("the prompt is empty: give a text");
    if (std::ssize(plan.tokens) > AttentionPicturePlan::mostTokens)
        return badInput(fmt::format("a prompt of {} tokens is too long for a picture of attention: at most {}",
                                    plan.tokens.size(), AttentionPicturePlan::mostTokens));
    return {};
}

/// One query head's attention, a query after another.
class Observer
{
public:
    Observer(const LayerPass::HeadVectors &vectors, const HeadPattern &pattern, int headDim, AttentionPicture &picture)
        : m_vectors(vectors)
        , m_pattern(pattern)
        , m_dim(static_cast<std::size_t>(headDim))
        , m_picture(picture)
        , m_tokens(static_cast<std::size_t>(picture.tokens))
        , m_keys(m_tokens * m_dim)
        , m_weights(m_tokens)
        , m_pairs(static_cast<std::size_t>(picture.bins) * static_cast<std::size_t>(picture.bins))
    {
        // Turned round, so that one number of all keys lies side by side: the products are sums of rows then.
        for (std::size_t key = 0; key < m_tokens; ++key)
            for (std::size_t i = 0; i < m_dim; ++i)
                m_keys[i * m_tokens + key] = vectors.keys[key * m_dim + i];
        m_picture.mean.assign(m_pairs.size(), 0);
        m_picture.largest.assign(m_pairs.size(), 0);
        m_picture.strongest.resize(m_tokens * AttentionPicture::strongKeys);
        m_picture.shares.resize(m_tokens);
    }

    void see(std::size_t query)
    {
        const KeyRange seen = m_pattern.visibleKeys(static_cast<std::int64_t>(query));
        weigh(query, seen);
        pool(query, seen);
        keepStrongest(query);
        share(query);
    }
    void finish()
    {
        for (std::size_t bin = 0; bin < m_pairs.size(); ++bin)
            if (m_pairs[bin] > 0)
                m_picture.mean[bin]
                    = static_cast<float>(static_cast<double>(m_picture.mean[bin]) / static_cast<double>(m_pairs[bin]));
    }

private:
    /// The softmax of a query's scores, over [0, query]; 0 where it does not look.
    void weigh(std::size_t query, const KeyRange &seen)
    {
        const auto count = static_cast<std::ptrdiff_t>(query) + 1;
        const auto end = m_weights.begin() + count;
        std::fill(m_weights.begin(), end, 0.0f);
        const float *q = m_vectors.queries.data() + query * m_dim;
        for (std::size_t i = 0; i < m_dim; ++i) {
            const float factor = q[i];
            const float *row = m_keys.data() + i * m_tokens;
            for (std::size_t key = 0; key <= query; ++key)
                m_weights[key] += factor * row[key];
        }
        const auto hidden = [&](std::size_t key) {
            const auto at = static_cast<std::int64_t>(key);
            return at >= seen.sinkEnd && at < seen.windowBegin;
        };
        const double cap = m_vectors.scoreCap;
        double most = m_vectors.sinkLogit ? static_cast<double>(*m_vectors.sinkLogit) : -std::numeric_limits<double>::infinity();
        for (std::size_t key = 0; key <= query; ++key) {
            const double score = m_vectors.scale * static_cast<double>(m_weights[key]);
            m_weights[key] = static_cast<float>(cap > 0 ? cap * std::tanh(score / cap) : score);
            if (!hidden(key))
                most = std::max(most, static_cast<double>(m_weights[key]));
        }
        double sum = m_vectors.sinkLogit ? std::exp(static_cast<double>(*m_vectors.sinkLogit) - most) : 0.0;
        for (std::size_t key = 0; key <= query; ++key) {
            m_weights[key] = hidden(key) ? 0.0f : static_cast<float>(std::exp(static_cast<double>(m_weights[key]) - most));
            sum += static_cast<double>(m_weights[key]);
        }
        for (std::size_t key = 0; key <= query; ++key)
            m_weights[key] = static_cast<float>(static_cast<double>(m_weights[key]) / sum);
    }

    void pool(std::size_t query, const KeyRange &seen)
    {
        const auto row = static_cast<std::size_t>(m_picture.binOf(static_cast<std::int64_t>(query)))
            * static_cast<std::size_t>(m_picture.bins);
        for (std::size_t key = 0; key <= query; ++key) {
            const auto at = static_cast<std::int64_t>(key);
            if (at >= seen.sinkEnd && at < seen.windowBegin)
                continue;
            const std::size_t bin = row + static_cast<std::size_t>(m_picture.binOf(at));
            m_picture.mean[bin] += m_weights[key];
            m_picture.largest[bin] = std::max(m_picture.largest[bin], m_weights[key]);
            ++m_pairs[bin];
        }
    }

    void keepStrongest(std::size_t query)
    {
        const auto best = m_picture.strongest.begin() + static_cast<std::ptrdiff_t>(query * AttentionPicture::strongKeys);
        const auto last = best + AttentionPicture::strongKeys - 1;
        for (std::size_t key = 0; key <= query; ++key) {
            if (m_weights[key] <= last->weight)
                continue;
            auto place = last;
            for (; place != best && (place - 1)->weight < m_weights[key]; --place)
                *place = *(place - 1);
            *place = {static_cast<std::int32_t>(key), m_weights[key]};
        }
    }

    void share(std::size_t query)
    {
        const KeyRange kept = patternOf(HeadKind::Streaming, m_picture.window).visibleKeys(static_cast<std::int64_t>(query));
        double sink = 0, window = 0, beyond = 0;
        for (std::size_t key = 0; key <= query; ++key) {
            const auto at = static_cast<std::int64_t>(key);
            (at < kept.sinkEnd ? sink : at < kept.windowBegin ? beyond : window) += static_cast<double>(m_weights[key]);
        }
        m_picture.shares[query] = {static_cast<float>(sink), static_cast<float>(window), static_cast<float>(beyond)};
    }

    const LayerPass::HeadVectors &m_vectors;
    const HeadPattern m_pattern;
    const std::size_t m_dim;
    AttentionPicture &m_picture;
    const std::size_t m_tokens;
    std::vector<float> m_keys; // [head_dim, tokens]
    std::vector<float> m_weights; // [tokens], of the query that is seen
    std::vector<std::int64_t> m_pairs; // [bins, bins]
};

/// Progress and cancel between the queries of a head.
Result<void> observe(const LayerPass::HeadVectors &vectors, const HeadPattern &pattern, int headDim, AttentionPicture &picture,
                     const std::atomic<bool> *cancel, const std::function<void(double share)> &told)
{
    Observer observer(vectors, pattern, headDim, picture);
    const auto tokens = static_cast<double>(picture.tokens);
    constexpr std::size_t stride = 64;
    for (std::size_t query = 0; query < static_cast<std::size_t>(picture.tokens); ++query) {
        if (query % stride == 0) {
            if (isSet(cancel))
                return cancelled();
            told(static_cast<double>(query) * static_cast<double>(query) / (tokens * tokens)); // a query costs what it sees
        }
        observer.see(query);
    }
    observer.finish();
    return {};
}

} // namespace

AttentionShares AttentionPicture::meanShares() const
{
    double sink = 0, recent = 0, beyond = 0;
    std::int64_t count = 0;
    for (std::int64_t query = std::int64_t{window.sink} + window.recent; query < tokens; ++query) {
        const AttentionShares &each = shares[static_cast<std::size_t>(query)];
        sink += static_cast<double>(each.sink);
        recent += static_cast<double>(each.window);
        beyond += static_cast<double>(each.beyond);
        ++count;
    }
    const auto over = [&](double sum) { return count > 0 ? static_cast<float>(sum / static_cast<double>(count)) : 0.0f; };
    return {over(sink), over(recent), over(beyond)};
}

Result<std::vector<AttentionPicture>> pictureAttention(const std::shared_ptr<DeviceModel> &device,
                                                       const AttentionPicturePlan &plan, const std::atomic<bool> *cancel,
                                                       const std::function<void(double share)> &progress)
{
    const ModelConfig &config = device->config();
    ZIGZAG_CHECK(check(config, plan));
    const std::int64_t tokens = std::ssize(plan.tokens);
    const int group = config.group();
    const auto steps = static_cast<double>(plan.layer + group); // a head's queries count as much as a layer
    const auto tell = [&](double done) {
        if (progress)
            progress(done / steps);
    };
    ZIGZAG_TRY(pass, LayerPass::create(device, tokens, false));
    ZIGZAG_TRY(states, pass->states());
    ZIGZAG_CHECK(pass->embed(plan.tokens, *states));
    const std::vector<HeadPattern> full(static_cast<std::size_t>(config.kvHeads), HeadPattern::full());
    for (int layer = 0; layer < plan.layer; ++layer) {
        if (isSet(cancel))
            return cancelled();
        pass->run(layer, full, tokens, *states, *states);
        tell(layer + 1);
    }
    std::vector<AttentionPicture> pictures;
    for (int g = 0; g < group; ++g) {
        AttentionPicture picture;
        picture.layer = plan.layer;
        picture.queryHead = plan.kvHead * group + g;
        picture.window = plan.window;
        picture.tokens = tokens;
        picture.bins = static_cast<int>(std::min<std::int64_t>(tokens, AttentionPicture::mostBins));
        ZIGZAG_TRY(vectors, pass->headVectors(plan.layer, picture.queryHead, tokens, *states));
        ZIGZAG_CHECK(checkFinite(vectors.queries, *device->model, "queries"));
        ZIGZAG_CHECK(checkFinite(vectors.keys, *device->model, "keys"));
        ZIGZAG_CHECK(observe(vectors, patternIn(config.fileWindows, plan.layer, HeadPattern::full()), config.headDim, picture,
                             cancel, [&](double share) { tell(plan.layer + g + share); }));
        pictures.push_back(std::move(picture));
    }
    tell(steps);
    return pictures;
}

} // namespace zigzag
