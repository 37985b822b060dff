// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <cstdint>
#include <string_view>

namespace zigzag {

/// Words for a person in their language, outside of classes with a tr() of their own; Qt's tools find them in the context
/// "zigzag". A class without Q_OBJECT whose methods say words needs Q_DECLARE_TR_FUNCTIONS, or they are looked up elsewhere than
/// where they were found.
QString tr(const char *source, const char *comment = nullptr, int n = -1);

/// UTF-8, as it is.
QString plain(std::string_view text);
/// Numbers as a person reads them. A context: 512, 2K, 128K, 1M.
QString contextText(std::int64_t tokens);
/// 640 B, 12.5 KiB, 1.25 GiB.
QString bytesText(double bytes);
/// Keys of all heads, where bytes are not known: 640, 12.5K, 8M.
QString keysText(double keys);
/// 85 µs, 3.21 ms, 1.52 s.
QString timeText(double ms);
/// How far `value` lies from `reference`: "−12 %", "+3 %", "±0 %". Empty when the reference is not positive.
QString changeText(double value, double reference);
/// A difference of shares: −0.4 → "−40 %", 0 → "±0 %".
QString signedPercentText(double difference);
/// −0.25 → "−0.25", 3 → "+3.00", with so many digits behind the point.
QString signedText(double value, int digits);
/// 0.5 → "50 %".
QString percentText(double fraction);

} // namespace zigzag
