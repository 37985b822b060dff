// SPDX-License-Identifier: GPL-3.0-or-later
// config.json with its rotary embedding.
#include "engine/model/model_config.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(model_config)
{
    const auto config = zigzag::parseModelConfig(input, "input");
    if (config)
        zigzag::test::require(config->parameters() > 0 && config->weightBytes() > 0 && config->kvBytesPerToken() > 0);
}
