// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_record.h"

#include <QString>
#include <QStringList>

namespace zigzag {

// What there is to say of a recommendation, in whole sentences.

/// How long, as a person says it: 40 s, 12 min.
QString lastingText(double seconds);
/// What will be done and how long it takes: the first line says it of all, the others of one step each; what is less than it
/// might be, because the time is short, comes last.
QStringList planLines(const jobs::RecommendRequest &request, const jobs::RecommendPlan &plan,
                      const std::vector<jobs::ServingWay> &ways);

/// What was found, in one sentence.
QString headlineOf(const jobs::RecommendRecord &record);
/// Of the recommended map: which layers stream, and in what window.
QString layersOf(const jobs::RecordedMap &map);
/// What stood in for its sinks while it was judged: the form, what it took and what it won, a sentence each; empty where nothing
/// did.
QStringList standInsOf(const jobs::RecordedMap &map);
/// The way in which it was tried and, where it was judged so, the form of its stand-ins: "granite-swa, fitted".
QString asText(const jobs::RecordedMap &map);
/// What it saves there: keys and values, sequences, time; a sentence each.
QStringList savingsOf(const jobs::RecommendRecord &record);
/// What it costs, with its interval.
QString costOf(const jobs::RecommendRecord &record);
/// On what all of it rests: prompts, machine, and what was cut short.
QStringList basisOf(const jobs::RecommendRecord &record);
/// "kept: 97.1 % (91.0–103.2)"; empty where it was not judged.
QString judgedText(const jobs::RecordedMap &map);
/// Of a map in a list: "12 of 30 layers stream, sink 64, recent 256".
QString nameOf(const jobs::RecordedMap &map);

} // namespace zigzag
