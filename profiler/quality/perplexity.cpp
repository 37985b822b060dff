// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/quality/perplexity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::int64_t step = 256; // tokens whose logits are held at a time
constexpr std::size_t block = 64;

double negativeLogLikelihood(std::span<const float> logits, int token)
{
    const auto max = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0.0;
    for (const float value : logits)
        sum += std::exp(static_cast<double>(value) - max);
    return max + std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
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
    const Interval spread = meanInterval(blocks);
    const Perplexity perplexity = {std::exp(mean), std::exp(mean - (spread.mean - spread.low)),
                                   std::exp(mean + (spread.high - spread.mean)), static_cast<std::int64_t>(losses.size())};
    if (!std::isfinite(perplexity.value) || !std::isfinite(perplexity.high))
        return failed(
            fmt::format("the perplexity of a mean loss of {:.3g} is beyond every number: the model does not predict this "
                        "text at all; is it the right model, and are its weights whole?",
                        mean));
    return perplexity;
}

/// The negative log-likelihood of each token of a window but its first.
Result<void> measureWindow(Session &session, std::span<const int> tokens, std::vector<double> &losses)
{
    session.reset();
    const auto count = static_cast<std::int64_t>(tokens.size()) - 1; // the last token predicts nothing
    for (std::int64_t done = 0; done < count; done += step) {
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
                                     std::int64_t context, const std::atomic<bool> *cancel,
                                     const std::function<void(int done, int all)> &progress)
{
    if (tokens.size() < 2 || context < 2)
        return badInput(fmt::format("a text of {} tokens in windows of {} predicts nothing: give a longer text and context",
                                    tokens.size(), context));
    SessionOptions options;
    options.maxContext = std::min(context, static_cast<std::int64_t>(tokens.size()));
    ZIGZAG_TRY(session, Session::create(model, map, options));
    session->setCancelFlag(cancel);
    const auto window = static_cast<std::size_t>(options.maxContext);
    const auto all = static_cast<int>((tokens.size() + window - 1) / window);
    std::vector<double> losses;
    for (int done = 0; done < all; ++done) {
        const std::size_t first = static_cast<std::size_t>(done) * window;
        const auto part = tokens.subspan(first, std::min(window, tokens.size() - first));
        if (part.size() < 2)
            break;
        std::vector<double> measured;
        auto ran = measureWindow(*session, part, measured);
        if (!ran && isCancelled(ran.error()) && !losses.empty())
            break;
        ZIGZAG_CHECK(ran);
        losses.insert(losses.end(), measured.begin(), measured.end());
        if (progress)
            progress(done + 1, all);
    }
    return perplexityOf(losses);
}

} // namespace zigzag
