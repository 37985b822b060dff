// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/attention_score.h"

#include "engine/base/json_input.h"
#include "engine/map/head_scores_io.h"
#include "engine/run/device_model.h"
#include "profiler/evaluate/needle_trials.h"
#include "profiler/evaluate/task_prompts.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

namespace zigzag {
namespace {

constexpr const char *where = "the progress of the scoring";

double meanOf(double sum, int count)
{
    return sum / count;
}

double deviationOf(double sum, double sumOfSquares, int count)
{
    return std::sqrt(std::max(0.0, sumOfSquares / count - meanOf(sum, count) * meanOf(sum, count)));
}

/// Of shares of at most 1 each, but for rounding.
Result<std::vector<double>> readSums(const json::Value &root, const char *key, std::size_t count, double most)
{
    constexpr double rounding = 1e-6;
    ZIGZAG_TRY(list, json::arrayIn(root, key, where));
    if (list->size() != count)
        return badInput(
            fmt::format("{}: \"{}\" has {} numbers and not {}: start the search again", where, key, list->size(), count));
    std::vector<double> sums;
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(sum, json::asNumber(entry, key, 0.0, most * (1 + rounding), where));
        sums.push_back(sum);
    }
    return sums;
}

/// A prompt with one needle in the form of those with several: the answer at its end.
TaskPrompt withAnswer(const NeedlePrompt &prompt)
{
    TaskPrompt task;
    task.tokens = prompt.tokens;
    task.tokens.insert(task.tokens.end(), prompt.answer.begin(), prompt.answer.end());
    task.answers.push_back({static_cast<std::int64_t>(prompt.tokens.size()), static_cast<std::int64_t>(task.tokens.size())});
    return task;
}

/// A prompt's place in a plan.
struct Place {
    std::int64_t context = 0;
    double depth = 0;
    int trial = 0;
};

std::vector<Place> placesOf(const AttentionScorePlan &plan)
{
    std::vector<Place> places;
    for (const std::int64_t context : plan.contexts)
        for (const double depth : plan.depths)
            for (int trial = 0; trial < plan.trials; ++trial)
                places.push_back({context, depth, trial});
    return places;
}

/// What one prompt tells.
struct Copied {
    std::vector<double> shares; // [layers, query_heads]
    bool answered = false; ///< an answer was said to its end
};

/// The share of the answers' tokens that each query head copied in one prompt: while an answer's token is predicted, its
/// strongest key is that token in its needle. A wrong prediction ends an answer, and its rest counts as not copied.
Result<Copied> copiedShares(Session &session, const ModelConfig &config, const TaskPrompt &prompt, std::int64_t chunk,
                            const std::function<void(double share)> &onPart)
{
    Copied copied;
    const auto heads = static_cast<std::size_t>(config.queryHeads);
    std::vector<double> &shares = copied.shares;
    shares.resize(heads * static_cast<std::size_t>(config.layers));
    std::vector<std::int32_t> strongest(shares.size());
    const auto observe = [&](int layer, std::span<const std::int32_t> keys) { // [1, query_heads]
        std::copy(keys.begin(), keys.end(),
                  strongest.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(layer) * heads));
    };
    const std::span<const int> tokens(prompt.tokens);
    session.reset();
    for (const AnswerSpan &answer : prompt.answers) {
        const auto begin = static_cast<std::size_t>(answer.begin), size = static_cast<std::size_t>(answer.end) - begin;
        const auto needle = std::search(tokens.begin(), tokens.begin() + answer.begin, tokens.begin() + answer.begin,
                                        tokens.begin() + answer.end)
            - tokens.begin();
        session.setAttentionObserver({});
        const auto first = static_cast<std::size_t>(session.position());
        const auto told = [&](double share) {
            if (onPart)
                onPart((static_cast<double>(first) + share * static_cast<double>(begin - first))
                       / static_cast<double>(tokens.size()));
        };
        ZIGZAG_CHECK(runInParts(session, tokens.subspan(first, begin - 1 - first), Session::Logits::None, chunk, told));
        session.setAttentionObserver(observe); // from the token on whose query generates the answer's first
        bool right = true;
        for (std::size_t i = 0; i < size; ++i) {
            const int wanted = tokens[begin + i];
            ZIGZAG_TRY(logits, session.run(tokens.subspan(begin + i - 1, 1)));
            right = right && std::max_element(logits.begin(), logits.end()) - logits.begin() == wanted;
            if (!right)
                continue; // the tokens after it still have to be in the cache for the next question
            for (std::size_t head = 0; head < shares.size(); ++head) {
                const std::int64_t inKey = strongest[head] - needle;
                if (inKey >= 0 && inKey < static_cast<std::int64_t>(size)
                    && tokens[begin + static_cast<std::size_t>(inKey)] == wanted)
                    shares[head] += 1.0 / static_cast<double>(size * prompt.answers.size());
            }
        }
        copied.answered = copied.answered || right;
    }
    return copied;
}

} // namespace

