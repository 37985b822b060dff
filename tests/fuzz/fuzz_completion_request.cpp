// SPDX-License-Identifier: GPL-3.0-or-later
// The bodies of requests to the server, of both kinds.
#include "profiler/serve/completion_request.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/tiny_model.h"

namespace {

std::shared_ptr<const zigzag::Model> tinyModel()
{
    const auto folder = zigzag::test::writeTinyModel(zigzag::test::fuzzFolder() / "chat");
    std::ofstream(folder / "chat_template.jinja") << "{% for m in messages %}{{ m.role + m.content }}{% endfor %}";
    return zigzag::describeModel(folder.string()).value();
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
    }
}
