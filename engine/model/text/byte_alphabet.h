// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

namespace zigzag {

/// GPT-2's spelling of bytes as printable characters: printable Latin-1 stands for itself, the others follow from U+0100.
class ByteAlphabet
{
public:
    static const ByteAlphabet &instance();

    std::string spell(std::string_view bytes) const;
    /// A text with a character that stands for no byte is not spelled so, and is kept as it is.
    std::string read(std::string_view spelled) const;

private:
    ByteAlphabet();

    std::array<std::string, 256> m_spelling;
    std::unordered_map<char32_t, char> m_byte;
};

} // namespace zigzag