std::string AttentionState::toJson() const
{
    return json::Value{{"done", done},       {"answered", answered},    {"sums", sums},
                       {"squares", squares}, {"group_sums", groupSums}, {"group_squares", groupSquares}}
        .dump();
}

Result<AttentionState> AttentionState::fromJson(std::string_view text, const ModelShape &model, int prompts)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    AttentionState state;
    ZIGZAG_TRY(done, json::integerIn(root, "done", 0, prompts, where));
    ZIGZAG_TRY(answered, json::integerIn(root, "answered", 0, done, where));
    state.done = static_cast<int>(done);
    state.answered = static_cast<int>(answered);
    const auto queryHeads = static_cast<std::size_t>(model.layers) * static_cast<std::size_t>(model.queryHeads);
    const auto kvHeads = static_cast<std::size_t>(model.layers) * static_cast<std::size_t>(model.kvHeads);
    for (const auto &[key, list, count] :
         {std::tuple{"sums", &state.sums, queryHeads}, std::tuple{"squares", &state.squares, queryHeads},
          std::tuple{"group_sums", &state.groupSums, kvHeads}, std::tuple{"group_squares", &state.groupSquares, kvHeads}}) {
        ZIGZAG_TRY(sums, readSums(root, key, count, state.done));
        *list = std::move(sums);
    }
    return state;
}

struct AttentionScoring::Impl {
    std::shared_ptr<DeviceModel> device;
    AttentionScorePlan plan;
    NeedleTrials trials; // of device->model
    std::vector<Place> places;
    std::unique_ptr<Session> session;

    const ModelConfig &config() const { return device->config(); }
    std::int64_t chunk() const { return device->backend->device().prefillChunk; }
    Result<TaskPrompt> prompt(const Place &place) const
    {
        if (plan.needles == 1) {
            ZIGZAG_TRY(single, trials.prompt(place.context, place.depth, place.trial));
            return withAnswer(single);
        }
        const TaskPlan tasks{.kinds = {TaskKind::Passkeys},
                             .contexts = {place.context},
                             .depths = {place.depth},
                             .trials = place.trial + 1,
                             .needles = plan.needles,
                             .seed = plan.seed,
                             .as = plan.as};
        ZIGZAG_TRY(prompts, makeTaskPrompts(*device->model, tasks));
        return std::move(prompts.back());
    }
    void add(AttentionState &state, const Copied &copied) const
    {
        const auto group = static_cast<std::size_t>(config().group());
        for (std::size_t kv = 0; kv < state.groupSums.size(); ++kv) {
            double sum = 0.0;
            for (std::size_t head = kv * group; head < (kv + 1) * group; ++head) {
                state.sums[head] += copied.shares[head];
                state.squares[head] += copied.shares[head] * copied.shares[head];
                sum += copied.shares[head];
            }
            const double mean = sum / static_cast<double>(group);
            state.groupSums[kv] += mean;
            state.groupSquares[kv] += mean * mean;
        }
        ++state.done;
        state.answered += copied.answered;
    }
};

