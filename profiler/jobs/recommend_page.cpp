// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_page.h"

#include "engine/base/printable.h"
#include "profiler/jobs/recommend_stand_ins.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

/// One word of a POSIX shell, quoted where it has to be.
std::string shellWord(const std::string &text)
{
    const bool isPlain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
            || std::string_view("-_./:=").find(c) != std::string_view::npos;
    });
    if (isPlain)
        return text;
    std::string quoted = "'";
    for (const char c : text)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string bytesText(std::int64_t bytes)
{
    const auto value = static_cast<double>(bytes);
    constexpr double kib = 1024.0, mib = kib * 1024.0, gib = mib * 1024.0;
    return value >= gib ? fmt::format("{:.2f} GiB", value / gib)
        : value >= mib  ? fmt::format("{:.2f} MiB", value / mib)
                        : fmt::format("{:.1f} KiB", value / kib);
}

std::string percent(double share)
{
    return fmt::format("{:.1f} %", 100 * share);
}

std::string_view wordOf(Kept kept)
{
    return kept == Kept::Yes ? "kept" : kept == Kept::No ? "lost" : "undecided";
}

/// "−42 %" of a cost.
std::string changeText(double now, double before)
{
    return before > 0 ? fmt::format("{:+.0f} %", 100 * (now / before - 1)) : std::string("-");
}

std::string savesText(const Recommendation &found, const TriedMap &map)
{
    const ServedMemory &memory = map.cost.memory, &full = found.full.memory;
    std::string text = fmt::format(
        "- Keys and values of a sequence of {} tokens in {}: {} instead of {} ({}); {:.2f} sequences a GiB instead of {:.2f}.\n",
        found.request.context, memory.engine, bytesText(memory.bytes), bytesText(full.bytes),
        changeText(static_cast<double>(memory.bytes), static_cast<double>(full.bytes)), memory.sequencesPerGiB,
        full.sequencesPerGiB);
    if (!memory.note.empty())
        text += fmt::format("  Computed from its sources: {}.\n", memory.note);
    if (memory.bytes >= full.bytes)
        text += "  **No map saves memory there**, so that maps were compared by time.\n";
    if (map.cost.ms && found.full.ms)
        text += fmt::format("- A token behind {} tokens: {:.3g} ms instead of {:.3g} ms ({}), predicted for our engine on {}.\n",
                            found.request.context, *map.cost.ms, *found.full.ms, changeText(*map.cost.ms, *found.full.ms),
                            printable(found.machine.device));
    return text;
}

/// What a judged one was served as, beside the way's name.
std::string asText(const Recommendation &found, const TriedMap &map, const JudgedMap *judged)
{
    const bool isFitted = judged && judged->standIns && judged->standIns->isFitted;
    return found.wayOf(map).name + (isFitted ? ", fitted" : "");
}

std::string rowOf(const Recommendation &found, const TriedMap &map, const JudgedMap *judged, bool isChosen)
{
    const Judgement *judgement = judged ? &judged->judgement : nullptr;
    return fmt::format(
        "| {:>2}{} | {:>4} | {:>6} | {:<19} | {:>10} | {:>8} | {:>7} | {:>7} | {:<33} |\n", map.streaming, isChosen ? "*" : " ",
        found.plan.windows[map.window].recent, map.map.oneStreamingWindow() ? map.map.oneStreamingWindow()->sink : 0,
        asText(found, map, judged), bytesText(map.cost.memory.bytes), map.cost.ms ? fmt::format("{:.3g}", *map.cost.ms) : "-",
        fmt::format("{:+.3f}", map.loss), percent(map.right),
        judgement       ? fmt::format("{}: {} ({} to {})", wordOf(judgement->verdict), percent(judgement->kept),
                                      percent(judgement->keptLow), percent((judgement->full + judgement->test.high) / judgement->full))
            : map.inSet ? "on the frontier"
                        : "-");
}

std::string triedText(const Recommendation &found)
{
    std::string text = fmt::format("| {:>3} | {:>4} | {:>6} | {:<19} | {:>10} | {:>8} | {:>7} | {:>7} | {:<33} "
                                   "|\n|-----|------|--------|---------------------|----"
                                   "--------|----------|---------|---------|-----------------------------------|\n",
                                   "of", "last", "sinks", "as", "KV", "ms/token", "rise", "right", "judged: score kept (95 %)");
    const TriedMap *chosen = found.map();
    std::vector<bool> isJudged(found.tried.size());
    for (const JudgedMap &each : found.judged) {
        isJudged[each.tried] = true;
        text += rowOf(found, found.tried[each.tried], &each, &found.tried[each.tried] == chosen);
    }
    constexpr int mostRows = 40;
    int rows = 0, left = 0;
    for (const bool inSet : {true, false})
        for (std::size_t i = 0; i < found.tried.size(); ++i) {
            if (isJudged[i] || found.tried[i].inSet != inSet)
                continue;
            if (rows++ < mostRows)
                text += rowOf(found, found.tried[i], nullptr, false);
            else
                ++left;
        }
    if (left > 0)
        text += fmt::format("\nand {} more, which recommend.json has.\n", left);
    return text;
}

