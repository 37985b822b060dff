// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/session.h"

#include "engine/map/checks.h"
#include "engine/map/map_io.h"
#include "engine/run/parallel_session.h"
#include "engine/run/transformer.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <optional>

namespace zigzag {

namespace {

constexpr int maxBatch = 64;

std::int64_t bytesNeeded(const Backend &backend, const ModelConfig &config, const RankMember &member, const HeadMap &map,
                         SessionOptions options)
{
    options.chunk = std::min(options.chunk, options.maxContext);
    const KvLayout layout(map, options.maxContext, config.kvType);
    return options.batch * layout.bytes() + KvCache::stagingBytes(layout, options.chunk)
        + Workspace::bytesNeeded(backend, config, options, member);
}

/// The longest context whose session needs at most `available` bytes; 0 when none does.
std::int64_t longestContext(const Backend &backend, const ModelConfig &config, const RankMember &member, const HeadMap &map,
                            std::int64_t available, SessionOptions options)
{
    std::int64_t fits = 0, tooLong = options.maxContext;
    while (tooLong - fits > 1) {
        options.maxContext = fits + (tooLong - fits) / 2;
        (bytesNeeded(backend, config, member, map, options) <= available ? fits : tooLong) = options.maxContext;
    }
    return fits;
}

struct Impl {
    Impl(std::shared_ptr<DeviceModel> deviceModel, KvLayout kvLayout, KvCache kvCache, Workspace space,
         const SessionOptions &with)
        : model(std::move(deviceModel))
        , layout(std::move(kvLayout))
        , cache(std::move(kvCache))
        , workspace(std::move(space))
        , options(with)
        , transformer(*model, layout, cache, workspace, with)
        , positions(static_cast<std::size_t>(with.batch))
    { }

    Result<void> checkTokens(std::span<const int> tokens) const
    {
        const ModelConfig &config = model->config();
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (tokens[i] < 0 || tokens[i] >= config.vocabulary)
                return badInput(fmt::format("token {} at index {} is outside the vocabulary of {}: tokenize for this model",
                                            tokens[i], i, config.vocabulary));
        return {};
    }

    /// What decode is asked to run, checked.
    Result<void> startDecode(std::span<const int> tokens, std::int64_t steps)
    {
        if (std::ssize(tokens) != options.batch)
            return badInput(fmt::format("{} tokens for a batch of {}: give one of each sequence", tokens.size(), options.batch));
        ZIGZAG_CHECK(checkTokens(tokens));
        for (const std::int32_t position : positions)
            ZIGZAG_CHECK(checkRoom(steps, position));
        transformer.setNext(tokens, positions);
        return {};
    }

    Result<void> checkRoom(std::int64_t count, std::int64_t position) const
    {
        if (count > layout.context() - position)
            return badInput(
                fmt::format("{} tokens after position {} exceed the session's context of {}: ask for a longer context", count,
                            position, layout.context()));
        return {};
    }

    /// A step of decode, and its logits. [sequences, vocabulary]
    Result<std::vector<float>> stepped()
    {
        std::vector<float> out;
        auto ran = transformer.step();
        if (ran)
            ran = transformer.stepLogits(out);
        if (!ran)
            return forget(std::move(ran.error()));
        return out;
    }

    /// After a pass that did not end, some layers have its tokens and some do not: only a fresh start is sound.
    tl::unexpected<Error> forget(Error error)
    {
        std::fill(positions.begin(), positions.end(), 0);
        return tl::unexpected(std::move(error));
    }

    std::shared_ptr<DeviceModel> model;
    KvLayout layout;
    KvCache cache;
    Workspace workspace;
    SessionOptions options;
    Transformer transformer;
    std::vector<std::int32_t> positions; // [batch]
    double decodeMs = 0;
};

/// On one device: the whole model, or one rank's part of it.
class OneSession final : public Session
{
public:
    explicit OneSession(std::unique_ptr<Impl> impl)
        : m_impl(std::move(impl))
    { }

