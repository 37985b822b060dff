// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/carry_job.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "profiler/evaluate/task_prompts.h"

#include <algorithm>
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

Result<std::shared_ptr<DeviceModel>> upload(const JobContext &context, const HeadMap &map, const SinkCarrier &carrier)
{
    ZIGZAG_TRY(model, carriedModel(context.model(), map, carrier));
    return uploadModel(model, context.device->backend);
}

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

} // namespace

Result<Carried> carry(const JobContext &context, const HeadMap &map, const CarryPlan &plan)
{
    Carried result;
    ZIGZAG_TRY(calibrated,
               calibrateSinks(context.device, map, plan.texts.calibration, context.cancel, toldOf(context, "calibration")));
    std::vector<std::shared_ptr<DeviceModel>> ways;
    ZIGZAG_TRY(first, upload(context, map, calibrated));
    ways.push_back(std::move(first));
    SinkCarrier fitted;
    if (plan.fit) {
        ZIGZAG_TRY(fit, SinkFitting::create(context.device, map, calibrated, plan.texts.fit, *plan.fit));
        ZIGZAG_TRY(found, fit.run(context.cancel, toldOf(context, "fit")));
        fitted = std::move(found);
        result.steps = static_cast<int>(fit.losses().size());
        ZIGZAG_TRY(second, upload(context, map, fitted));
        ways.push_back(std::move(second));
    }
    ZIGZAG_TRY(qualities,
               measureCarried(context.device, map, ways, plan.texts.heldOut, context.cancel, toldOf(context, "measurement")));
    result.calibrated = qualities.front();
    if (plan.fit) {
        result.fitted = qualities.back();
        result.isFitted = weighed(*result.fitted, *plan.fit) < weighed(result.calibrated, *plan.fit);
    }
    result.carrier = result.isFitted ? std::move(fitted) : std::move(calibrated);
    return result;
}

Result<Carried> exportCarried(const JobContext &context, const HeadMap &map, const CarryPlan &plan, const CarriedExport &where)
{
    if (const ExportVerdict verdict = where.target->verdict(map, where.model); !verdict.refusal.empty())
        return badInput(fmt::format("{} cannot take this map: {}", where.target->name, verdict.refusal));
    ZIGZAG_TRY(carried, carry(context, map, plan));
    ZIGZAG_TRY(model, carriedModel(context.model(), map, carried.carrier));
    ZIGZAG_CHECK(
        where.target->write(*where.model, *model, where.out, where.files,
                            "Against full attention, on text that it was not made from: " + qualityText(carried.quality())));
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

Result<std::shared_ptr<DeviceModel>> everyLayerCarried(const JobContext &context, StreamingWindow window)
{
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), window));
    ZIGZAG_TRY(carrier,
               calibrateEveryLayer(context.device, window, texts.calibration, context.cancel, toldOf(context, "calibration")));
    return upload(context, HeadMap(context.model().shape(), HeadKind::Streaming, window.sink, window.recent), carrier);
}

Result<CarryQuality> carryCost(const JobContext &context, const HeadMap &map)
{
    if (const std::string why = whyNotCarried(context.config(), map); !why.empty())
        return badInput(why);
    CarryPlan plan;
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), streamingWindowOf(map)));
    plan.texts = std::move(texts);
    ZIGZAG_TRY(carried, carry(context, map, plan));
    return carried.quality();
}

} // namespace zigzag::jobs
