// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/eval_questions.h"

#include "app/cli/answers_text.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "engine/base/json_input.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_summary.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/kept_answers.h"
#include "profiler/questions/question_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace zigzag {

namespace {

/// The first so many of each task and length.
std::vector<Question> limited(std::vector<Question> questions, int limit)
{
    std::map<std::pair<std::string, std::int64_t>, int> taken;
    if (limit > 0)
        std::erase_if(questions, [&](const Question &each) { return ++taken[{each.task, each.context}] > limit; });
    return questions;
}

/// What is asked, and what the record calls it.
Result<std::vector<Question>> questionsOf(const QuestionOptions &options, const Model &model, AskAs as, std::string &asked)
{
    if (options.files.empty()) {
        asked = "ruler";
        return rulerQuestions(model, options.ruler, as);
    }
    std::vector<Question> questions;
    for (const std::string &name : options.files) {
        ZIGZAG_TRY(file, readQuestions(name));
        for (const std::string &note : file.notes)
            fmt::print(stderr, "note: {}\n", note);
        asked += (asked.empty() ? "" : ", ") + name;
        questions.insert(questions.end(), std::make_move_iterator(file.questions.begin()),
                         std::make_move_iterator(file.questions.end()));
    }
    return questions;
}

std::string tableOf(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    std::string text;
    for (std::size_t map = 1; map < record.maps.size(); ++map) {
        const AnswersOfMap &of = record.maps[map];
        text += fmt::format("{}{}: {:.0f} % of KV heads stream, {} sinks, window {}\n", json::printable(of.map),
                            of.engine.empty() ? "" : " as " + of.engine + " runs it", 100 * of.sparsity, of.sink, of.recent);
        text += answersTable(rows, map, "full", "map");
    }
    return text;
}

/// A field of CSV (RFC 4180).
std::string csvField(std::string_view field)
{
    std::string text = "\"";
    for (const char c : field)
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
}

std::string csvOf(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    std::string text
        = "map,as_engine,sparsity,task,tokens,questions,full,map_score,difference,low,high,worse,better,p,detectable\n";
    for (const AnswersRow &row : rows) {
        const AnswersOfMap &of = record.maps[row.map];
        text += fmt::format("{},{},{:g},{},{},{},{:g},{:g},{:g},{:g},{:g},{},{},{:g},{:g}\n", csvField(of.map), of.engine,
                            of.sparsity, csvField(taskNameOf(row)), row.context, row.test.count, row.full, row.mean,
                            row.test.difference, row.test.low, row.test.high, row.test.worse, row.test.better, row.test.p,
                            row.test.detectable);
    }
    return text;
}

nlohmann::ordered_json jsonOf(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    nlohmann::ordered_json json = answersJson(record);
    json["summary"] = summaryJson(record, rows);
    return json;
}

std::string brokenText(const AnswersRecord &record, int most)
{
    std::string text;
    for (std::size_t map = 1; map < record.maps.size(); ++map)
        text += fmt::format("\n{}: {} of {} questions were answered worse than under full attention\n",
                            json::printable(record.maps[map].map), brokenBy(record, map).size(), record.answered())
            + brokenAnswers(record, map, most, "full attention", "this map");
    return text;
}

void noteCut(const AnswersRecord &record)
{
    const std::vector<QuestionAnswer> &answers = record.maps.front().answers;
    const auto cut = std::count_if(answers.begin(), answers.end(), [](const QuestionAnswer &each) { return each.cut > 0; });
    if (cut > 0)
        fmt::print(stderr, "note: {} of {} prompts are longer than the model's context and were cut in the middle\n", cut,
                   answers.size());
}

} // namespace

void addAskOptions(CLI::App &command, QuestionOptions &options)
{
    command
        .add_option("--prompts", options.files,
                    "questions: files of questions and answers, as a person or a published set has them; repeat it")
        ->allow_extra_args(false);
    command.add_option("--haystack", options.ruler.haystack, "ruler: text that hides needles (default: the project's own)");
    command.add_option("--squad", options.ruler.squad, "ruler: SQuAD's JSON, for the task qa_1");
    command.add_option("--hotpot", options.ruler.hotpot, "ruler: HotpotQA's JSON, for the task qa_2");
    command.add_option("--as", options.as, "needle, distill, ruler, questions: how a chat model is asked")
        ->check(CLI::IsMember({"auto", "chat", "text"}))
        ->capture_default_str();
    command.add_option("--limit", options.limit, "ruler, questions: the first so many of each task and length (0: all)")
        ->check(integerIn(0, 1 << 20))
        ->capture_default_str();
    command
        .add_option(
            "--batch", options.batch,
            "ruler, questions: answers that are continued together (0: 8 on a processor, 16 elsewhere, fewer where memory "
            "is short)")
        ->check(integerIn(0, 64))
        ->capture_default_str();
    command.add_option("--show-broken", options.broken, "ruler, questions: print so many questions that the map broke")
        ->check(integerIn(0, 1 << 20))
        ->capture_default_str();
    command.add_option("--out", options.out, "ruler, questions: file for every question and answer");
    command.add_option(
        "--resume", options.resume,
        "ruler, questions: file in which the answers wait when it is stopped, and from which the same questions go "
        "on");
    command.add_flag("--restart", options.restart, "ruler, questions: begin anew, whatever waits in --resume");
}

