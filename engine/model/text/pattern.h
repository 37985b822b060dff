// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace zigzag {

/// A regular expression over valid UTF-8, with Unicode's classes. Thread-safe once compiled.
class Pattern
{
public:
    static Result<Pattern> compile(const std::string &expression, const std::string &where);

    struct Match {
        std::size_t begin, end;
    };
    /// The first match that is not empty at or behind `from`. An expression that backtracks beyond PCRE2's limit does not match.
    std::optional<Match> find(std::string_view text, std::size_t from) const;

private:
    std::shared_ptr<void> m_code;
};

} // namespace zigzag
