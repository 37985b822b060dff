// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"

#include <string>
#include <variant>
#include <vector>

namespace zigzag {

/// Rewrites text before it is cut into words: the "normalizer" of a tokenizer.json.
class Normalizer
{
public:
    static Result<Normalizer> read(const json::Value *section, const std::string &where);
    std::string apply(std::string text) const;

private:
    struct Prepend {
        std::string text;
    };
    struct Replace {
        std::string from, to;
    };
    struct Compose { // Unicode's NFC
    };

    Result<void> add(const json::Value &step, const std::string &where);

    std::vector<std::variant<Prepend, Replace, Compose>> m_steps;
};

} // namespace zigzag
