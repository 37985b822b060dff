// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/recommend_text.h"

#include "views/models/text.h"

#include <algorithm>

namespace zigzag {

namespace {

/// With one digit: shares near each other are what a judgement is about.
QString share(double value)
{
    constexpr double all = 100;
    return tr("%1 %").arg(all * value, 0, 'f', 1);
}

QString signedPoints(double difference)
{
    constexpr double all = 100;
    return signedText(all * difference, 1);
}

QString waysText(const std::vector<jobs::ServingWay> &ways)
{
    QStringList names;
    for (const jobs::ServingWay &way : ways)
        names << (way.standsIn()     ? tr("%1 (something stands in for sinks)").arg(plain(way.name))
                      : way.isOurs() ? tr("zigzag's engine")
                                     : plain(way.name));
    return names.join(tr(" and "));
}

QString engineText(const std::string &engine)
{
    return engine == jobs::ourEngine ? tr("zigzag's engine") : plain(engine);
}

} // namespace

QString lastingText(double seconds)
{
    constexpr double minute = 60, mostSeconds = 90, hour = 3600, mostMinutes = 5400;
    return seconds < mostSeconds ? tr("%1 s").arg(std::max(1.0, seconds), 0, 'f', 0)
        : seconds < mostMinutes  ? tr("%1 min").arg(seconds / minute, 0, 'f', 0)
                                 : tr("%1 h").arg(seconds / hour, 0, 'f', 1);
}

QStringList planLines(const jobs::RecommendRequest &request, const jobs::RecommendPlan &plan,
                      const std::vector<jobs::ServingWay> &ways)
{
    QStringList windows;
    for (const StreamingWindow &window : plan.windows)
        windows << QString::number(window.recent);
    const QString prompts = request.questions ? tr("of your questions") : tr("needle tasks");
    QStringList lines{tr("It will take about %1 of the %2 given, for %3.")
                          .arg(lastingText(plan.seconds.all()), lastingText(request.seconds), waysText(ways))};
    lines << tr("1. Order the layers, %1, by %2 %3 of up to %4 tokens: %5.")
                 .arg(plan.greedy ? tr("turned one after another") : tr("each alone"))
                 .arg(plan.scorePrompts)
                 .arg(prompts)
                 .arg(plan.promptTokens)
                 .arg(lastingText(plan.seconds.scores + plan.seconds.standIns));
    lines << tr("2. Try up to %1 counts of streaming layers, in windows of %2 tokens, on %3 prompts: %4.")
                 .arg(plan.counts)
                 .arg(windows.join(tr(" and ")))
                 .arg(plan.sweepPrompts)
                 .arg(lastingText(plan.seconds.sweep));
    lines << tr("3. Judge up to %1 maps on %2 prompts that were not seen before, and write the best: %3.")
                 .arg(plan.judgedMaps)
                 .arg(plan.judgePrompts)
                 .arg(lastingText(plan.seconds.judging + plan.seconds.fitting + plan.seconds.writing));
    const bool standsIn = std::any_of(ways.begin(), ways.end(), [](const jobs::ServingWay &way) { return way.standsIn(); });
    if (standsIn && plan.fittedMaps > 0)
        lines << tr("What stands in for sinks is calibrated for each map that is judged, and fitted in %1 steps for %2 of them.")
                     .arg(plan.fitSteps)
                     .arg(plan.fittedMaps);
    else if (standsIn)
        lines << tr("What stands in for sinks is calibrated for each map that is judged.");
    if (plan.seconds.all() > request.seconds)
        lines << tr("Even the least of it takes longer than the time that is given; it ends when that is over.");
    else if (!plan.shortened.empty())
        lines << tr("With more time, prompts would be longer or more, and the answer surer.");
    return lines;
}

QString headlineOf(const jobs::RecommendRecord &record)
{
    const QString engine = engineText(record.engine);
    if (const jobs::RecordedMap *map = record.map())
        return tr("%1 of %2 layers can stream in %3: the map keeps %4 of full attention's score, at the least %5.")
            .arg(map->streaming)
            .arg(map->map.model().mappableLayers())
            .arg(engine, share(map->judged->kept), share(map->judged->keptLow));
    const bool isOpen = std::any_of(record.tried.begin(), record.tried.end(), [](const jobs::RecordedMap &each) {
        return each.judged && each.judged->verdict == jobs::Kept::Undecided;
    });
    const QString found = record.memory || record.tpotMs
        ? tr("No map within the budget was shown to keep %1 of full attention's score in %2.")
        : tr("No map was shown to keep %1 of full attention's score in %2.");
    return found.arg(share(record.asked), engine) + QLatin1Char(' ')
        + (isOpen ? tr("Some may: more time or more prompts would tell.")
                  : tr("The frontier is what there is; ask for less, or for wider windows."));
}

QString layersOf(const jobs::RecordedMap &map)
{
    QStringList layers;
    for (int layer = 0; layer < map.map.layers(); ++layer)
        if (map.map.hasStreaming(layer))
            layers << QString::number(layer);
    const StreamingWindow window = map.map.oneStreamingWindow().value_or(StreamingWindow{});
    const QString which = tr("Layers %1 stream, with a window of %2 tokens and %3 sinks.")
                              .arg(layers.join(QStringLiteral(", ")))
                              .arg(window.recent)
                              .arg(window.sink);
    if (map.judged && map.judged->standIns && map.judged->standIns->isFitted)
        return which + QLatin1Char(' ')
            + tr("The engine keeps no sinks; what stands in for them was calibrated and fitted for this map.");
    return map.standsIn
        ? which + QLatin1Char(' ') + tr("The engine keeps no sinks; what stands in for them was calibrated for this map.")
        : which;
}

QStringList standInsOf(const jobs::RecordedMap &map)
{
    if (!map.judged || !map.judged->standIns)
        return {};
    const jobs::RecordedStandIns &mine = *map.judged->standIns;
    const auto near = [](const NearFull &each) { return QString::number(each.kl, 'f', 3); };
    const QString took = lastingText(mine.calibrationSeconds);
    QStringList lines;
    if (mine.steps == 0)
        lines << tr("Judged, and exported, with stand-ins that are calibrated; that took %1.").arg(took);
    else if (mine.isFitted)
        lines << tr("Judged, and exported, with stand-ins that are calibrated (%1) and fitted in %2 steps (%3).")
                     .arg(took)
                     .arg(mine.steps)
                     .arg(lastingText(mine.fitSeconds));
    else
        lines << tr("Judged, and exported, with stand-ins that are calibrated (%1); a fit of %2 steps (%3) made them no better.")
                     .arg(took)
                     .arg(mine.steps)
                     .arg(lastingText(mine.fitSeconds));
    if (mine.calibrated.positions > 0)
        lines << (mine.steps > 0
                      ? tr("Distance from full attention beyond the window, on text that they were not made from (KL): %1 "
                           "with the window alone, %2 calibrated, %3 fitted; with the sinks kept %4.")
                            .arg(near(mine.windowAlone), near(mine.calibrated), near(mine.fit), near(mine.sinksKept))
                      : tr("Distance from full attention beyond the window, on text that they were not made from (KL): %1 "
                           "with the window alone, %2 calibrated; with the sinks kept %3.")
                            .arg(near(mine.windowAlone), near(mine.calibrated), near(mine.sinksKept)));
    return lines;
}

QStringList savingsOf(const jobs::RecommendRecord &record)
{
    const jobs::RecordedMap *map = record.map();
    if (!map)
        return {};
    const jobs::RecordedCost &mine = map->cost, &full = record.full;
    QStringList lines{tr("Keys and values of a sequence of %1 tokens in %2: %3 instead of %4 (%5).")
                          .arg(record.context)
                          .arg(plain(mine.engine), bytesText(static_cast<double>(mine.kvBytes)),
                               bytesText(static_cast<double>(full.kvBytes)),
                               changeText(static_cast<double>(mine.kvBytes), static_cast<double>(full.kvBytes)))};
    lines
        << tr("Sequences in a GiB: %1 instead of %2.").arg(mine.sequencesPerGiB, 0, 'f', 2).arg(full.sequencesPerGiB, 0, 'f', 2);
    if (mine.kvBytes >= full.kvBytes)
        lines << tr("No map saves memory in this engine, so that maps were compared by time.");
    if (mine.ms && full.ms)
        lines << tr("A token behind %1 tokens: %2 instead of %3 (%4), predicted for zigzag's engine on %5.")
                     .arg(record.context)
                     .arg(timeText(*mine.ms), timeText(*full.ms), changeText(*mine.ms, *full.ms), plain(record.device));
    return lines;
}

QString costOf(const jobs::RecommendRecord &record)
{
    const jobs::RecordedMap *map = record.map();
    if (!map)
        return {};
    const jobs::RecordedJudgement &judged = *map->judged;
    return tr("Full attention scores %1, this map %2: %3 points (%4 to %5 by its 95 % interval) on %6 prompts that chose "
              "nothing. %7 of the "
              "score "
              "was to be kept.")
        .arg(share(judged.full), share(judged.mean), signedPoints(judged.difference), signedPoints(judged.low),
             signedPoints(judged.high), QString::number(judged.prompts), share(record.asked));
}

QStringList basisOf(const jobs::RecommendRecord &record)
{
    QStringList lines{(record.isAsked ? tr("Measured on your questions, of up to %1 tokens, in %2 on %3.")
                                      : tr("Measured on needle tasks of %1 tokens, in %2 on %3."))
                          .arg(record.promptTokens)
                          .arg(lastingText(record.seconds), plain(record.device))};
    if (record.memory)
        lines << tr("The budget: %1 of keys and values at %2 tokens.")
                     .arg(bytesText(static_cast<double>(*record.memory)))
                     .arg(record.context);
    if (record.tpotMs)
        lines << tr("The budget: %1 a token at %2 tokens.").arg(timeText(*record.tpotMs)).arg(record.context);
    if (record.context > record.promptTokens)
        lines << tr("Nothing was tried at %1 tokens: what maps do there is not known from prompts of %2.")
                     .arg(record.context)
                     .arg(record.promptTokens);
    for (const std::string &each : record.shortened)
        lines << tr("The time was short: %1.").arg(plain(each));
    for (const std::string &each : record.notes)
        lines << plain(each);
    return lines;
}

QString judgedText(const jobs::RecordedMap &map)
{
    if (!map.judged)
        return {};
    const jobs::RecordedJudgement &judged = *map.judged;
    const QString verdict = judged.verdict == jobs::Kept::Yes ? tr("kept")
        : judged.verdict == jobs::Kept::No                    ? tr("lost")
                                                              : tr("undecided");
    const double high = judged.full > 0 ? (judged.full + judged.high) / judged.full : 0;
    constexpr double all = 100;
    return tr("%1: %2 (%3–%4)")
        .arg(verdict, share(judged.kept), QString::number(all * judged.keptLow, 'f', 1), QString::number(all * high, 'f', 1));
}

QString asText(const jobs::RecordedMap &map)
{
    const bool isFitted = map.judged && map.judged->standIns && map.judged->standIns->isFitted;
    return isFitted ? tr("%1, fitted").arg(plain(map.as)) : plain(map.as);
}

QString nameOf(const jobs::RecordedMap &map)
{
    const StreamingWindow window = map.map.oneStreamingWindow().value_or(StreamingWindow{});
    return tr("%1 of %2 layers stream, sink %3, recent %4")
        .arg(map.streaming)
        .arg(map.map.model().mappableLayers())
        .arg(window.sink)
        .arg(window.recent);
}

} // namespace zigzag
