// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/eval_questions.h"

#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "engine/base/json_input.h"
#include "profiler/evaluate/answers_summary.h"
#include "profiler/jobs/evaluate_job.h"
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

AnswersOfMap answersUnder(const NamedMap &map, const std::string &engine)
{
    AnswersOfMap answers;
    answers.map = map.name;
    answers.sparsity = map.map.sparsity();
    const StreamingWindow window = streamingWindowOf(map.map);
    answers.sink = window.sink;
    answers.recent = window.recent;
    answers.engine = engine;
    return answers;
}

std::string nameOf(const AnswersRow &row)
{
    return row.task.empty() ? "all" : row.task;
}

std::string tableOf(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    std::string text;
    for (std::size_t map = 1; map < record.maps.size(); ++map) {
        const AnswersOfMap &of = record.maps[map];
        text += fmt::format(
            "{}{}: {:.0f} % of KV heads stream, {} sinks, window {}\n{:<24} {:>8} {:>5} {:>8} {:>8}  {:<26} {:>6} {:>6}\n",
            json::printable(of.map), of.engine.empty() ? "" : " as " + of.engine + " runs it", 100 * of.sparsity, of.sink,
            of.recent, "task", "tokens", "n", "full", "map", "difference (95 %)", "worse", "better");
        for (const AnswersRow &row : rows)
            if (row.map == map)
                text += fmt::format("{:<24} {:>8} {:>5} {:>6.1f} % {:>6.1f} %  {:<26} {:>6} {:>6}\n",
                                    json::printable(nameOf(row)), row.context > 0 ? fmt::format("{}", row.context) : "-",
                                    row.test.count, 100 * row.full, 100 * row.mean,
                                    fmt::format("{:+.1f} ({:+.1f} to {:+.1f})", 100 * row.test.difference, 100 * row.test.low,
                                                100 * row.test.high),
                                    row.test.worse, row.test.better);
        const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const AnswersRow &row) { return row.map == map; });
        if (last != rows.rend())
            text += fmt::format("{}: {}\n", nameOf(*last), pairedText(last->test));
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
                            of.sparsity, csvField(nameOf(row)), row.context, row.test.count, row.full, row.mean,
                            row.test.difference, row.test.low, row.test.high, row.test.worse, row.test.better, row.test.p,
                            row.test.detectable);
    }
    return text;
}

nlohmann::ordered_json jsonOf(const AnswersRecord &record, const std::vector<AnswersRow> &rows)
{
    nlohmann::ordered_json json = answersJson(record);
    json["summary"] = nlohmann::ordered_json::array();
    for (const AnswersRow &row : rows)
        json["summary"].push_back({{"map", record.maps[row.map].map},
                                   {"task", nameOf(row)},
                                   {"context", row.context},
                                   {"questions", row.test.count},
                                   {"full", row.full},
                                   {"score", row.mean},
                                   {"difference", row.test.difference},
                                   {"low", row.test.low},
                                   {"high", row.test.high},
                                   {"worse", row.test.worse},
                                   {"better", row.test.better},
                                   {"p", row.test.p},
                                   {"test", row.test.isExact ? "mcnemar" : "bootstrap"},
                                   {"detectable", row.test.detectable},
                                   {"says", pairedText(row.test)}});
    return json;
}

constexpr std::size_t longestSaid = 240; ///< bytes of a question, an answer or its reference that are printed

std::string brokenText(const AnswersRecord &record, int most)
{
    std::string text;
    for (std::size_t map = 1; map < record.maps.size(); ++map) {
        const std::vector<std::size_t> broken = brokenBy(record, map);
        text += fmt::format("\n{}: {} of {} questions were answered worse than under full attention\n",
                            json::printable(record.maps[map].map), broken.size(), record.answered());
        for (std::size_t i = 0; i < std::min(broken.size(), static_cast<std::size_t>(most)); ++i) {
            const AskedQuestion &question = record.questions[broken[i]];
            const QuestionAnswer &full = record.maps.front().answers[broken[i]], &mine = record.maps[map].answers[broken[i]];
            const auto said = [](const std::string &words) { return json::printable(words, longestSaid); };
            const std::string_view end = question.end;
            text += fmt::format("{} {}, {} tokens: …{}\n  right: {}\n  full attention ({:.2f}): {}\n  this map ({:.2f}): {}\n",
                                json::printable(question.task), json::printable(question.id), mine.promptTokens,
                                said(std::string(end.substr(end.size() - std::min(end.size(), longestSaid)))),
                                said(fmt::format("{}", fmt::join(question.references, " | "))), full.score, said(full.text),
                                mine.score, said(mine.text));
        }
    }
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
    command.add_option("--as", options.as, "ruler, questions: how a chat model is asked")
        ->check(CLI::IsMember({"auto", "chat", "text"}))
        ->capture_default_str();
    command.add_option("--limit", options.limit, "ruler, questions: the first so many of each task and length (0: all)")
        ->check(integerIn(0, 1 << 20))
        ->capture_default_str();
    command.add_option("--show-broken", options.broken, "ruler, questions: print so many questions that the map broke")
        ->check(integerIn(0, 1 << 20))
        ->capture_default_str();
    command.add_option("--out", options.out, "ruler, questions: file for every question and answer");
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
    // Named as it was given, whatever an engine makes of it. What was answered is kept at once: the next map may take hours.
    const auto ask
        = [&](const JobContext &asked, const NamedMap &given, const HeadMap &run, const std::string &servedBy) -> Result<void> {
        ZIGZAG_TRY(answers, jobs::ask(asked, {given.name, run}, questions, as));
        AnswersOfMap &of = record.maps.emplace_back(answersUnder(given, servedBy));
        of.answers = std::move(answers);
        if (!options.out.empty())
            ZIGZAG_CHECK(writeAnswersFile(options.out, record));
        if (of.answers.size() == questions.size())
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
