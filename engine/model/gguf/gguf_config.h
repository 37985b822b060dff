// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/gguf/gguf_file.h"
#include "engine/model/model_config.h"

#include <string>

namespace zigzag {

/// The config of a GGUF file's model: its metadata under the names of a config.json, and through the same checks. What is
/// there and not used, or not known, is named in the notes; what changes the network otherwise than the engine runs it is
/// refused.
Result<ModelConfig> readGgufConfig(const GgufFile &file);
/// That config.json, for what is made from one.
Result<std::string> ggufConfigText(const GgufFile &file);

/// What its matrices become where they are not of one plain type: BF16 where any is quantised. ZIGZAG_GGUF_TYPE (f32, f16 or
/// bf16) says otherwise.
Result<DType> elementTypeOf(const GgufFile &file);

} // namespace zigzag