/// What stands in for the sinks of the recommended map: the form that was judged, what it took and what it won.
std::string standInsText(const ServingWay &way, const ModelShape &model, const Carried &carried)
{
    const auto near = [](const NearFull &each) {
        return each.positions == 0 ? std::string("not measured")
                                   : fmt::format("KL {:.3f}, same top token {}", each.kl, percent(each.sameTop));
    };
    const CarryQuality &mine = carried.quality();
    std::string text = fmt::format("- The form that was judged, and that the export has: {}.\n", formText(way, model, &carried));
    text += fmt::format("- What it took: {:.0f} s of calibration{}, and {:.0f} s to measure it.\n", carried.seconds.calibration,
                        carried.fitted ? fmt::format(", {:.0f} s for {} steps of a fit", carried.seconds.fit, carried.steps) : "",
                        carried.seconds.measurement);
    text += fmt::format("- What it won, against full attention on text that it was not made from, beyond the window: {} with the "
                        "window alone; {} calibrated{}; {} if the sinks were kept.\n",
                        near(mine.windowAlone), near(carried.calibrated.beyond),
                        carried.fitted ? fmt::format("; {} fitted", near(carried.fitted->beyond)) : "", near(mine.sinksKept));
    text += fmt::format("- Inside the window, where the window alone is full attention: {}.\n", near(mine.inside));
    if (carried.fitted && !carried.isFitted)
        text += "- The fit made it no better, and the calibration is what was taken.\n";
    return text;
}

std::string howText(const Recommendation &found)
{
    const RecommendPlan &plan = found.plan;
    const bool isAsked = found.request.questions != nullptr;
    std::string text = fmt::format(
        "Layers were ordered {} by the rise of the right answer's negative log-likelihood (nats a token) on {} {} of up to {} "
        "tokens, "
        "and every map was measured as it is served. `rise` and `right` are means over the prompts that choose; full attention "
        "answers {} of them. {} map{} {} judged on {} prompts that had no part in it. Seed {}; {:.0f} s in this run, on {}.\n",
        plan.greedy ? "one after another" : "each alone", plan.scorePrompts, isAsked ? "of the questions" : "needle tasks",
        plan.promptTokens, found.tried.empty() ? std::string("-") : percent(found.tried.front().rightFull), found.judged.size(),
        found.judged.size() == 1 ? "" : "s", found.judged.size() == 1 ? "was" : "were",
        found.judged.empty() ? 0 : found.judged.front().judgement.test.count, found.request.seed, found.seconds,
        printable(found.machine.device));
    if (found.judged.size() > 1)
        text += "Each interval is of its map alone: that one of several holds by chance is likelier than one in twenty.\n";
    if (found.request.context > plan.promptTokens)
        text += fmt::format("Nothing was tried at {} tokens: what maps do there is not known from prompts of {}.\n",
                            found.request.context, plan.promptTokens);
    for (const std::string &each : plan.shortened)
        text += fmt::format("- The time was short: {}.\n", each);
    for (const std::string &note : found.notes)
        text += fmt::format("- {}\n", note);
    return text;
}

} // namespace

std::string layersText(const HeadMap &map)
{
    std::string layers;
    for (int layer = 0; layer < map.layers(); ++layer)
        if (map.hasStreaming(layer))
            layers += fmt::format(" {}", layer);
    return fmt::format("{}; layers{} stream", windowText(map), layers);
}

std::string saysOf(const Judgement &judgement, double asked)
{
    const PairedTest &test = judgement.test;
    return fmt::format(
        "full attention {}, this map {}: {:+.1f} points ({:+.1f} to {:+.1f}, 95 %) on {} prompts, so that it keeps {} of "
        "that score, and {} by the lower end; {} % {} asked for",
        percent(judgement.full), percent(judgement.mean), 100 * test.difference, 100 * test.low, 100 * test.high, test.count,
        percent(judgement.kept), percent(judgement.keptLow), 100 * asked,
        judgement.verdict == Kept::Yes ? "were" : "were, which is not shown,");
}

