// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/session.h"

#include "engine/map/map_io.h"
#include "engine/run/transformer.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace zigzag {

namespace {

constexpr std::string_view cancelledMessage = "the run was cancelled";

std::int64_t bytesNeeded(const ModelConfig &config, const HeadMap &map, std::int64_t context, const SessionOptions &options)
{
    const std::int64_t chunk = std::min(options.chunk, context);
    const KvLayout layout(map, context, config.dtype);
    return layout.bytes() + KvCache::stagingBytes(layout, chunk) + Workspace::bytesNeeded(config, context, chunk, options.mixed);
}

/// The longest context whose session needs at most `available` bytes; 0 when none does.
std::int64_t longestContext(const ModelConfig &config, const HeadMap &map, std::int64_t available, const SessionOptions &options)
{
    std::int64_t fits = 0, tooLong = options.maxContext;
    while (tooLong - fits > 1) {
        const std::int64_t middle = fits + (tooLong - fits) / 2;
        (bytesNeeded(config, map, middle, options) <= available ? fits : tooLong) = middle;
    }
    return fits;
}

} // namespace

std::string_view nameOf(MixedMode mode)
{
    return mode == MixedMode::Fused ? "fused" : mode == MixedMode::TwoLaunch ? "two-launch" : "reference";
}

Result<MixedMode> parseMixedMode(std::string_view name)
{
    for (MixedMode mode : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference})
        if (name == nameOf(mode))
            return mode;
    return badInput(fmt::format("'{}' is no way to run mixed layers: choose fused, two-launch or reference", name));
}

bool isCancelled(const Error &error)
{
    return error.message == cancelledMessage;
}

struct Session::Impl {
    Impl(std::shared_ptr<DeviceModel> deviceModel, KvLayout kvLayout, KvCache kvCache, Workspace space,
         const SessionOptions &with)
        : model(std::move(deviceModel))
        , layout(std::move(kvLayout))
        , cache(std::move(kvCache))
        , workspace(std::move(space))
        , options(with)
        , transformer(*model, layout, cache, workspace, with.mixed)
    { }

    std::shared_ptr<DeviceModel> model;
    KvLayout layout;
    KvCache cache;
    Workspace workspace;
    SessionOptions options;
    Transformer transformer;
    std::int64_t position = 0;
};

Session::Session(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{ }
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                 const SessionOptions &options)
{
    const ModelConfig &config = model->config();
    ZIGZAG_CHECK(checkFits(map, model->model->shape(), "the head map"));
    constexpr std::int64_t longest = std::int64_t{1} << 31; // positions are int32 in kernels
    if (options.maxContext < 1 || options.maxContext >= longest || options.chunk < 1)
        return badInput(
            fmt::format("a context of {} tokens in chunks of {} cannot be run: both must be at least 1 and below 2^31",
                        options.maxContext, options.chunk));
    SessionOptions planned = options;
    planned.chunk = std::min(options.chunk, options.maxContext);
    Backend &backend = *model->backend;
    const std::int64_t needed = bytesNeeded(config, map, options.maxContext, planned);
    const std::int64_t available = backend.device().memoryBytes;
    if (needed > available) {
        const std::int64_t fits = longestContext(config, map, available, planned);
        return failed(fmt::format("{} at a context of {} tokens needs {} bytes beside its weights and {} are free on {}: {}",
                                  config.name, options.maxContext, needed, available, backend.device().name,
                                  fits > 0
                                      ? fmt::format("choose a context of at most {}, or a map with more streaming heads", fits)
                                      : std::string("choose a smaller model")));
    }
    KvLayout layout(map, options.maxContext, config.dtype);
    ZIGZAG_TRY(cache, KvCache::create(backend, layout, planned.chunk));
    ZIGZAG_TRY(workspace, Workspace::create(backend, config, options.maxContext, planned.chunk, planned.mixed));
    auto impl = std::make_unique<Impl>(std::move(model), std::move(layout), std::move(cache), std::move(workspace), planned);
    return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Result<std::vector<float>> Session::run(std::span<const int> tokens, Logits logits)
{
    Impl &s = *m_impl;
    const ModelConfig &config = s.model->config();
    const auto count = static_cast<std::int64_t>(tokens.size());
    if (count > maxContext() - s.position)
        return badInput(fmt::format("{} tokens after position {} exceed the session's context of {}: ask for a longer context",
                                    count, s.position, maxContext()));
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] < 0 || tokens[i] >= config.vocabulary)
            return badInput(fmt::format("token {} at index {} is outside the vocabulary of {}: tokenize for this model",
                                        tokens[i], i, config.vocabulary));
    std::vector<float> out;
    if (logits == Logits::All)
        out.reserve(static_cast<std::size_t>(count * config.vocabulary));
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t chunk = std::min(s.options.chunk, count - done);
        if (!s.transformer.forward(tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(chunk)), s.position)) {
            s.position = 0; // some layers have this chunk and some do not: only a fresh start is sound
            return failed(std::string(cancelledMessage));
        }
        s.position += chunk;
        done += chunk;
        if (logits == Logits::All)
            s.transformer.logits(0, chunk, out);
        else if (logits == Logits::Last && done == count)
            s.transformer.logits(chunk - 1, 1, out);
    }
    return out;
}

void Session::reset()
{
    m_impl->position = 0;
}

void Session::pretend(std::int64_t position, std::uint64_t seed)
{
    m_impl->cache.fillRandom(*m_impl->model->backend, seed);
    m_impl->position = std::min(position, maxContext());
}

std::int64_t Session::position() const
{
    return m_impl->position;
}

std::int64_t Session::maxContext() const
{
    return m_impl->layout.context();
}

const HeadMap &Session::map() const
{
    return m_impl->layout.map();
}

std::int64_t Session::kvBytesAllocated() const
{
    return m_impl->cache.bytes();
}

std::int64_t Session::workspaceBytes() const
{
    const Impl &s = *m_impl;
    return Workspace::bytesNeeded(s.model->config(), maxContext(), s.options.chunk, s.options.mixed)
        + KvCache::stagingBytes(s.layout, s.options.chunk);
}

void Session::setTraceSink(TraceSink *sink)
{
    m_impl->transformer.sink = sink;
}

void Session::setCancelFlag(const std::atomic<bool> *flag)
{
    m_impl->transformer.cancel = flag;
}

void Session::setAttentionObserver(AttentionObserver observer)
{
    m_impl->transformer.observer = std::move(observer);
}

} // namespace zigzag
