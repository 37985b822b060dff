// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model.h"
#include "engine/run/backend.h"
#include "engine/run/session_options.h"
#include "engine/run/trace_sink.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

class DeviceModel;

/// One sequence, or a batch of them: KV caches planned by the map, and the forward pass over them, on one device or, where the
/// model was dealt to several (uploadDealt), on all of them together. Used from one thread at a time.
class Session
{
public:
    /// All memory is planned and allocated here; what does not fit is refused with the bytes needed and what would fit.
    static Result<std::unique_ptr<Session>> create(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                   const SessionOptions &options);
    virtual ~Session() = default;

    /// Which rows of logits a call returns.
    enum class Logits { Last, All, None };
    /// Runs tokens at the next positions of one sequence, in chunks. Returns [rows, vocabulary] float32 (rows = 1, tokens or
    /// 0). Fails when the context would be exceeded, a token is outside the vocabulary, the run was cancelled between
    /// layers, the device failed, or a logit is not finite; after the last three the sequence is forgotten.
    virtual Result<std::vector<float>> run(std::span<const int> tokens, Logits logits = Logits::Last, int sequence = 0) = 0;
    /// Decode: one token of every sequence. Returns [batch, vocabulary] float32; fails as `run` does.
    virtual Result<std::vector<float>> step(std::span<const int> tokens) = 0;
    /// In `stepSome`, instead of a token: this sequence stays as it is.
    static constexpr int waiting = -1;
    /// Decode of the first `tokens.size()` sequences, at most the batch: a token of each, or `waiting`, whose row means nothing.
    /// A sequence that waits needs room for a token as well: it is computed with one that is then forgotten. Returns [tokens,
    /// vocabulary] float32; fails as `run` does.
    virtual Result<std::vector<float>> stepSome(std::span<const int> tokens) = 0;
    /// Greedy decode without the host between its steps: runs a token of every sequence, and `steps` − 1 times what was
    /// chosen. Returns the choices. [steps, batch]
    virtual Result<std::vector<std::int32_t>> continueGreedily(std::span<const int> tokens, int steps) = 0;
    /// Milliseconds that the steps of the last `continueGreedily` took, from the start of the first to the end of the last: by
    /// events on the device where it works beside the host, else by the host's clock.
    virtual double decodeMs() const = 0;

    /// Forgets every token of every sequence; the memory stays.
    virtual void reset() = 0;
    /// Forgets the tokens of one sequence.
    virtual void reset(int sequence) = 0;
    /// As if `position` tokens of every sequence had been run: the caches hold seeded random keys and values. For timing
    /// decode at a context without its prefill; what follows is not text.
    virtual void pretend(std::int64_t position, std::uint64_t seed) = 0;

    virtual std::int64_t position(int sequence = 0) const = 0;
    virtual int batch() const = 0;
    virtual std::int64_t maxContext() const = 0;
    virtual const HeadMap &map() const = 0;
    /// Bytes of keys and values really allocated; equal to batch · kvBytes(map, maxContext, dtype) by test.
    virtual std::int64_t kvBytesAllocated() const = 0;
    virtual std::int64_t workspaceBytes() const = 0;

    /// With `Replays::Run` a decode step that a device has recorded is replayed as it is without a sink: the sink hears of every
    /// op once, while the step is recorded, and of each replay as one pass. Otherwise every op is launched, and heard of, by
    /// itself.
    enum class Replays { Split, Run };
    virtual void setTraceSink(TraceSink *sink, Replays replays = Replays::Split) = 0;
    /// Checked between layers: set it to stop a running call, which then fails as cancelled.
    virtual void setCancelFlag(const std::atomic<bool> *flag) = 0;
    /// Called per layer in each run with this set.
    virtual void setAttentionObserver(AttentionObserver observer) = 0;

protected:
    Session() = default;
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;
};

} // namespace zigzag
