// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/end_tokens.h"

namespace zigzag {

Result<std::vector<int>> readEndTokens(const json::Value &config, const std::string &where)
{
    std::vector<int> tokens;
    const json::Value *value = json::find(config, "eos_token_id");
    if (!value)
        return tokens;
    const json::Value list = value->is_array() ? *value : json::Value::array({*value});
    for (const json::Value &element : list) {
        ZIGZAG_TRY(token, json::asInteger(element, "\"eos_token_id\"", 0, INT32_MAX, where));
        tokens.push_back(static_cast<int>(token));
    }
    return tokens;
}

} // namespace zigzag
