// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/gguf/gguf_file.h"
#include "engine/model/weights.h"

namespace zigzag {

/// The tensors of a GGUF file as the engine runs them: matrices of the config's type lie where they are in the file; of another
/// type, quantised ones above all, are decoded into memory of their own, and so are rows that the file has in another order.
/// Every tensor that the config implies must be there with its shape; others are named in the notes. Without `needed` everything
/// is held against the config and nothing is decoded: there is a fingerprint and no data.
Result<Weights> loadGgufWeights(const GgufFile &file, const ModelConfig &config, bool needed, const LoadWatch &watch = {});

/// One line on what the file's tensors take there and in memory, where any is decoded; else empty.
std::string noteDecoded(const GgufFile &file, const ModelConfig &config);

} // namespace zigzag
