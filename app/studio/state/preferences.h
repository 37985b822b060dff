// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <cstdint>
#include <optional>
#include <vector>

class QSettings;

namespace zigzag {

/// What a person set once for all models. Zero or empty: as the program would by itself.
struct Preferences {
    int threads = 0; ///< of the CPU backend, from the next start on; 0 = a thread for each processor
    std::int64_t memoryBytes = 0; ///< that the program may take in all; 0 = what is available
    double patienceSeconds = usualPatience; ///< a measurement waits so long, in all, while other programs slow the machine
    std::vector<std::int64_t> contexts; ///< that are measured, rising; empty: a quarter, half and all of the model's
    int fontPoints = 0; ///< 0 = the desktop's
    QString language; ///< a code of languages(), from the next start on; empty = the desktop's

    bool operator==(const Preferences &) const = default;

    static constexpr double usualPatience = 10; ///< who pressed a key wants to see something
    static constexpr int mostThreads = 1024, leastFont = 6, mostFont = 40;
    static constexpr double mostPatience = 3600;
};

/// What is written there and makes no sense is as if it were not there.
Preferences readPreferences(const QSettings &settings);
void writePreferences(const Preferences &preferences, QSettings &settings);

/// "512, 1024 2048" in rising order, each once; nothing where a word is no number of tokens. At most 16.
std::optional<std::vector<std::int64_t>> parseContexts(const QString &text);
QString contextsText(const std::vector<std::int64_t> &contexts);

/// Gives the threads to the CPU backend, which asks once, when it is made: before anything runs. Where the environment says
/// how many (OMP_NUM_THREADS), that stands.
void chooseThreads(const Preferences &preferences);

} // namespace zigzag