AttentionScoring::AttentionScoring(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{ }
AttentionScoring::AttentionScoring(AttentionScoring &&) noexcept = default;
AttentionScoring &AttentionScoring::operator=(AttentionScoring &&) noexcept = default;
AttentionScoring::~AttentionScoring() = default;

Result<AttentionScoring> AttentionScoring::create(std::shared_ptr<DeviceModel> deviceModel, const AttentionScorePlan &plan)
{
    const Model &model = *deviceModel->model;
    ZIGZAG_TRY(trials, NeedleTrials::plan(model, plan.contexts, plan.depths, plan.trials, plan.seed, plan.as));
    SessionOptions options;
    options.maxContext = trials.longestContext();
    ZIGZAG_TRY(session, Session::create(deviceModel, HeadMap(model.shape(), HeadKind::Retrieval, 0, 1), options));
    auto impl = std::make_unique<Impl>(Impl{std::move(deviceModel), plan, std::move(trials), placesOf(plan), std::move(session)});
    return AttentionScoring(std::move(impl));
}

int AttentionScoring::promptCount() const
{
    return static_cast<int>(m_impl->places.size());
}

Result<AttentionState> AttentionScoring::run(AttentionState from, const std::atomic<bool> *cancel,
                                             const std::function<void(const AttentionState &)> &onPrompt,
                                             const std::function<void(double share)> &onPart)
{
    const ModelConfig &config = m_impl->config();
    AttentionState &state = from;
    if (state.sums.empty()) {
        const auto layers = static_cast<std::size_t>(config.layers);
        for (std::vector<double> *sums : {&state.sums, &state.squares})
            sums->assign(layers * static_cast<std::size_t>(config.queryHeads), 0.0);
        for (std::vector<double> *sums : {&state.groupSums, &state.groupSquares})
            sums->assign(layers * static_cast<std::size_t>(config.kvHeads), 0.0);
    }
    m_impl->session->setCancelFlag(cancel);
    while (state.done < promptCount()) {
        ZIGZAG_TRY(prompt, m_impl->prompt(m_impl->places[static_cast<std::size_t>(state.done)]));
        const auto copied = copiedShares(*m_impl->session, config, prompt, m_impl->chunk(), onPart);
        if (!copied && isCancelled(copied.error()) && state.done > 0)
            return state;
        ZIGZAG_CHECK(copied);
        m_impl->add(state, *copied);
        if (onPrompt)
            onPrompt(state);
    }
    return state;
}

Result<double> AttentionScoring::estimateSeconds(int done, const std::atomic<bool> *cancel)
{
    if (done >= promptCount())
        return 0.0;
    const ModelConfig &config = m_impl->config();
    // What a run over so many tokens has to compute: products with the weights, and attention over the keys before.
    const auto work = [&](std::int64_t tokens) {
        const auto count = static_cast<double>(tokens);
        return count
            * (static_cast<double>(config.parameters())
               + static_cast<double>(config.layers) * static_cast<double>(config.queryWidth()) * count);
    };
    constexpr std::int64_t timedTokens = 256;
    Session &session = *m_impl->session;
    const std::int64_t tokens = std::min(timedTokens, session.maxContext());
    const std::vector<int> filler(static_cast<std::size_t>(tokens), 0);
    session.setCancelFlag(cancel);
    session.setAttentionObserver({});
    double seconds = 0.0;
    for (int pass = 0; pass < 2; ++pass) { // the first builds what the backend builds once
        session.reset();
        const auto begin = std::chrono::steady_clock::now();
        ZIGZAG_CHECK(session.run(filler, Session::Logits::Last));
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    double all = 0.0;
    for (std::size_t i = static_cast<std::size_t>(done); i < m_impl->places.size(); ++i)
        all += work(m_impl->places[i].context);
    return seconds * all / work(tokens);
}

AttentionMeasure measureOf(const AttentionState &state, int all)
{
    AttentionMeasure measure;
    measure.done = state.done;
    measure.all = all;
    measure.answered = state.answered;
    const auto fill = [&](const std::vector<double> &sums, const std::vector<double> &squares, std::vector<float> &mean,
                          std::vector<float> &deviation) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            mean.push_back(static_cast<float>(std::clamp(meanOf(sums[i], state.done), 0.0, 1.0)));
            deviation.push_back(static_cast<float>(std::min(1.0, deviationOf(sums[i], squares[i], state.done))));
        }
    };
    fill(state.sums, state.squares, measure.mean, measure.deviation);
    fill(state.groupSums, state.groupSquares, measure.groupMean, measure.groupDeviation);
    return measure;
}

HeadScores foldAttention(const ModelShape &model, const AttentionMeasure &measure, Fold fold)
{
    HeadScores scores;
    scores.model = model;
    scores.method = "attention";
    scores.unanswered = measure.answered == 0;
    const auto group = static_cast<std::ptrdiff_t>(model.queryHeads / model.kvHeads);
    for (std::size_t kv = 0; kv < measure.groupMean.size(); ++kv) {
        if (model.isLocal(static_cast<int>(kv) / model.kvHeads)) { // what lies beyond its window it cannot copy
            scores.scores.push_back(0.0f);
            scores.spread.push_back(0.0f);
            continue;
        }
        const auto first = measure.mean.begin() + static_cast<std::ptrdiff_t>(kv) * group;
        const auto best = static_cast<std::size_t>(std::max_element(first, first + group) - measure.mean.begin());
        scores.scores.push_back(fold == Fold::Max ? measure.mean[best] : measure.groupMean[kv]);
        scores.spread.push_back(fold == Fold::Max ? measure.deviation[best] : measure.groupDeviation[kv]);
    }
    return scores;
}

Result<AttentionMeasure> measureAttention(const std::shared_ptr<DeviceModel> &deviceModel, const AttentionScorePlan &plan,
                                          const std::atomic<bool> *cancel, const PromptProgress &progress)
{
    ZIGZAG_TRY(scoring, AttentionScoring::create(deviceModel, plan));
    const int all = scoring.promptCount();
    int done = 0;
    const auto tell = [&](double prompts) {
        if (progress)
            progress(prompts, all);
    };
    ZIGZAG_TRY(state,
               scoring.run(
                   {}, cancel,
                   [&](const AttentionState &now) {
                       done = now.done;
                       tell(done);
                   },
                   [&](double share) { tell(done + share); }));
    return measureOf(state, all);
}

Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const AttentionScorePlan &plan,
                                    const std::atomic<bool> *cancel, const PromptProgress &progress)
{
    ZIGZAG_TRY(measure, measureAttention(deviceModel, plan, cancel, progress));
    return foldAttention(deviceModel->model->shape(), measure, plan.fold);
}

} // namespace zigzag
