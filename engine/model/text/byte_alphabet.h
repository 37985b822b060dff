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
    /// Characters that stand for no byte are kept as they are.
    std::string read(std::string_view spelled) const;

private:
    ByteAlphabet();

    std::array<std::string, 256> m_spelling;
    std::unordered_map<char32_t, char> m_byte;
};

} // namespace zigzag
