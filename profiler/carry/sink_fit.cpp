// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/sink_fit.h"

#include "profiler/carry/next_token.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <random>

namespace zigzag {

namespace {

constexpr std::int64_t firstMeasured = 8; ///< the distribution of the first few tokens is no text's
constexpr std::int64_t rowsOfAKind = 192; ///< positions within the window, and as many beyond it, that one step looks at
constexpr std::size_t logitRows = 64; ///< of logits that are held at a time

std::seed_seq seedOf(std::uint64_t seed, std::uint64_t round)
{
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), static_cast<std::uint32_t>(round)};
}

/// [0, count) in an order that the generator gives, the same with every standard library.
std::vector<std::int64_t> shuffled(std::int64_t count, std::mt19937_64 &random)
{
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random() % i]);
    return order;
}

/// Adam (Kingma and Ba, arXiv 1412.6980).
void adamStep(FitState &state, std::span<const double> gradient, std::span<const double> rates)
{
    constexpr double first = 0.9, second = 0.999, epsilon = 1e-8;
    const auto steps = static_cast<int>(state.losses.size()); // this one among them
    const double a = 1 - std::pow(first, steps), b = 1 - std::pow(second, steps);
    for (std::size_t i = 0; i < state.parameters.size(); ++i) {
        state.first[i] = first * state.first[i] + (1 - first) * gradient[i];
        state.second[i] = second * state.second[i] + (1 - second) * gradient[i] * gradient[i];
        state.parameters[i] -= rates[i] * (state.first[i] / a) / (std::sqrt(state.second[i] / b) + epsilon);
    }
}

/// Rises over the first tenth, falls over the last half.
double schedule(double done)
{
    return std::min({1.0, 10 * done, 2 * (1 - done)});
}

std::vector<float> added(const std::vector<float> &to, std::span<const double> change)
{
    std::vector<float> sum(change.begin(), change.end());
    for (std::size_t i = 0; i < to.size(); ++i)
        sum[i] += to[i];
    return sum;
}

Result<void> setVector(DeviceModel &model, int layer, WeightId id, const std::vector<float> &values)
{
    ZIGZAG_TRY(buffer, model.backend->allocate(values.size() * sizeof(float)));
    model.backend->upload(*buffer, 0, values.data(), values.size() * sizeof(float));
    model.layers[static_cast<std::size_t>(layer)].set(id, std::move(buffer));
    return {};
}

/// Of a text that has positions beyond the window.
std::int64_t leastPiece(StreamingWindow window)
{
    return std::int64_t{window.recent} + window.sink + 16;
}

} // namespace

std::int64_t fitPieceTokens(StreamingWindow window)
{
    constexpr std::int64_t usual = 1536;
    const std::int64_t recent = window.recent;
    return std::clamp(usual, 3 * recent / 2, std::max(4 * recent, leastPiece(window)));
}

bool canFit(const std::shared_ptr<DeviceModel> &model)
{
    constexpr std::int64_t few = 16; // tokens
    return LayerPass::create(model, few, true).has_value();
}

Result<SinkFitting> SinkFitting::create(const std::shared_ptr<DeviceModel> &model, const HeadMap &map, SinkCarrier from,
                                        std::span<const std::vector<int>> texts, const FitPlan &plan)
{
    SinkFitting fit;
    fit.m_model = model;
    fit.m_plan = plan;
    fit.m_window = streamingWindowOf(map);
    ZIGZAG_TRY(carried, carriedModel(*model->model, map, from));
    fit.m_from = std::move(from);
    fit.m_full = HeadMap(carried->shape(), HeadKind::Retrieval, 0, 1);
    fit.cut(texts);
    if (fit.m_pieces.empty())
        return badInput(fmt::format("no text is longer than the window of {} tokens, and there is nothing to fit on: give longer "
                                    "texts",
                                    fit.m_window.recent));
    std::int64_t longest = 0;
    for (const Piece &piece : fit.m_pieces)
        longest = std::max(longest, std::ssize(piece.tokens));
    ZIGZAG_TRY(device, uploadModel(carried, model->backend));
    fit.m_carried = std::move(device);
    ZIGZAG_TRY(pass, LayerPass::create(fit.m_carried, longest, true));
    fit.m_pass = std::move(pass);
    ZIGZAG_TRY(plain, LayerPass::create(model, longest, false));
    fit.m_plain = std::move(plain);
    for (int layer = 0; layer <= carried->config.layers; ++layer) {
        ZIGZAG_TRY(states, fit.m_pass->states());
        fit.m_states.push_back(std::move(states));
    }
    ZIGZAG_TRY(gradient, fit.m_pass->states());
    fit.m_gradient = std::move(gradient);
    fit.lay();
    return fit;
}

