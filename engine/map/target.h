// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"

#include <cstdint>
#include <variant>
#include <vector>

namespace zigzag {

/// round(sparsity · units) units stream, of those that can: layers that the model's own file makes local are none.
struct SparsityTarget {
    double sparsity = 0.5; ///< in [0, 1]
};

/// As many layers stream; of a criterion that chooses heads, as many heads as these layers have.
struct LayerTarget {
    int layers = 0;
};

/// Keys and values take at most so many bytes at this context.
struct KvBudget {
    std::int64_t bytes = 0;
    std::int64_t context = 0; ///< tokens
    DType type = DType::BF16;
};

/// What one layer takes per output token when all its heads are of a kind; a mixed layer lies between, by its share.
struct LayerTime {
    double retrievalMs = 0;
    double streamingMs = 0;
};

/// A token takes at most so long at this context. The times come from whoever knows them: a cost model, or a trace.
struct TimeBudget {
    double ms = 0;
    double outsideMs = 0; ///< of what lies outside the layers
    std::vector<LayerTime> layers; // [layers]
    std::int64_t context = 0; ///< tokens; for messages and provenance
};

using Target = std::variant<SparsityTarget, LayerTarget, KvBudget, TimeBudget>;

} // namespace zigzag
