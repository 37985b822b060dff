// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_state.h"

#include "engine/base/json_input.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

const std::string where = "the progress of the recommendation";
constexpr std::size_t mostPrompts = 1 << 16, mostJudged = 64;

Result<LayerOrder> readOrder(const json::Value &value, const ModelShape &model)
{
    LayerOrder order;
    ZIGZAG_TRY(prompts, json::integerIn(value, "prompts", 0, mostPrompts, where));
    order.prompts = static_cast<int>(prompts);
    ZIGZAG_TRY(sets, json::arrayIn(value, "streaming", where));
    for (const json::Value &set : *sets) {
        ZIGZAG_TRY(layers, readUnits(set, model.layers));
        if (layers.size() != order.streaming.size())
            return badInput(where + " has layers that stream in no order: begin anew (--restart)");
        order.streaming.push_back(std::move(layers));
    }
    return order;
}

Result<TriedCounts> readTried(const json::Value &value, const ModelShape &model)
{
    TriedCounts tried;
    ZIGZAG_TRY(counts, json::arrayIn(value, "counts", where));
    for (const json::Value &each : *counts) {
        ZIGZAG_TRY(count, json::asInteger(each, "a count", 1, model.layers, where));
        if (!tried.counts.empty() && count <= tried.counts.back())
            return badInput(where + " has counts in no order: begin anew (--restart)");
        tried.counts.push_back(static_cast<int>(count));
    }
    ZIGZAG_TRY(list, json::arrayIn(value, "measures", where));
    ZIGZAG_TRY(measures, readMeasures(*list, mostPrompts, tried.counts.size() + 1, true));
    tried.measures = std::move(measures);
    return tried;
}

} // namespace

RecommendState::RecommendState(RecommendPlan of, std::size_t ways)
    : plan(std::move(of))
    , orders(ways)
    , tried(ways * plan.windows.size())
{ }

JudgedTasks &RecommendState::judgedOf(const std::string &map)
{
    const auto found = std::find_if(judged.begin(), judged.end(), [&](const JudgedTasks &each) { return each.map == map; });
    return found != judged.end() ? *found : judged.emplace_back(JudgedTasks{map, {}});
}

std::string RecommendState::toJson() const
{
    json::Value root = {{"plan", json::Value::parse(plan.toJson())}};
    root["orders"] = json::Value::array();
    for (const LayerOrder &order : orders)
        root["orders"].push_back({{"prompts", order.prompts}, {"streaming", order.streaming}});
    root["tried"] = json::Value::array();
    for (const TriedCounts &each : tried)
        root["tried"].push_back({{"counts", each.counts}, {"measures", measuresJson(each.measures)}});
    root["judged"] = json::Value::array();
    for (const JudgedTasks &each : judged)
        root["judged"].push_back({{"map", each.map}, {"measures", measuresJson(each.measures)}});
    return root.dump();
}

Result<RecommendState> RecommendState::fromJson(std::string_view text, std::size_t ways, const ModelShape &model)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    ZIGZAG_TRY(planned, json::objectIn(root, "plan", where));
    ZIGZAG_TRY(plan, RecommendPlan::fromJson(planned->dump()));
    RecommendState state(std::move(plan), ways);
    ZIGZAG_TRY(orders, json::arrayIn(root, "orders", where));
    ZIGZAG_TRY(tried, json::arrayIn(root, "tried", where));
    ZIGZAG_TRY(judged, json::arrayIn(root, "judged", where));
    if (orders->size() != state.orders.size() || tried->size() != state.tried.size() || judged->size() > mostJudged)
        return badInput(where + " is of another engine or other windows: begin anew (--restart)");
    for (std::size_t i = 0; i < orders->size(); ++i) {
        ZIGZAG_TRY(order, readOrder((*orders)[i], model));
        state.orders[i] = std::move(order);
    }
    for (std::size_t i = 0; i < tried->size(); ++i) {
        ZIGZAG_TRY(each, readTried((*tried)[i], model));
        state.tried[i] = std::move(each);
    }
    for (const json::Value &each : *judged) {
        ZIGZAG_TRY(map, json::stringIn(each, "map", where));
        ZIGZAG_TRY(list, json::arrayIn(each, "measures", where));
        ZIGZAG_TRY(measures, readMeasures(*list, mostPrompts, 2, true));
        state.judged.push_back({std::move(map), std::move(measures)});
    }
    return state;
}

std::string keyOf(const ServingWay &way, const HeadMap &map)
{
    return fmt::format("{} {}", way.name, fingerprintOf(map));
}

std::filesystem::path progressFile(const RecommendRequest &request)
{
    return request.progressFolder.empty() ? std::filesystem::path() : request.progressFolder / "recommend.progress";
}

std::filesystem::path answersFile(const RecommendRequest &request)
{
    return request.progressFolder.empty() ? std::filesystem::path() : request.progressFolder / "answers.json";
}

std::string requestJson(const RecommendRequest &request, const JobContext &context)
{
    const ModelShape shape = context.model().shape();
    json::Value json = {{"model", shape.name},
                        {"fingerprint", shape.fingerprint},
                        {"backend", context.device->backend->name()},
                        {"kv_type", nameOf(context.config().kvType)},
                        {"engine", request.engine},
                        {"context", request.context},
                        {"recents", request.recents},
                        {"kept", request.kept},
                        {"seconds", request.seconds},
                        {"seed", request.seed}};
    if (request.memory)
        json["memory"] = *request.memory;
    if (request.tpotMs)
        json["tpot_ms"] = *request.tpotMs;
    if (request.sink)
        json["sink"] = *request.sink;
    if (request.questions)
        json.update({{"questions", hashOf(*request.questions)}, {"as", nameOf(request.as)}});
    return json.dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

} // namespace zigzag::jobs