/// Pieces of three windows, which tell of positions far beyond the window; of four where that is little, and of one and a half
/// where it is much, for what a step takes grows with them.
void SinkFitting::cut(std::span<const std::vector<int>> texts)
{
    const std::int64_t least = leastPiece(m_window), length = fitPieceTokens(m_window);
    for (const std::vector<int> &text : texts)
        for (std::int64_t begin = 0; std::ssize(text) - begin >= least; begin += length) {
            const auto end = std::min(std::ssize(text), begin + length);
            m_pieces.push_back({{text.begin() + begin, text.begin() + end}, nullptr});
        }
}

void SinkFitting::lay()
{
    const ModelConfig &config = m_model->config();
    const auto queries = static_cast<std::size_t>(config.queryWidth()), keys = static_cast<std::size_t>(config.kvWidth());
    m_firstLayer = config.layers;
    for (int layer = config.layers - 1; layer >= 0; --layer) {
        if (m_from.layers[static_cast<std::size_t>(layer)].sinkLogits.empty())
            continue;
        m_firstLayer = layer;
        const auto add = [&](Kind kind, std::size_t count) {
            m_segments.push_back({.layer = layer, .kind = kind, .begin = m_parameters, .count = count});
            m_parameters += count;
        };
        add(Kind::SinkLogits, static_cast<std::size_t>(config.queryHeads));
        add(Kind::Heads, queries);
        // A model's own biases lie in its weight files, which are not rewritten.
        if (!m_plan.fitsProjections || config.qkvBias)
            continue;
        add(Kind::QueryBias, queries);
        add(Kind::KeyBias, keys);
        add(Kind::ValueBias, keys);
    }
}

Result<SinkCarrier> SinkFitting::carrier(std::span<const double> parameters)
{
    SinkCarrier result = m_from;
    for (const Segment &segment : m_segments) {
        LayerCarrier &layer = result.layers[static_cast<std::size_t>(segment.layer)];
        const auto values = parameters.subspan(segment.begin, segment.count);
        switch (segment.kind) {
        case Kind::SinkLogits:
            layer.sinkLogits = added(layer.sinkLogits, values);
            break;
        case Kind::Heads: {
            ZIGZAG_TRY(bias, m_pass->projectHeads(segment.layer, std::vector<float>(values.begin(), values.end())));
            layer.outputBias.resize(bias.size());
            std::transform(bias.begin(), bias.end(), layer.outputBias.begin(), layer.outputBias.begin(), std::plus<>());
            break;
        }
        case Kind::QueryBias:
            layer.queryBias = added(layer.queryBias, values);
            break;
        case Kind::KeyBias:
            layer.keyBias = added(layer.keyBias, values);
            break;
        case Kind::ValueBias:
            layer.valueBias = added(layer.valueBias, values);
            break;
        }
    }
    return result;
}

/// Onto the device.
Result<void> SinkFitting::set(std::span<const double> parameters)
{
    ZIGZAG_TRY(now, carrier(parameters));
    for (const Segment &segment : m_segments) {
        const LayerCarrier &layer = now.layers[static_cast<std::size_t>(segment.layer)];
        const auto &[id, values] = segment.kind == Kind::SinkLogits ? std::pair(WeightId::SinkLogits, &layer.sinkLogits)
            : segment.kind == Kind::Heads                           ? std::pair(WeightId::OutputBias, &layer.outputBias)
            : segment.kind == Kind::QueryBias                       ? std::pair(WeightId::QueryBias, &layer.queryBias)
            : segment.kind == Kind::KeyBias                         ? std::pair(WeightId::KeyBias, &layer.keyBias)
                                                                    : std::pair(WeightId::ValueBias, &layer.valueBias);
        ZIGZAG_CHECK(setVector(*m_carried, segment.layer, id, *values));
    }
    return {};
}

Result<void> SinkFitting::makeTarget(Piece &piece, const std::atomic<bool> *cancel)
{
    if (piece.full)
        return {};
    ZIGZAG_TRY(states, m_plain->states());
    ZIGZAG_CHECK(m_plain->embed(piece.tokens, *states));
    const HeadMap full(m_model->model->shape(), HeadKind::Retrieval, 0, 1);
    for (int layer = 0; layer < full.layers(); ++layer) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        m_plain->run(layer, full.patterns(layer), std::ssize(piece.tokens), *states, *states);
    }
    piece.full = std::move(states);
    return {};
}

