// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/text/normalizer.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct AddedToken {
    std::string pattern; ///< as it stands in the text that it is looked for in
    int id = 0;
    bool takesLeft = false, takesRight = false; ///< swallows the white space beside it
    bool normalized = false; ///< looked for in normalized text
    bool special = false;
};

Result<std::vector<AddedToken>> readAddedTokens(const json::Value &document, const Normalizer &normalizer,
                                                const std::string &where);

/// Finds added tokens in text: leftmost first, the longest where several begin.
class AddedTokenFinder
{
public:
    AddedTokenFinder() = default;
    /// Looks for those of `tokens` whose `normalized` is as given.
    AddedTokenFinder(const std::vector<AddedToken> &tokens, bool normalized);

    struct Part {
        std::string_view text;
        int id = -1; ///< of an added token, or −1 for text between
    };
    std::vector<Part> split(std::string_view text) const;

private:
    const AddedToken *at(std::string_view text, std::size_t position) const;

    std::array<std::vector<AddedToken>, 256> m_byFirstByte; ///< longest first
};

} // namespace zigzag
