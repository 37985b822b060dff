// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

namespace zigzag {

/// The keys that one query sees: [0, sinkEnd) and [windowBegin, windowEnd), with sinkEnd <= windowBegin.
struct KeyRange {
    std::int64_t sinkEnd = 0;
    std::int64_t windowBegin = 0;
    std::int64_t windowEnd = 0;

    std::int64_t count() const { return sinkEnd + windowEnd - windowBegin; }
    bool operator==(const KeyRange &) const = default;
};

/// Which keys a KV head sees, and therefore keeps. The one place that knows: cache, attention, predictor, plots and files ask
/// here. A value type.
///
/// The key-range rule: query i sees key j iff j <= i and (j < sink or i - j < recent); `recent` counts the token itself.
/// A head that keeps everything is the same rule with a window wider than any context. Streaming attention: arXiv 2309.17453,
/// section 3.2; per head: arXiv 2410.10819.
class HeadPattern
{
public:
    constexpr HeadPattern() = default; ///< full: every key
    static constexpr HeadPattern full() { return {}; }
    /// sink >= 0, recent >= 1.
    static constexpr HeadPattern streaming(std::int64_t sink, std::int64_t recent) { return {Form::Streaming, sink, recent}; }
    /// The window that the model's own file gives a layer: no map changes it.
    static constexpr HeadPattern ofFile(std::int64_t recent) { return {Form::OfFile, 0, recent}; }

    constexpr bool keepsEverything() const { return m_form == Form::Full; }
    constexpr bool isOfFile() const { return m_form == Form::OfFile; }
    /// R: retrieval, S: streaming, L: local, as the model's file has it.
    constexpr char letter() const { return "RSL"[static_cast<int>(m_form)]; }
    constexpr std::int64_t sink() const { return m_sink; }
    constexpr std::int64_t recent() const { return m_recent; } ///< of a head that keeps everything: more than any context

    /// The keys that the query at a position sees.
    constexpr KeyRange visibleKeys(std::int64_t query) const
    {
        const std::int64_t begin = std::max<std::int64_t>(0, query + 1 - m_recent);
        // Sinks that the window covers already are counted once, in the window.
        return {std::min(m_sink, begin), begin, query + 1};
    }
    /// Tokens for which the head keeps a key and a value at a given context.
    constexpr std::int64_t slots(std::int64_t context) const { return std::min(context, m_sink + m_recent); }
    /// Keys that at least one of `tokens` queries from position `first` on sees: the sinks, and from the first query's window to
    /// the last query.
    constexpr std::int64_t keysOf(std::int64_t first, std::int64_t tokens) const
    {
        return std::min(first + tokens, m_sink + m_recent + tokens - 1);
    }
    /// Pairs of a query and a key that it sees, over the queries 0 … context − 1: the rule, summed up.
    constexpr std::int64_t pairs(std::int64_t context) const
    {
        // Query i sees min(i + 1, width) keys: a triangle up to the width, then a band.
        const std::int64_t width = slots(context);
        return width * (width + 1) / 2 + (context - width) * width;
    }

    /// Equal where they see the same keys and are written alike.
    constexpr auto operator<=>(const HeadPattern &) const = default;

private:
    enum class Form : std::uint8_t { Full, Streaming, OfFile };
    static constexpr std::int64_t everything = std::int64_t{1} << 60; ///< sums with positions stay within 64 bits

    constexpr HeadPattern(Form form, std::int64_t sink, std::int64_t recent)
        : m_form(form)
        , m_sink(sink)
        , m_recent(recent)
    { }

    Form m_form = Form::Full;
    std::int64_t m_sink = 0;
    std::int64_t m_recent = everything;
};

} // namespace zigzag
