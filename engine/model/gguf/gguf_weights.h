// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/gguf/gguf_file.h"
#include "engine/model/weights.h"

namespace zigzag {

/// The types of a file's tensors, for a config of it: matrices too, unless ZIGZAG_GGUF_TYPE asks for them in another.
Result<StoredTypes> readStoredTypes(const GgufFile &file, const ModelConfig &config);

/// The tensors of a GGUF file as the engine runs them: what has the type that the config gives it (ModelConfig::storedTypes) lies
/// where it is in the file, its rows in the file's order. Matrices that are to have another are decoded into memory of their own.
/// Every tensor that the config implies must be there with its shape; others are named in the notes. Without `needed` everything
/// is held against the config and nothing is copied: there is a fingerprint and no data.
Result<Weights> loadGgufWeights(const GgufFile &file, const ModelConfig &config, bool needed, const LoadWatch &watch = {});

/// One line on what the file's tensors take there and in memory, where any is decoded; else empty.
std::string noteDecoded(const GgufFile &file, const ModelConfig &config);

} // namespace zigzag
