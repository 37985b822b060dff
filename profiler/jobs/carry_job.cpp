// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/carry_job.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "profiler/evaluate/task_prompts.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

std::function<void(double)> toldOf(const JobContext &context, std::string_view subject)
{
    context.tell({.part = JobPart::Carry, .subject = subject});
    return [&context, subject](double fraction) {
        context.tell({.part = JobPart::Carry, .fraction = fraction, .subject = subject});
    };
}

/// Adds to a sum what passes until its end, however that comes.
class Stopwatch
{
public:
    explicit Stopwatch(double &sum)
        : m_sum(sum)
    { }
    ~Stopwatch() { m_sum += std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count(); }
    Stopwatch(const Stopwatch &) = delete;
    Stopwatch &operator=(const Stopwatch &) = delete;

private:
    double &m_sum;
    std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};

std::int64_t keptTokens(StreamingWindow window)
{
    return std::int64_t{window.sink} + window.recent;
}

/// Tokens of a text that loses its sinks for most of its length.
std::int64_t textLength(const Model &model, StreamingWindow window)
{
    return std::min(model.config.maxContext, std::max<std::int64_t>(2048, 4 * keptTokens(window)));
}

/// What the fit lessens, where both kinds of positions were measured.
double weighed(const CarryQuality &quality, const FitPlan &plan)
{
    return plan.insideWeight * quality.inside.kl + quality.beyond.kl;
}

Result<void> fitStandIns(const JobContext &context, const HeadMap &map, const CarryPlan &plan, CarriedSoFar &soFar)
{
    CarryState &state = soFar.state;
    ZIGZAG_TRY(fit, SinkFitting::create(context.device, map, *state.calibrated, plan.texts.fit, *plan.fit));
    ZIGZAG_TRY(found, fit.run(context.cancel, toldOf(context, "fit"), &state.fit, soFar.told));
    state.fitted = std::move(found);
    return {};
}

} // namespace

Result<SinkCarrier> calibrateStandIns(const JobContext &context, const HeadMap &map, const CarryTexts &texts,
                                      CalibrationState *soFar)
{
    return calibrateSinks(context.device, map, texts.calibration, context.cancel, toldOf(context, "calibration"), soFar);
}

Result<std::shared_ptr<DeviceModel>> withStandIns(const JobContext &context, const HeadMap &map, const SinkCarrier &carrier)
{
    ZIGZAG_TRY(model, carriedModel(context.model(), map, carrier));
    return uploadModel(model, context.device->backend);
}

Result<Carried> carry(const JobContext &context, const HeadMap &map, const CarryPlan &plan, CarriedSoFar *soFar)
{
    CarriedSoFar own;
    CarriedSoFar &all = soFar ? *soFar : own;
    CarryState &state = all.state;
    const auto tell = [&] {
        if (all.told)
            all.told();
    };
    if (!state.calibrated) {
        const Stopwatch watch(state.seconds.calibration);
        ZIGZAG_TRY(calibrated, calibrateStandIns(context, map, plan.texts, &state.calibration));
        state.calibrated = std::move(calibrated);
        tell();
    }
    if (plan.fit && !state.fitted) {
        const Stopwatch watch(state.seconds.fit);
        ZIGZAG_CHECK(fitStandIns(context, map, plan, all));
        tell();
    }
    std::vector<std::shared_ptr<DeviceModel>> ways;
    for (const SinkCarrier *each : {&*state.calibrated, plan.fit ? &*state.fitted : nullptr})
        if (each) {
            ZIGZAG_TRY(way, withStandIns(context, map, *each));
            ways.push_back(std::move(way));
        }
    if (state.sums.inside.size() != ways.size()) // measured for another number of them
        state.sums = {};
    std::vector<CarryQuality> qualities;
    {
        const Stopwatch watch(state.seconds.measurement);
        ZIGZAG_TRY(measured,
                   measureCarried(context.device, map, ways, plan.texts.heldOut, context.cancel, toldOf(context, "measurement"),
                                  &state.sums));
        qualities = std::move(measured);
    }
    tell();
    Carried result;
    result.calibrated = qualities.front();
    if (plan.fit) {
        result.steps = static_cast<int>(state.fit.losses.size());
        result.fitted = qualities.back();
        result.isFitted = weighed(*result.fitted, *plan.fit) < weighed(result.calibrated, *plan.fit);
    }
    result.carrier = result.isFitted ? *state.fitted : *state.calibrated;
    result.seconds = state.seconds;
    return result;
}

