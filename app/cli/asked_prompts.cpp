// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/asked_prompts.h"

#include "app/cli/progress.h"
#include "engine/model/context_limit.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/evaluate/answers_file.h"

#include <filesystem>
#include <fmt/format.h>
#include <functional>

namespace zigzag {

void addAskedPromptOptions(CLI::App &command, AskedPromptOptions &options, const std::string &besides)
{
    CLI::Option *prompts
        = command.add_option("--prompts", options.files,
                             "file or folder with questions and answers in the place of tasks (lines of JSON: prompt, "
                             "or context and question, and answer; LongBench, RULER and others as they come); may be "
                             "given again; "
                                 + besides + "what is longer than the model's context, or --contexts, loses its middle");
    prompts->allow_extra_args(false);
    for (const char *ofTasks : {"--tasks", "--needles", "--depths", "--trials"})
        prompts->excludes(command.get_option(ofTasks));
    command
        .add_option("--as", options.as,
                    "how tasks and --prompts are asked: by the model's chat template, as text, or as the model wants")
        ->check(CLI::IsMember({"auto", "chat", "text"}))
        ->capture_default_str();
    command
        .add_option("--answers", options.answers,
                    "of --prompts: own, what full attention says where that is right (what it fails is left out); given, the "
                    "files' own words")
        ->check(CLI::IsMember({"own", "given"}))
        ->capture_default_str();
}

Result<std::shared_ptr<const std::vector<TaskPrompt>>>
askedPrompts(const AskedPromptOptions &options, const std::vector<std::int64_t> &contexts, const Loaded &loaded)
{
    const Model &model = loaded.texts ? *loaded.texts : *loaded.model;
    if (contexts.size() > 1)
        return badInput("--prompts are cut to one context: give a single one, or none for the model's");
    const std::int64_t longest = contexts.empty() ? model.config.maxContext : contexts.front();
    ZIGZAG_CHECK(checkWithinMaximum(model.config, longest, 16));
    const std::vector<std::filesystem::path> files(options.files.begin(), options.files.end());
    ZIGZAG_TRY(as, parseAskAs(options.as));
    std::vector<std::string> notes;
    ZIGZAG_TRY(questions, readAllQuestions(files, notes));
    AnsweredQuestions answered;
    if (options.answers == "given") {
        ZIGZAG_TRY(given, withGivenAnswers(model, questions, as, longest));
        answered = std::move(given);
    } else {
        Progress progress("full attention answers");
        ZIGZAG_TRY(own, withOwnAnswers(loaded.device, model, questions, as, longest, &interruptFlag(), std::ref(progress)));
        answered = std::move(own);
    }
    if (!answered.prompts.empty())
        notes.insert(notes.end(), answered.notes.begin(), answered.notes.end());
    for (const std::string &note : notes)
        fmt::print(stderr, "note: {}\n", note);
    if (answered.prompts.empty())
        return badInput(
            fmt::format("full attention answers none of the {} questions, so that no map can lose an answer: look at how "
                        "they are asked (eval --task questions --map full), or take the answers given (--answers given)",
                        questions.size()));
    return std::make_shared<const std::vector<TaskPrompt>>(std::move(answered.prompts));
}

} // namespace zigzag
