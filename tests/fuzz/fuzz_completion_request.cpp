// SPDX-License-Identifier: GPL-3.0-or-later
// The bodies of requests to the server, of both kinds, and the text of an answer, which their stop texts end.
#include "profiler/serve/answer_text.h"
#include "profiler/serve/completion_request.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/tiny_model.h"

#include <algorithm>

namespace {

std::shared_ptr<const zigzag::Model> tinyModel()
{
    const auto folder = zigzag::test::writeTinyModel(zigzag::test::fuzzFolder() / "chat");
    std::ofstream(folder / "chat_template.jinja") << "{% for m in messages %}{{ m.role + m.content }}{% endfor %}";
    return zigzag::describeModel(folder.string()).value();
}

/// The prompt's own tokens as an answer to it: what was said is never taken back, and no stop text is in it.
void answer(const zigzag::Model &model, const std::vector<int> &prompt, const std::vector<std::string> &stops)
{
    using zigzag::test::require;
    constexpr std::size_t most = 64;
    zigzag::serve::AnswerText text(&*model.tokenizer, prompt, stops);
    std::string said;
    const auto listen = [&] {
        const std::string_view now = text.text();
        require(now.substr(0, said.size()) == said);
        said = now;
    };
    for (std::size_t i = 0; i < std::min(most, prompt.size()); ++i) {
        text.add(prompt[i]);
        listen();
    }
    text.end();
    listen();
    for (const std::string &stop : stops)
        require(said.find(stop) == std::string::npos);
}

} // namespace

ZIGZAG_FUZZ(completion_request)
{
    using namespace zigzag;
    static const std::shared_ptr<const Model> model = tinyModel();
    for (const auto &request : {serve::parseCompletion(input, *model), serve::parseChat(input, *model)}) {
        if (!request) {
            test::require(request.error().message.find('\n') == std::string::npos);
            continue;
        }
        test::require(!request->prompts.empty() && request->prompts.size() <= serve::mostPrompts);
        test::require(request->temperature >= 0 && request->topP >= 0 && request->topP <= 1);
        test::require(!request->most || *request->most >= 0);
        test::require(!request->top || (*request->top >= 0 && *request->top <= serve::mostTop));
        test::require(request->stops.size() <= serve::mostStops);
        for (const std::string &stop : request->stops)
            test::require(!stop.empty() && stop.size() <= serve::longestStop);
        const std::vector<int> &prompt = request->prompts.front();
        const auto isToken = [](int token) { return token >= 0 && token < model->config.vocabulary; };
        if (std::all_of(prompt.begin(), prompt.end(), isToken)) // the scheduler refuses others
            answer(*model, prompt, request->stops);
    }
}
