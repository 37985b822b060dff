// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace zigzag::questions {

/// The text of one object of JSON in a file of many, and the line that it begins in, counted from 1.
struct Record {
    std::string_view text;
    std::size_t line = 0;
};

/// No record may be longer, in bytes. The longest of published sets, contexts of two million words, take some 15 MiB.
inline constexpr std::size_t longestRecord = 128 << 20;

/// Where a text stops being UTF-8 is an error with its line.
Result<void> checkUtf8(std::string_view text, const std::string &file);

/// Cuts a text into its records, one after another, without building anything: lines of JSON (blank ones count as lines and are
/// none), the members of an array, or one object that takes all of it. What is cut is of balanced brackets and no more: whether
/// it is JSON, its parser says.
class RecordCutter
{
public:
    /// Both must outlive the cutter.
    RecordCutter(std::string_view text, const std::string &file);

    /// The next record; nothing at the end.
    Result<std::optional<Record>> next();

private:
    enum class Form { Lines, Array, Whole };

    void skipBlanks();
    Result<std::optional<Record>> nextLine();
    Result<std::optional<Record>> nextMember();
    tl::unexpected<Error> wrong(std::string_view what) const;

    std::string_view m_text;
    const std::string &m_file;
    Form m_form = Form::Lines;
    std::size_t m_at = 0, m_line = 1;
    bool m_isFirst = true;
};

} // namespace zigzag::questions
