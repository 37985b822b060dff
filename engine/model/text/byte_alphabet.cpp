// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/byte_alphabet.h"

#include "engine/model/text/utf8.h"

namespace zigzag {

const ByteAlphabet &ByteAlphabet::instance()
{
    static const ByteAlphabet alphabet;
    return alphabet;
}

ByteAlphabet::ByteAlphabet()
{
    char32_t next = 0x100;
    for (std::size_t byte = 0; byte < m_spelling.size(); ++byte) {
        const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
        const char32_t character = printable ? static_cast<char32_t>(byte) : next++;
        utf8::append(m_spelling[byte], character);
        m_byte[character] = static_cast<char>(static_cast<unsigned char>(byte));
    }
}

std::string ByteAlphabet::spell(std::string_view bytes) const
{
    std::string spelled;
    for (const char byte : bytes)
        spelled += m_spelling[static_cast<unsigned char>(byte)];
    return spelled;
}

std::string ByteAlphabet::read(std::string_view spelled) const
{
    std::string bytes;
    for (std::size_t i = 0; i < spelled.size();) {
        const auto found = m_byte.find(utf8::next(spelled, i));
        if (found == m_byte.end())
            return std::string(spelled);
        bytes += found->second;
    }
    return bytes;
}

} // namespace zigzag