    Result<std::vector<float>> run(std::span<const int> tokens, Logits logits, int sequence) override;
    Result<std::vector<float>> step(std::span<const int> tokens) override;
    Result<std::vector<float>> stepSome(std::span<const int> tokens) override;
    Result<std::vector<std::int32_t>> continueGreedily(std::span<const int> tokens, int steps) override;
    double decodeMs() const override { return m_impl->decodeMs; }
    void reset() override { std::fill(m_impl->positions.begin(), m_impl->positions.end(), 0); }
    void reset(int sequence) override { m_impl->positions[static_cast<std::size_t>(sequence)] = 0; }
    void pretend(std::int64_t position, std::uint64_t seed) override;
    std::int64_t position(int sequence) const override { return m_impl->positions[static_cast<std::size_t>(sequence)]; }
    int batch() const override { return m_impl->options.batch; }
    std::int64_t maxContext() const override { return m_impl->layout.context(); }
    const HeadMap &map() const override { return m_impl->layout.map(); }
    std::int64_t kvBytesAllocated() const override { return m_impl->cache.bytes(); }
    std::int64_t workspaceBytes() const override;
    void setTraceSink(TraceSink *sink, Replays replays) override;
    void setCancelFlag(const std::atomic<bool> *flag) override { m_impl->transformer.cancel = flag; }
    void setAttentionObserver(AttentionObserver observer) override { m_impl->transformer.observer = std::move(observer); }

private:
    std::unique_ptr<Impl> m_impl;
};

Result<std::vector<float>> OneSession::run(std::span<const int> tokens, Logits logits, int sequence)
{
    Impl &s = *m_impl;
    if (sequence < 0 || sequence >= s.options.batch)
        return badInput(fmt::format("there is no sequence {} in a batch of {}", sequence, s.options.batch));
    std::int32_t &position = s.positions[static_cast<std::size_t>(sequence)];
    const auto count = static_cast<std::int64_t>(tokens.size());
    ZIGZAG_CHECK(s.checkRoom(count, position));
    ZIGZAG_CHECK(s.checkTokens(tokens));
    if (count == 1 && s.options.batch == 1 && logits == Logits::Last)
        return step(tokens);
    std::vector<float> out;
    if (logits == Logits::All)
        out.reserve(tokens.size() * static_cast<std::size_t>(s.model->config().vocabulary));
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t chunk = std::min(s.options.chunk, count - done);
        const Span pass(s.transformer.sink, {.tokens = chunk, .firstPosition = position});
        const auto part = tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(chunk));
        if (auto ran = s.transformer.prefill(part, position, sequence); !ran)
            return s.forget(std::move(ran.error()));
        position += static_cast<std::int32_t>(chunk);
        done += chunk;
        Result<void> taken;
        if (logits == Logits::All)
            taken = s.transformer.logits(0, chunk, out);
        else if (logits == Logits::Last && done == count)
            taken = s.transformer.logits(chunk - 1, 1, out);
        if (!taken)
            return s.forget(std::move(taken.error()));
    }
    return out;
}

Result<std::vector<float>> OneSession::step(std::span<const int> tokens)
{
    Impl &s = *m_impl;
    ZIGZAG_CHECK(s.startDecode(tokens, 1));
    ZIGZAG_TRY(out, s.stepped());
    for (std::int32_t &position : s.positions)
        ++position;
    return std::move(out);
}

Result<std::vector<float>> OneSession::stepSome(std::span<const int> tokens)
{
    Impl &s = *m_impl;
    if (tokens.empty() || std::ssize(tokens) > s.options.batch)
        return badInput(
            fmt::format("{} tokens for a batch of {}: give one of each of its first sequences", tokens.size(), s.options.batch));
    // What a waiting sequence computes lies at its next position, where its own next token will overwrite it.
    std::vector<int> run(tokens.begin(), tokens.end());
    std::replace(run.begin(), run.end(), waiting, 0);
    ZIGZAG_CHECK(s.checkTokens(run));
    const auto positions = std::span(s.positions).first(tokens.size());
    for (const std::int32_t position : positions)
        ZIGZAG_CHECK(s.checkRoom(1, position));
    s.transformer.setNext(run, positions);
    ZIGZAG_TRY(out, s.stepped());
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] != waiting)
            ++positions[i];
    return std::move(out);
}

