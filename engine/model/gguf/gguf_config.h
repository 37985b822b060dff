// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/gguf/gguf_file.h"
#include "engine/model/model_config.h"

#include <optional>
#include <string>

namespace zigzag {

/// The config of a GGUF file's model: its metadata under the names of a config.json, and through the same checks. What is
/// there and not used, or not known, is named in the notes; what changes the network otherwise than the engine runs it is
/// refused.
Result<ModelConfig> readGgufConfig(const GgufFile &file);
/// That config.json, for what is made from one.
Result<std::string> ggufConfigText(const GgufFile &file);

/// The config's dtype: that of the matrices where they are of one plain type, else BF16, or what ZIGZAG_GGUF_TYPE asks for.
Result<DType> elementTypeOf(const GgufFile &file);

/// ZIGZAG_GGUF_TYPE (f32, f16 or bf16): what matrices are decoded to when they are loaded, in a file whose matrices are not of
/// one plain type. None where it is not set, or the file has nothing to decode: they stay as they are stored.
Result<std::optional<DType>> askedType(const GgufFile &file);

} // namespace zigzag
