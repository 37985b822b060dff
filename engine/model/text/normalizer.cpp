// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/normalizer.h"

#include "engine/model/text/nfc.h"

#include <fmt/format.h>

namespace zigzag {

using json::Value;

Result<Normalizer> Normalizer::read(const Value *section, const std::string &where)
{
    Normalizer result;
    if (section)
        ZIGZAG_CHECK(result.add(*section, where + ", normalizer"));
    return result;
}

Result<void> Normalizer::add(const Value &step, const std::string &where)
{
    // Texts of a character or two in published files; the limit keeps a hostile one from growing the input without end.
    constexpr std::size_t longest = 64;
    const auto shortText = [&](const Value &owner, std::string_view key) -> Result<std::string> {
        auto text = json::stringIn(owner, key, where);
        if (text && text->size() > longest)
            return badInput(fmt::format("{}: \"{}\" is longer than {} bytes; fetch the file anew", where, key, longest));
        return text;
    };
    ZIGZAG_TRY(type, json::stringIn(step, "type", where));
    if (type == "Sequence") {
        ZIGZAG_TRY(steps, json::arrayIn(step, "normalizers", where));
        for (const Value &inner : *steps)
            ZIGZAG_CHECK(add(inner, where));
        return {};
    }
    if (type == "Prepend") {
        ZIGZAG_TRY(text, shortText(step, "prepend"));
        m_steps.emplace_back(Prepend{text});
        return {};
    }
    if (type == "Replace") {
        ZIGZAG_TRY(pattern, json::objectIn(step, "pattern", where));
        ZIGZAG_TRY(from, shortText(*pattern, "String"));
        ZIGZAG_TRY(to, shortText(step, "content"));
        if (from.empty())
            return badInput(fmt::format("{}: a replacement of nothing has no end; fetch the file anew", where));
        m_steps.emplace_back(Replace{from, to});
        return {};
    }
    if (type == "NFC") {
        m_steps.emplace_back(Compose{});
        return {};
    }
    return badInput(fmt::format("{}: \"{}\" is not supported; the model runs without text", where, json::printable(type)));
}

std::string Normalizer::apply(std::string text) const
{
    for (const auto &step : m_steps) {
        if (const auto *prepend = std::get_if<Prepend>(&step)) {
            if (!text.empty())
                text.insert(0, prepend->text);
        } else if (const auto *replace = std::get_if<Replace>(&step)) {
            std::string result;
            std::size_t position = 0;
            for (std::size_t found; (found = text.find(replace->from, position)) != std::string::npos;
                 position = found + replace->from.size())
                result.append(text, position, found - position).append(replace->to);
            text = result.append(text, position);
        } else {
            text = composed(text);
        }
    }
    return text;
}

} // namespace zigzag