Result<std::vector<std::int32_t>> OneSession::continueGreedily(std::span<const int> tokens, int steps)
{
    Impl &s = *m_impl;
    ZIGZAG_CHECK(s.startDecode(tokens, steps));
    Result<void> ran;
    const auto begin = std::chrono::steady_clock::now();
    s.model->backend->beginTimed();
    for (int i = 0; ran && i < steps; ++i)
        ran = s.transformer.step();
    s.model->backend->endTimed();
    // Also after a cancelled step: what was launched before it still runs.
    const auto finished = s.model->backend->synchronize();
    const std::chrono::duration<double, std::milli> byHost = std::chrono::steady_clock::now() - begin;
    s.decodeMs = s.model->backend->timedMs().value_or(byHost.count());
    if (ran)
        ran = finished;
    std::vector<float> last; // a number that was none in an earlier step is in its keys and values, and so in these
    if (ran)
        ran = s.transformer.stepLogits(last);
    if (!ran)
        return s.forget(std::move(ran.error()));
    std::vector<std::int32_t> chosen(static_cast<std::size_t>(steps) * tokens.size()); // [steps, batch]
    std::vector<std::int32_t> row(static_cast<std::size_t>(steps));
    const auto *history = s.workspace.history->as<std::int32_t>();
    for (std::size_t sequence = 0; sequence < tokens.size(); ++sequence) {
        // The choice of the last step may lie just outside the context: it is the next token to run.
        const std::int64_t first = s.positions[sequence] + 1, kept = std::min<std::int64_t>(steps, maxContext() - first);
        s.model->backend->download(row.data(), history + static_cast<std::int64_t>(sequence) * maxContext() + first,
                                   static_cast<std::size_t>(kept) * sizeof(std::int32_t));
        if (kept < steps)
            s.model->backend->download(&row.back(), s.workspace.tokens->as<std::int32_t>() + sequence, sizeof(std::int32_t));
        for (std::size_t i = 0; i < row.size(); ++i)
            chosen[i * tokens.size() + sequence] = row[i];
    }
    if (auto taken = s.model->backend->synchronize(); !taken)
        return s.forget(std::move(taken.error()));
    for (std::int32_t &position : s.positions)
        position += steps;
    return chosen;
}

void OneSession::pretend(std::int64_t position, std::uint64_t seed)
{
    m_impl->cache.fillRandom(*m_impl->model->backend, seed);
    std::fill(m_impl->positions.begin(), m_impl->positions.end(), static_cast<std::int32_t>(std::min(position, maxContext())));
}

std::int64_t OneSession::workspaceBytes() const
{
    const Impl &s = *m_impl;
    return Workspace::bytesNeeded(*s.model->backend, s.model->config(), s.options, s.model->member)
        + KvCache::stagingBytes(s.layout, s.options.chunk);
}

void OneSession::setTraceSink(TraceSink *sink, Replays replays)
{
    m_impl->transformer.sink = sink;
    m_impl->transformer.tracesReplays = replays == Replays::Run;
}

} // namespace

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<DeviceModel> model, const HeadMap &given,
                                                 const SessionOptions &options)
{
    if (model->isDealt())
        return createParallelSession(std::move(model), given, options);
    const ModelConfig &config = model->config();
    ZIGZAG_CHECK(checkFits(given, model->model->shape(), "the head map"));
    for (int layer = 0; layer < given.layers(); ++layer)
        ZIGZAG_CHECK(checkWindow(given.window(layer).sink, given.window(layer).recent, "the head map"));
    HeadMap map = given;
    map.setModel(mergedShape(model->model->shape(), given.model())); // a map from bare scores knows no head size
    constexpr std::int64_t longest = std::int64_t{1} << 31; // positions are int32 in kernels
    if (options.maxContext < 1 || options.maxContext >= longest || options.chunk < 0)
        return badInput(
            fmt::format("a context of {} tokens in chunks of {} cannot be run: both must be at least 1 and below 2^31",
                        options.maxContext, options.chunk));
    if (options.batch < 1 || options.batch > maxBatch)
        return badInput(fmt::format("a batch of {} sequences cannot be run: choose 1 to {}", options.batch, maxBatch));
    Backend &backend = *model->backend;
    ZIGZAG_CHECK(checkRuns(backend, config));
    const DeviceInfo device = backend.device();
    SessionOptions planned = options;
    planned.chunk = std::min(options.chunk > 0 ? options.chunk : device.prefillChunk, options.maxContext);
    const std::int64_t needed = bytesNeeded(backend, config, model->member, map, planned);
    if (needed > device.memoryBytes) {
        const std::int64_t fits = longestContext(backend, config, model->member, map, device.memoryBytes, planned);
        return failed(fmt::format("{} at a context of {} tokens needs {} bytes beside its weights and {} are free on {}: {}",
                                  config.name, options.maxContext, needed, device.memoryBytes, device.name,
                                  fits > 0
                                      ? fmt::format("choose a context of at most {}, or a map with more streaming heads", fits)
                                      : std::string("choose a smaller model")));
    }
    KvLayout layout(map, options.maxContext, config.kvType);
    ZIGZAG_TRY(cache, KvCache::create(backend, layout, planned.chunk, planned.batch));
    ZIGZAG_TRY(workspace, Workspace::create(backend, config, planned, model->member));
    auto impl = std::make_unique<Impl>(std::move(model), std::move(layout), std::move(cache), std::move(workspace), planned);
    return std::make_unique<OneSession>(std::move(impl));
}

} // namespace zigzag
