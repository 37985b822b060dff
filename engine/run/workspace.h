// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"
#include "engine/run/device_model.h"
#include "engine/run/rotation_tables.h"
#include "engine/run/session_options.h"

#include <cstdint>
#include <memory>

namespace zigzag {

/// The activations of one forward pass of at most `chunk` tokens, the state of decode, and the rotation tables.
struct Workspace {
    static Result<Workspace> create(Backend &backend, const ModelConfig &config, const SessionOptions &options,
                                    const RankMember &member = {});
    /// What `create` will ask for, so that a plan can be refused first.
    static std::int64_t bytesNeeded(const Backend &backend, const ModelConfig &config, const SessionOptions &options,
                                    const RankMember &member = {});

    static constexpr std::int64_t logitsRows = 64; ///< rows of logits that are computed at a time

    // rows: the chunk, or the batch where that is larger
    std::unique_ptr<Buffer> tokens; // [rows] int32
    std::unique_ptr<Buffer> positions; // [batch] int32, of the tokens that decode runs next
    std::unique_ptr<Buffer> history; // [batch, context] int32: the tokens that greedy decode chose, by their positions
    std::unique_ptr<Buffer> residual; // [rows, hidden] float32
    std::unique_ptr<Buffer> normed; // [rows, hidden]
    std::unique_ptr<Buffer> queries; // [rows, query_heads, head_dim]
    std::unique_ptr<Buffer> keys; // [rows, kv_heads, head_dim]
    std::unique_ptr<Buffer> values; // [rows, kv_heads, head_dim]
    std::unique_ptr<Buffer> attended; // [rows, query_heads, head_dim]
    std::unique_ptr<Buffer> gathered, gatheredOut; // [rows, query_heads, head_dim], MixedMode::Reference alone
    std::unique_ptr<Buffer> gate, up; // [rows, intermediate]
    std::unique_ptr<Buffer> routes; // [rows, experts] float32, where a layer has experts
    std::unique_ptr<Buffer> logits; // [logits_rows, vocabulary] float32
    std::unique_ptr<Buffer> strongest; // [rows, query_heads] int32
    std::unique_ptr<Buffer> added; // [rows, hidden] float32, where a layer norms what is added to the residual stream
    std::unique_ptr<Buffer> part; // [rows, hidden] float32: a rank's part of what is added to the residual stream
    std::unique_ptr<Buffer> headPart; // [logits_rows, the widest rank's] float32: a rank's part of the logits
    std::unique_ptr<Buffer> widthParts; // [rows, query and key widths] float32: a rank's, where norms are over all ranks' heads
    std::unique_ptr<Buffer> widthWhole; // [rows, query width of all ranks] float32
    std::unique_ptr<Buffer> widthNormed; // the same as activations
    RotationTables rotations;
};

} // namespace zigzag
