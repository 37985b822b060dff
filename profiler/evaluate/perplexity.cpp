// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/perplexity.h"

#include "engine/model/context_limit.h"
#include "engine/run/device_model.h"
#include "engine/run/log_sum_exp.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::int64_t step = 256; // tokens whose logits are held at a time
constexpr std::size_t block = 64;

double negativeLogLikelihood(std::span<const float> logits, int token)
{
    return logSumExp(logits) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

Result<Perplexity> perplexityOf(const std::vector<double> &losses)
{
    std::vector<double> blocks;
    for (std::size_t first = 0; first < losses.size(); first += block) {
        const std::size_t last = std::min(losses.size(), first + block);
        double sum = 0.0;
        for (std::size_t i = first; i < last; ++i)
            sum += losses[i];
        blocks.push_back(sum / static_cast<double>(last - first));
    }
    double sum = 0.0;
    for (const double loss : losses)
        sum += loss;
    const double mean = sum / static_cast<double>(losses.size());
    // Student's t on the logarithm, which the mean loss is; no token has a negative loss, so no perplexity is below 1.
    const Interval spread = meanInterval(blocks);
    const double reach = spread.high - spread.mean;
    const Perplexity perplexity = {std::exp(mean), std::max(1.0, std::exp(mean - reach)), std::exp(mean + reach),
                                   static_cast<std::int64_t>(losses.size()), spread.count};
    if (!std::isfinite(perplexity.value) || !std::isfinite(perplexity.high))
        return failed(
            fmt::format("the perplexity of a mean loss of {:.3g} is beyond every number: the model does not predict this "
                        "text at all; is it the right model, and are its weights whole?",
                        mean));
    return perplexity;
}

/// The negative log-likelihood of each token of a window but its first.
Result<void> measureWindow(Session &session, std::span<const int> tokens, std::vector<double> &losses,
                           const std::function<void(double share)> &onPart)
{
    session.reset();
    const auto count = static_cast<std::int64_t>(tokens.size()) - 1; // the last token predicts nothing
    for (std::int64_t done = 0; done < count; done += step) {
        if (done > 0)
            onPart(static_cast<double>(done) / static_cast<double>(count));
        const auto part = tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(std::min(step, count - done)));
        ZIGZAG_TRY(logits, session.run(part, Session::Logits::All));
        const std::size_t vocabulary = logits.size() / part.size();
        for (std::size_t i = 0; i < part.size(); ++i)
            losses.push_back(negativeLogLikelihood(std::span(logits).subspan(i * vocabulary, vocabulary),
                                                   tokens[static_cast<std::size_t>(done) + i + 1]));
    }
    return {};
}

} // namespace

Result<Perplexity> measurePerplexity(const std::shared_ptr<DeviceModel> &model, const HeadMap &map, std::span<const int> tokens,
                                     std::int64_t context, const std::atomic<bool> *cancel, const PromptProgress &progress)
{
    if (tokens.size() < 2 || context < 2)
        return badInput(fmt::format("a text of {} tokens in windows of {} predicts nothing: give a longer text and context",
                                    tokens.size(), context));
    ZIGZAG_CHECK(checkWithinMaximum(model->config(), context, 2));
    SessionOptions options;
    options.maxContext = std::min(context, static_cast<std::int64_t>(tokens.size()));
    ZIGZAG_TRY(session, Session::create(model, map, options));
    session->setCancelFlag(cancel);
    const auto window = static_cast<std::size_t>(options.maxContext);
    const auto all = static_cast<int>((tokens.size() + window - 1) / window);
    std::vector<double> losses;
    bool isComplete = true;
    for (int done = 0; done < all; ++done) {
        const std::size_t first = static_cast<std::size_t>(done) * window;
        const auto part = tokens.subspan(first, std::min(window, tokens.size() - first));
        if (part.size() < 2)
            break;
        std::vector<double> measured;
        const auto tell = [&](double share) {
            if (progress)
                progress(done + share, all);
        };
        auto ran = measureWindow(*session, part, measured, tell);
        if (!ran && isCancelled(ran.error()) && !losses.empty()) {
            isComplete = false;
            break;
        }
        ZIGZAG_CHECK(ran);
        losses.insert(losses.end(), measured.begin(), measured.end());
        tell(1.0);
    }
    ZIGZAG_TRY(result, perplexityOf(losses));
    result.isComplete = isComplete;
    return result;
}

} // namespace zigzag
