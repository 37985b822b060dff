// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/session.h"

#include <memory>

namespace zigzag {

/// A trace sink with one of its own for each rank, each called on that rank's thread: for Session::setTraceSink. Of any other
/// sink, what is heard is the first rank's.
class RankSinks : public TraceSink
{
public:
    virtual TraceSink *of(int rank) = 0;
    void begin(const SpanInfo &) override { }
    void end() override { }
};

/// A session on every rank of a model that was dealt out, in step: each has the KV caches of its own heads, adds its part to what
/// the others have after every attention and feed-forward, and knows all logits and the next token (tensor parallelism, arXiv
/// 1909.08053). Each rank's memory is planned by itself, and refused before it is allocated.
Result<std::unique_ptr<Session>> createParallelSession(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                       const SessionOptions &options);

} // namespace zigzag