/// Some positions within the window and as many beyond it. Each kind's weights have its share of the loss as their sum.
std::vector<std::int64_t> SinkFitting::rowsOf(const Piece &piece, int round, std::vector<double> &weights) const
{
    std::seed_seq seeds = seedOf(m_plan.seed, 1000003 + static_cast<std::uint64_t>(round));
    std::mt19937_64 random(seeds);
    const std::int64_t last = std::ssize(piece.tokens), edge = m_window.recent;
    const std::int64_t begins[]
        = {std::min(firstMeasured, edge - 1), edge + std::min<std::int64_t>(m_window.sink, last - edge - 1)};
    const std::int64_t ends[] = {edge, last};
    const double shares[] = {m_plan.insideWeight / (1 + m_plan.insideWeight), 1 / (1 + m_plan.insideWeight)};
    std::vector<std::int64_t> rows;
    for (int kind = 0; kind < 2; ++kind) {
        std::vector<std::int64_t> chosen = shuffled(ends[kind] - begins[kind], random);
        chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(rowsOfAKind)));
        std::sort(chosen.begin(), chosen.end());
        for (const std::int64_t row : chosen) {
            rows.push_back(begins[kind] + row);
            weights.push_back(shares[kind] / static_cast<double>(chosen.size()));
        }
    }
    return rows;
}

Result<double> SinkFitting::lossAndGradient(std::size_t at, int round, std::span<const double> parameters,
                                            std::vector<double> &gradient, const std::atomic<bool> *cancel)
{
    Piece &piece = m_pieces[at];
    const auto tokens = std::ssize(piece.tokens);
    const int layers = m_full.layers();
    const auto stopped = [&] { return cancel && cancel->load(std::memory_order_relaxed); };
    ZIGZAG_CHECK(makeTarget(piece, cancel));
    ZIGZAG_CHECK(set(parameters));
    ZIGZAG_CHECK(m_pass->embed(piece.tokens, *m_states.front()));
    for (int layer = 0; layer < layers; ++layer) {
        if (stopped())
            return cancelled();
        const auto to = static_cast<std::size_t>(layer);
        m_pass->run(layer, m_full.patterns(layer), tokens, *m_states[to], *m_states[to + 1]);
        tell(0.3 * (layer + 1) / layers);
    }
    std::vector<double> weights;
    const std::vector<std::int64_t> rows = rowsOf(piece, round, weights);
    std::vector<float> slope; // of the last hidden states, [rows, hidden]
    double loss = 0;
    for (std::size_t done = 0; done < rows.size(); done += logitRows) {
        if (stopped())
            return cancelled();
        const auto part = std::span(rows).subspan(done, std::min(logitRows, rows.size() - done));
        const auto weight = std::span(weights).subspan(done, part.size());
        ZIGZAG_TRY(full, m_plain->logits(part, *piece.full));
        ZIGZAG_TRY(logits, m_pass->logits(part, *m_states.back()));
        loss += divergenceGradient(full, logits, weight);
        ZIGZAG_TRY(back, m_pass->logitsGradient(logits));
        slope.insert(slope.end(), back.begin(), back.end());
    }
    ZIGZAG_CHECK(m_pass->lastStatesGradient(rows, *m_states.back(), slope, tokens, *m_gradient));
    gradient.assign(m_parameters, 0.0);
    auto segment = m_segments.begin(); // from the last layer down, as they were laid
    for (int layer = layers - 1; layer >= m_firstLayer; --layer) {
        if (stopped())
            return cancelled();
        ZIGZAG_TRY(found,
                   m_pass->backwardStandIns(layer, m_full.patterns(layer), tokens, *m_states[static_cast<std::size_t>(layer)],
                                            *m_gradient));
        for (; segment != m_segments.end() && segment->layer == layer; ++segment) {
            const std::vector<double> &values = segment->kind == Kind::SinkLogits ? found.sinkLogits
                : segment->kind == Kind::Heads                                    ? found.heads
                : segment->kind == Kind::QueryBias                                ? found.queryBias
                : segment->kind == Kind::KeyBias                                  ? found.keyBias
                                                                                  : found.valueBias;
            std::copy(values.begin(), values.end(), gradient.begin() + static_cast<std::ptrdiff_t>(segment->begin));
        }
        tell(1 - 0.6 * layer / layers);
    }
    const auto isNumber = [](double value) { return std::isfinite(value); };
    if (!isNumber(loss) || !std::all_of(gradient.begin(), gradient.end(), isNumber))
        return failed(fmt::format("the loss of the fit or its gradient is not finite: activations of {} overflow float32; export "
                                  "without --fit",
                                  m_model->config().name));
    return loss;
}

