// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// resources/tasks/passkey.json, checked: every slot of every text can be filled.
struct NeedleGrammar {
    std::string needle, question; ///< with {name}, the needle with {key} as well
    std::string name; ///< what the question asks for: the first of the grammar's names
    std::vector<std::string> names; ///< every name that a key can have
    std::string answerEnd; ///< what follows an answer in the text
    int digits = 0;
    std::uint64_t modulus = 1, residue = 0; ///< the held-out keys: key mod modulus = residue
    std::vector<std::string> templates;
    std::map<std::string, std::vector<std::string>, std::less<>> words;

    std::string sentence(std::mt19937_64 &random) const;
    std::string heldOutKey(std::mt19937_64 &random) const;
};

Result<NeedleGrammar> parseNeedleGrammar(std::string_view json, const std::string &where);

/// `text` with every {slot} replaced by fill(slot).
template <class Fill> std::string fillSlots(std::string_view text, const Fill &fill)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t open = text.find('{', at);
        const std::size_t close = open == text.npos ? text.npos : text.find('}', open);
        if (close == text.npos)
            return out.append(text.substr(at));
        out.append(text.substr(at, open - at));
        out.append(fill(text.substr(open + 1, close - open - 1)));
        at = close + 1;
    }
    return out;
}

} // namespace zigzag