Result<void> writeCarried(const JobContext &context, const HeadMap &map, const Carried &carried, const CarriedExport &where)
{
    ZIGZAG_TRY(model, carriedModel(context.model(), map, carried.carrier));
    return where.target->write(*where.model, *model, where.out, where.files,
                               "Against full attention, on text that it was not made from: " + qualityText(carried.quality()));
}

Result<Carried> exportCarried(const JobContext &context, const HeadMap &map, const CarryPlan &plan, const CarriedExport &where,
                              CarriedSoFar *soFar)
{
    if (const ExportVerdict verdict = where.target->verdict(map, where.model); !verdict.refusal.empty())
        return badInput(fmt::format("{} cannot take this map: {}", where.target->name, verdict.refusal));
    ZIGZAG_TRY(carried, carry(context, map, plan, soFar));
    ZIGZAG_CHECK(writeCarried(context, map, carried, where));
    return std::move(carried);
}

Result<CarryTexts> madeCarryTexts(const Model &model, StreamingWindow window)
{
    const std::int64_t context = textLength(model, window);
    CarryTexts texts;
    TaskPlan plan{.kinds = {TaskKind::Passkeys, TaskKind::Recall}, .contexts = {context}, .depths = {0.5}, .trials = 2};
    for (std::vector<std::vector<int>> *each : {&texts.calibration, &texts.heldOut}) {
        ZIGZAG_TRY(prompts, makeTaskPrompts(model, plan));
        for (TaskPrompt &prompt : prompts)
            each->push_back(std::move(prompt.tokens));
        ++plan.seed;
        plan.trials = 1;
    }
    texts.fit = texts.calibration;
    return texts;
}

Result<CarryTexts> carryTexts(const std::vector<std::filesystem::path> &files, const Model &model, StreamingWindow window)
{
    if (files.empty())
        return madeCarryTexts(model, window);
    CarryTexts texts;
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    const std::int64_t longest = std::min(std::max<std::int64_t>(4096, textLength(model, window)), model.config.maxContext);
    // Calibration is to take no longer for many texts than for four; each still has to lose its sinks.
    const std::int64_t calibrated = std::min(longest, std::max(2 * keptTokens(window), 4 * longest / std::ssize(files)));
    for (const std::filesystem::path &file : files) {
        ZIGZAG_TRY(text, readTextFile(file));
        if (const FileContent content = contentOf(text); !isReadable(content))
            return wrongContent(file.string(), {content, false}, "a text");
        const std::vector<int> tokens = tokenizer->encode(text, true);
        const auto seen = tokens.begin() + 2 * std::ssize(tokens) / 3;
        const auto begins = [](auto first, auto last, std::int64_t most) {
            return std::vector<int>(first, first + std::min<std::int64_t>(last - first, most));
        };
        texts.calibration.push_back(begins(tokens.begin(), seen, calibrated));
        texts.fit.push_back(begins(tokens.begin(), seen, 16 * longest));
        texts.heldOut.push_back(begins(seen, tokens.end(), longest));
    }
    return texts;
}

Result<std::shared_ptr<DeviceModel>> everyLayerCarried(const JobContext &context, StreamingWindow window, CalibrationState *soFar)
{
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), window));
    ZIGZAG_TRY(
        carrier,
        calibrateEveryLayer(context.device, window, texts.calibration, context.cancel, toldOf(context, "calibration"), soFar));
    return withStandIns(context, HeadMap(context.model().shape(), HeadKind::Streaming, window.sink, window.recent), carrier);
}

Result<CarryQuality> carryCost(const JobContext &context, const HeadMap &map, CarriedSoFar *soFar)
{
    if (const std::string why = whyNotCarried(context.config(), map); !why.empty())
        return badInput(why);
    CarryPlan plan;
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), streamingWindowOf(map)));
    plan.texts = std::move(texts);
    ZIGZAG_TRY(carried, carry(context, map, plan, soFar));
    return carried.quality();
}

} // namespace zigzag::jobs