double SinkFitting::rateOf(Kind kind, const LayerPass::StandInSizes &sizes) const
{
    const auto bounded = [&](double rate, double size) { return std::min(rate, m_plan.largestShare * size); };
    switch (kind) {
    case Kind::SinkLogits:
        return m_plan.logitRate; // of scores, which are of one size everywhere
    case Kind::Heads:
        return bounded(m_plan.headRate, sizes.heads);
    case Kind::QueryBias:
        return bounded(m_plan.biasRate, sizes.queries);
    case Kind::KeyBias:
        return bounded(m_plan.biasRate, sizes.keys);
    case Kind::ValueBias:
        break;
    }
    return bounded(m_plan.biasRate, sizes.values);
}

Result<void> SinkFitting::findRates(const std::atomic<bool> *cancel)
{
    const std::vector<int> &tokens = m_pieces.front().tokens;
    Buffer &states = *m_states.front();
    ZIGZAG_CHECK(m_pass->embed(tokens, states));
    std::vector<LayerPass::StandInSizes> sizes(static_cast<std::size_t>(m_full.layers()));
    for (int layer = 0; layer < m_full.layers(); ++layer) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        m_pass->run(layer, m_full.patterns(layer), std::ssize(tokens), states, states);
        if (m_from.layers[static_cast<std::size_t>(layer)].sinkLogits.empty())
            continue;
        ZIGZAG_TRY(found, m_pass->standInSizes(std::ssize(tokens)));
        sizes[static_cast<std::size_t>(layer)] = found;
    }
    for (Segment &segment : m_segments)
        segment.rate = m_plan.rateScale * rateOf(segment.kind, sizes[static_cast<std::size_t>(segment.layer)]);
    return {};
}

/// Every piece once in a seeded order, then again in another.
std::size_t SinkFitting::pieceOf(int step) const
{
    const auto count = std::ssize(m_pieces);
    std::seed_seq seeds = seedOf(m_plan.seed, static_cast<std::uint64_t>(step / count));
    std::mt19937_64 random(seeds);
    return static_cast<std::size_t>(shuffled(count, random)[static_cast<std::size_t>(step % count)]);
}

void SinkFitting::tell(double share) const
{
    if (m_onLayer)
        m_onLayer(share);
}

Result<SinkCarrier> SinkFitting::run(const std::atomic<bool> *cancel, const std::function<void(double)> &progress,
                                     FitState *soFar, const std::function<void()> &onStep)
{
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    FitState own;
    FitState &state = soFar ? *soFar : own;
    if (state.parameters.empty())
        state = {std::vector<double>(m_parameters), std::vector<double>(m_parameters), std::vector<double>(m_parameters), {}, 0};
    if (state.parameters.size() != m_parameters || state.first.size() != m_parameters || state.second.size() != m_parameters)
        return badInput("what there is of a fit is of another map: begin anew");
    const double before = state.seconds;
    const auto spentSoFar = [&] { return before + std::chrono::duration<double>(Clock::now() - begin).count(); };
    // Whichever ends the fit, steps or time, the rates follow it.
    const auto done = [&](double step) {
        const double spent = spentSoFar();
        return std::max(step / m_plan.steps, m_plan.seconds > 0 ? std::min(1.0, spent / m_plan.seconds) : 0.0);
    };
    ZIGZAG_CHECK(findRates(cancel));
    std::vector<double> gradient, rates(m_parameters);
    m_losses = state.losses;
    for (auto step = static_cast<int>(state.losses.size()); step < m_plan.steps && done(step) < 1; ++step) {
        m_onLayer = [&](double share) {
            if (progress)
                progress(done(step + share));
        };
        ZIGZAG_TRY(loss, lossAndGradient(pieceOf(step), step, state.parameters, gradient, cancel));
        state.losses.push_back(loss);
        for (const Segment &segment : m_segments)
            std::fill_n(rates.begin() + static_cast<std::ptrdiff_t>(segment.begin), segment.count,
                        segment.rate * schedule(done(step + 0.5)));
        adamStep(state, gradient, rates);
        state.seconds = spentSoFar();
        m_losses = state.losses;
        if (onStep)
            onStep();
    }
    m_onLayer = {};
    return carrier(state.parameters);
}

} // namespace zigzag
