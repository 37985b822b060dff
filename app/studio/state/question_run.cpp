// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/question_run.h"

#include "app/studio/state/progress_files.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/served_job.h"
#include "profiler/questions/question_file.h"
#include "views/models/native_path.h"

#include <chrono>

namespace zigzag {

namespace {

/// The answers up to the first question that has none.
std::vector<QuestionAnswer> firstOf(const std::vector<std::optional<QuestionAnswer>> &kept)
{
    std::vector<QuestionAnswer> answers;
    for (auto each = kept.begin(); each != kept.end() && *each; ++each)
        answers.push_back(**each);
    return answers;
}

/// What an earlier run of the same questions left, in this window or in one before.
Result<void> openKept(jobs::KeptAnswers &kept, const JobContext &context, const std::vector<Question> &questions)
{
    const QString file
        = progressFile(QByteArray::fromStdString("questions " + context.model().weights.fingerprint
                                                 + std::string(nameOf(context.config().kvType)) + ' ' + hashOf(questions)));
    auto opened = jobs::KeptAnswers::open(file.toStdString(), context, questions, AskAs::Auto, Begin::GoOn);
    if (!opened) // damaged
        opened = jobs::KeptAnswers::open(file.toStdString(), context, questions, AskAs::Auto, Begin::Anew);
    ZIGZAG_CHECK(opened);
    kept = std::move(*opened);
    return {};
}

} // namespace

Result<std::vector<Question>> questionsOf(const AskedQuestions &asked, const Model &model, std::string &name)
{
    if (asked.file.isEmpty()) {
        name = "ruler";
        return rulerQuestions(model, asked.ruler, AskAs::Auto);
    }
    ZIGZAG_TRY(file, readQuestions(pathOf(asked.file)));
    if (file.questions.empty())
        return badInput(shownPath(asked.file).toStdString() + " has no question that can be asked here");
    name = shownFileName(asked.file).toStdString();
    return std::move(file.questions);
}

Result<void> askMaps(const AskedQuestions &asked, const JobContext &context, QuestionsSoFar &soFar,
                     const std::function<void(const AnswersRecord &)> &told)
{
    AnswersRecord record;
    ZIGZAG_TRY(made, questionsOf(asked, context.textModel(), record.asked));
    soFar.questions = std::make_shared<const std::vector<Question>>(std::move(made));
    const std::vector<Question> &questions = *soFar.questions;
    record.model = asked.model;
    record.fingerprint = context.model().weights.fingerprint;
    record.machine = context.machine();
    record.questionsHash = hashOf(questions);
    if (soFar.answers.questionsHash() != record.questionsHash) // the first time, or the file was changed
        ZIGZAG_CHECK(openKept(soFar.answers, context, questions));
    record.seed = asked.file.isEmpty() ? asked.ruler.seed : 0;
    record.questions = keptOf(questions);
    for (std::size_t i = 0; i < asked.maps.size(); ++i) {
        const NamedMap &map = asked.maps[i];
        const bool isServed = i == 1 && asked.served.has_value();
        JobContext by = context;
        HeadMap run = map.map;
        if (isServed) {
            ZIGZAG_TRY(servedRun, jobs::servedRun(context, map.map, *asked.served, &soFar.calibration));
            by = servedRun.context;
            run = servedRun.map;
        }
        const std::string engine = isServed ? asked.served->engine : std::string();
        record.maps.push_back(jobs::answersUnder(map, engine));
        const AskPlan plan{.known = soFar.answers.of(run, engine, questions.size())};
        auto toldAt = std::chrono::steady_clock::now();
        const auto keep = [&](std::size_t question, const QuestionAnswer &answer) {
            soFar.answers.take(run, engine, questions.size(), question, answer);
            constexpr std::chrono::seconds seldom(1);
            if (const auto now = std::chrono::steady_clock::now(); now - toldAt >= seldom) {
                toldAt = now; // what is delivered after a cancel is dropped: what is shown stays
                record.maps.back().answers = firstOf(soFar.answers.of(run, engine, questions.size()));
                if (!record.maps.back().answers.empty())
                    told(record);
            }
        };
        auto answers = jobs::ask(by, {map.name, run}, questions, plan, keep);
        const bool isWhole = answers && answers->size() == questions.size();
        if (!isWhole)
            ZIGZAG_CHECK(soFar.answers.save());
        ZIGZAG_CHECK(answers);
        record.maps.back().answers = std::move(*answers);
        told(record);
        if (!isWhole)
            return cancelled("stopped before every question was answered");
    }
    soFar.answers.removeFile();
    soFar.answers = {}; // asked again, all of it is asked again
    soFar.calibration = {};
    return {};
}

} // namespace zigzag
