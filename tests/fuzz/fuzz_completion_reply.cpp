// SPDX-License-Identifier: GPL-3.0-or-later
// What servers that are checked may answer: completions, their models, errors and streams, read as each of these.
#include "engine/model/model.h"
#include "profiler/check/completion_reply.h"
#include "profiler/check/event_stream.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/tiny_model.h"

#include <cmath>

namespace {

std::shared_ptr<const zigzag::Model> tinyModel()
{
    return zigzag::describeModel(zigzag::test::writeTinyModel(zigzag::test::fuzzFolder() / "reply").string()).value();
}

/// Text that goes into one line for a person.
bool isOneLine(const std::string &text)
{
    return text.find('\n') == std::string::npos && text.find('\r') == std::string::npos;
}

} // namespace

ZIGZAG_FUZZ(completion_reply)
{
    using namespace zigzag;
    static const std::shared_ptr<const Model> model = tinyModel();
    static const check::TokenNames names(model->tokenizer ? &*model->tokenizer : nullptr, model->config.vocabulary);
    if (const auto served = check::parseServedTokens(input, names, "server")) {
        test::require(!served->tokens.empty() && served->tokens.size() == served->logprobs.size());
        for (const int token : served->tokens)
            test::require(token >= 0 && token < names.vocabulary());
        for (const double logprob : served->logprobs)
            test::require(std::isfinite(logprob) && logprob < 1);
        test::require(!served->promptTokens || *served->promptTokens >= 0);
    } else {
        test::require(isOneLine(served.error().message));
    }
    if (const auto models = check::parseModels(input, "server"))
        test::require(!models->empty());
    else
        test::require(isOneLine(models.error().message));
    const std::string error = check::errorText(input);
    test::require(isOneLine(error) && error.size() <= 1200);
    // However a stream is cut, it counts the same.
    check::EventCounter whole, halves;
    const int pieces = whole.take(input), before = halves.take(input.substr(0, input.size() / 2));
    test::require(pieces >= 0 && before + halves.take(input.substr(input.size() / 2)) == pieces);
    test::require(whole.tokens() == halves.tokens() && whole.tokens() >= 0 && whole.error() == halves.error());
    test::require(isOneLine(whole.error()));
}
