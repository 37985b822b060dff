// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <cstdint>
#include <string_view>

namespace zigzag {

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
/// 0.5 → "50 %".
QString percentText(double fraction);

} // namespace zigzag
