// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <cstdint>
#include <fmt/format.h>
#include <new>
#include <pcre2.h>

namespace zigzag {

Result<Pattern> Pattern::compile(const std::string &expression, const std::string &where)
{
    constexpr std::size_t longest = 10000; // published ones have less than 500 characters
    if (expression.size() > longest)
        return badInput(fmt::format("{}: a regular expression has {} characters, more than {}; fetch the file anew", where,
                                    expression.size(), longest));
    int error = 0;
    PCRE2_SIZE offset = 0;
    const auto options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
    pcre2_code *code
        = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), options, &error, &offset, nullptr);
    if (!code) {
        PCRE2_UCHAR reason[128] = {};
        pcre2_get_error_message(error, reason, sizeof reason);
        return badInput(fmt::format("{}: a regular expression is not valid at character {}: {}; fetch the file anew", where,
                                    offset, reinterpret_cast<const char *>(reason)));
    }
    // Without JIT (some systems forbid it) the interpreter gives the same matches more slowly.
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    Pattern pattern;
    pattern.m_code = std::shared_ptr<void>(code, [](void *pointer) { pcre2_code_free(static_cast<pcre2_code *>(pointer)); });
    return pattern;
}

std::optional<Pattern::Match> Pattern::find(std::string_view text, std::size_t from) const
{
    const auto *code = static_cast<const pcre2_code *>(m_code.get());
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data *)> data(pcre2_match_data_create(1, nullptr),
                                                                               pcre2_match_data_free);
    if (!data)
        throw std::bad_alloc();
    // The caller's text is valid; checking it again at every match would cost its square.
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, options, data.get(), nullptr);
    };
    // The caller's text is valid; checking it again at every match would cost its square.
    constexpr std::uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    int count = match(options);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT) // the interpreter backtracks on the heap
        count = match(options | PCRE2_NO_JIT);
    if (count < 0)
        return {};
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data.get());
    // \K could report an end before the begin, or a begin before `from`.
    if (bounds[0] < from || bounds[1] <= bounds[0])
        return {};
    return Match{bounds[0], bounds[1]};
}

} // namespace zigzag