std::string saysOf(const Recommendation &found)
{
    if (const TriedMap *map = found.map())
        return fmt::format("{} of {} layers can stream in {} ({}): it keeps {} of full attention's score, at the least {}",
                           map->streaming, found.model.mappableLayers(), found.request.engine, windowText(map->map),
                           percent(found.judged[*found.chosen].judgement.kept),
                           percent(found.judged[*found.chosen].judgement.keptLow));
    const bool isOpen = std::any_of(found.judged.begin(), found.judged.end(),
                                    [](const JudgedMap &each) { return each.judgement.verdict == Kept::Undecided; });
    return fmt::format("no map{} was shown to keep {:g} % of full attention's score in {}{}",
                       found.request.memory || found.request.tpotMs ? " within the budget" : "", 100 * found.request.kept,
                       found.request.engine,
                       isOpen ? ": some may, and more prompts would tell (--time, --prompts)"
                              : ": the frontier is what there is; ask for less (--quality), or for wider windows (--recent)");
}

std::string serveCommand(const Recommendation &found, const RecommendPlaces &places)
{
    const TriedMap *map = found.map();
    if (!map || places.folder.empty())
        return {};
    const ServingWay &way = found.wayOf(*map);
    if (way.isOurs())
        return fmt::format("zigzag serve {} --map {}", shellWord(places.model), shellWord((places.folder / "map.json").string()));
    if (!places.command.empty())
        return places.command;
    const std::string exported = shellWord(places.exported.string());
    if (way.counted == "vLLM")
        return fmt::format("vllm serve {}", exported);
    if (way.counted == "SGLang")
        return fmt::format("python -m sglang.launch_server --model-path {}", exported);
    if (way.counted == "llama.cpp")
        return fmt::format("llama-server -m {}", exported);
    if (way.counted == "mlx-lm")
        return fmt::format("mlx_lm.server --model {}", exported);
    return fmt::format("transformers serve --force-model {}", exported);
}

std::string checkCommand(const Recommendation &found, const RecommendPlaces &places)
{
    const TriedMap *map = found.map();
    if (!map || places.folder.empty())
        return {};
    const ServingWay &way = found.wayOf(*map);
    std::string command = fmt::format("zigzag check --server http://127.0.0.1:PORT --model {} --map {}", shellWord(places.model),
                                      shellWord((places.folder / "map.json").string()));
    if (way.standsIn()) {
        command += fmt::format(" --as-engine {}", carriedFormat);
        command += fmt::format(" --stand-ins {}", shellWord(places.exported.string()));
    } else if (!way.isOurs()) {
        command += fmt::format(" --as-engine {}", way.name);
    }
    return command;
}

std::string pageOf(const Recommendation &found, const RecommendPlaces &places)
{
    std::string text = fmt::format("# {} in {}\n\n**{}.**\n", printable(found.model.name), found.request.engine, saysOf(found));
    const TriedMap *map = found.map();
    if (found.request.memory)
        text += fmt::format("The budget: {} of keys and values at {} tokens.\n", bytesText(*found.request.memory),
                            found.request.context);
    if (found.request.tpotMs)
        text += fmt::format("The budget: {:g} ms a token at {} tokens.\n", *found.request.tpotMs, found.request.context);
    if (map) {
        text += fmt::format("\nThe map: {}.\n", layersText(map->map));
        const ServingWay &way = found.wayOf(*map);
        const auto &standIns = found.judged[*found.chosen].standIns;
        if (!standIns && !way.hasSinks(found.model))
            text += "The engine keeps no sinks, and nothing stands in for them: the map was judged by its window alone.\n";
        if (standIns)
            text += fmt::format("\n## What stands in for its sinks\n\nThe engine keeps none.\n\n{}",
                                standInsText(way, found.model, *standIns));
        text += fmt::format("\n## What it saves\n\n{}", savesText(found, *map));
        text += fmt::format("\n## What it costs\n\n- {}.\n- Judged: {}.\n",
                            saysOf(found.judged[*found.chosen].judgement, found.request.kept),
                            pairedText(found.judged[*found.chosen].judgement.test));
    }
    text += fmt::format("\n## What was tried\n\n{}", triedText(found));
    text += fmt::format("\n## How\n\n{}", howText(found));
    if (const std::string serve = serveCommand(found, places); !serve.empty()) {
        text += fmt::format("\n## Serve it\n\n```\n{}{}```\n", serve, serve.back() == '\n' ? "" : "\n");
        if (places.linked > 0)
            text += fmt::format("The weights in {} are links to the model's own files, which must stay where they are.\n",
                                places.exported.string());
        text += fmt::format("\n## Check the server\n\n```\n{}\n```\n", checkCommand(found, places));
    }
    return text;
}

} // namespace zigzag::jobs