Result<void> evaluateQuestions(const QuestionOptions &options, const Loaded &loaded, const std::string &model,
                               const std::vector<NamedMap> &maps, const EngineOptions &engine, const std::string &format)
{
    AnswersRecord record;
    ZIGZAG_TRY(as, parseAskAs(options.as));
    ZIGZAG_TRY(all, questionsOf(options, *loaded.model, as, record.asked));
    const std::vector<Question> questions = limited(std::move(all), options.limit);
    if (questions.empty())
        return badInput(fmt::format("{}: no question that can be asked here", record.asked));
    record.model = model;
    record.fingerprint = loaded.model->weights.fingerprint;
    record.questionsHash = hashOf(questions);
    record.as = as;
    record.seed = options.files.empty() ? options.ruler.seed : 0;
    record.questions = keptOf(questions);

    JobLines lines("questions");
    const JobContext context = loaded.job(lines);
    record.machine = context.machine();
    ZIGZAG_TRY(kept,
               jobs::KeptAnswers::open(options.resume, context, questions, as, options.restart ? Begin::Anew : Begin::GoOn));
    if (kept.count() > 0)
        fmt::print(stderr, "questions: going on behind {} answers (--restart begins anew)\n", kept.count());
    std::vector<std::pair<HeadMap, std::size_t>> asked; // on `loaded`, and where in the record
    // Named as it was given, whatever an engine makes of it. What was answered is kept at once: the next map may take hours.
    const auto ask
        = [&](const JobContext &by, const NamedMap &given, const HeadMap &run, const std::string &servedBy) -> Result<void> {
        AnswersOfMap of = jobs::answersUnder(given, servedBy);
        const bool isOwn = by.device == context.device;
        const auto alike = std::find_if(asked.begin(), asked.end(),
                                        [&](const auto &earlier) { return isOwn && runAlike(earlier.first, run); });
        if (alike != asked.end()) {
            fmt::print(stderr, "note: {} computes what {} does, and is not asked again\n", json::printable(given.name),
                       json::printable(record.maps[alike->second].map));
            of.answers = record.maps[alike->second].answers;
        } else {
            const AskPlan plan{.as = as, .batch = options.batch, .known = kept.of(run, servedBy, questions.size())};
            const auto keep = [&](std::size_t question, const QuestionAnswer &answer) {
                kept.take(run, servedBy, questions.size(), question, answer);
            };
            auto answers = jobs::ask(by, {given.name, run}, questions, plan, keep);
            if (!answers || answers->size() < questions.size())
                ZIGZAG_CHECK(kept.save());
            if (!answers)
                return tl::unexpected(std::move(answers.error()));
            of.answers = std::move(*answers);
            if (isOwn)
                asked.emplace_back(run, record.maps.size());
        }
        const std::size_t answered = of.answers.size();
        record.maps.push_back(std::move(of));
        if (!options.out.empty())
            ZIGZAG_CHECK(writeAnswersFile(options.out, record));
        if (answered == questions.size())
            return {};
        return cancelled(fmt::format("stopped at {}: what is printed is of the {} of {} questions that every map answered",
                                     given.name, record.answered(), questions.size()));
    };
    const NamedMap full{"full attention", jobs::fullLike(maps.front().map)};
    Result<void> done = ask(context, full, full.map, {});
    for (const NamedMap &map : maps) {
        if (!done)
            break;
        auto run = asEngine(loaded, model, map.map, engine);
        done = run ? ask(run->loaded.job(lines), map, run->map, engine.engine) : tl::unexpected(run.error());
    }
    lines.end();
    if (done)
        kept.removeFile();
    if (record.maps.empty())
        return done;
    noteCut(record);
    const std::vector<AnswersRow> rows = summaryOf(record);
    if (format == "json")
        fmt::print("{}\n", jsonOf(record, rows).dump(1, ' ', false, anyBytes));
    else
        fmt::print("{}", format == "csv" ? csvOf(record, rows) : tableOf(record, rows));
    if (options.broken > 0 && format == "table")
        fmt::print("{}", brokenText(record, options.broken));
    return done;
}

} // namespace zigzag
