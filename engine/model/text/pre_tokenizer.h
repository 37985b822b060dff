// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/text/pattern.h"

#include <string>
#include <variant>
#include <vector>

namespace zigzag {

/// A part of the text on its way to words. `atStart`: nothing stands before it in the original text.
struct TextPiece {
    std::string text;
    bool atStart = false;
};

/// Which part keeps the text that a pattern matched (or, inverted, did not match).
enum class SplitBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };

/// Cuts text into words, which are then encoded one by one: the "pre_tokenizer" of a tokenizer.json.
class PreTokenizer
{
public:
    static Result<PreTokenizer> read(const json::Value *section, const std::string &where);

    std::vector<TextPiece> split(TextPiece text) const;
    /// Words are spelled in GPT-2's alphabet of bytes.
    bool isByteLevel() const { return m_byteLevel; }

private:
    struct Split {
        Pattern pattern;
        SplitBehavior behavior = SplitBehavior::Isolated;
        bool invert = false;
    };
    struct Metaspace {
        enum class Prepend { First, Never, Always };
        std::string mark; ///< stands for a space, usually U+2581
        Prepend prepend = Prepend::Always;
        bool split = true;
        Pattern markPattern;
    };
    struct ByteLevel {
        bool prefixSpace = false;
        bool useRegex = true;
        Pattern words; ///< GPT-2's
    };

    Result<void> add(const json::Value &step, const std::string &where);
    Result<void> addSplit(const json::Value &step, const std::string &where);
    Result<void> addDigits(const json::Value &step, const std::string &where);
    Result<void> addMetaspace(const json::Value &step, const std::string &where);
    Result<void> addByteLevel(const json::Value &step, const std::string &where);
    static void apply(const Split &step, const TextPiece &piece, std::vector<TextPiece> &out);
    static void apply(const Metaspace &step, const TextPiece &piece, std::vector<TextPiece> &out);
    static void apply(const ByteLevel &step, const TextPiece &piece, std::vector<TextPiece> &out);

    std::vector<std::variant<Split, Metaspace, ByteLevel>> m_steps;
    bool m_byteLevel = false;
};

} // namespace zigzag
