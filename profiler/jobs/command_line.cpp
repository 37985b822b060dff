// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/command_line.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag::jobs {

namespace {

bool isPlain(char letter)
{
    return std::isalnum(static_cast<unsigned char>(letter)) != 0
        || std::string_view("_-./:,=+@%").find(letter) != std::string_view::npos;
}

/// The words of a command, joined for a shell as they come.
class Line
{
public:
    explicit Line(std::string_view command)
        : m_text(fmt::format("zigzag {}", command))
    { }

    /// An argument by its place; a name that begins with a dash would be an option.
    Line &place(const std::string &word)
    {
        m_text += ' ' + shellWord(word.starts_with('-') ? "./" + word : word);
        return *this;
    }
    template <class T> Line &option(std::string_view name, const T &value)
    {
        const std::string word = fmt::format("{}", value);
        m_text += fmt::format(" {}{}{}", name, word.starts_with('-') ? '=' : ' ', shellWord(word));
        return *this;
    }
    template <class T> Line &list(std::string_view name, const std::vector<T> &values)
    {
        return values.empty() ? *this : option(name, fmt::format("{}", fmt::join(values, ",")));
    }
    Line &flag(std::string_view name)
    {
        m_text += fmt::format(" {}", name);
        return *this;
    }
    /// As a shell is to read it, unquoted.
    Line &raw(std::string_view text) { return flag(text); }
    Line &engine(const std::string &name) { return name.empty() ? *this : option("--as-engine", name); }
    Line &kvType(const LineModel &model) { return model.kvType ? option("--kv-type", nameOf(*model.kvType)) : *this; }
    Line &maps(std::span<const std::string> names)
    {
        for (const std::string &name : names)
            option("--map", name);
        return *this;
    }
    std::string text() const { return m_text; }

private:
    std::string m_text;
};

std::vector<std::string_view> namesOf(const std::vector<Phase> &phases)
{
    std::vector<std::string_view> names;
    names.reserve(phases.size());
    for (const Phase phase : phases)
        names.push_back(nameOf(phase));
    return names;
}

template <class Plan> void addQuestions(Line &line, const Plan &plan)
{
    line.list("--contexts", plan.contexts).list("--depths", plan.depths).option("--trials", plan.trials);
    line.option("--seed", plan.seed);
}

void addTasks(Line &line, const TaskPlan &tasks)
{
    std::vector<std::string_view> kinds;
    for (const TaskKind kind : tasks.kinds)
        kinds.push_back(nameOf(kind));
    line.list("--tasks", kinds).option("--needles", tasks.needles);
    addQuestions(line, tasks);
}

} // namespace

std::string shellWord(std::string_view word)
{
    if (!word.empty() && std::all_of(word.begin(), word.end(), isPlain))
        return std::string(word);
    std::string quoted = "'";
    for (const char letter : word) {
        if (letter == '\'')
            quoted += "'\\''";
        else
            quoted += letter;
    }
    return quoted + '\'';
}

std::string benchLine(const LineModel &model, std::span<const std::string> maps, const BenchPlan &plan)
{
    Line line("bench");
    line.place(model.name).maps(maps).list("--contexts", plan.contexts).list("--phase", namesOf(plan.phases));
    line.list("--batch", plan.batches).option("--repeats", plan.repeats).option("--warmup", plan.warmup);
    if (plan.spreadBound > 0)
        line.option("--spread", plan.spreadBound);
    if (plan.budgetSeconds > 0)
        line.option("--budget", plan.budgetSeconds);
    return line.option("--patience", plan.patienceSeconds).option("--seed", plan.seed).kvType(model).text();
}

std::string needleLine(const LineModel &model, const std::string &map, const NeedlePlan &plan, const std::string &engine)
{
    Line line("eval");
    line.place(model.name).option("--map", map).option("--task", "needle").engine(engine);
    addQuestions(line, plan);
    return line.kvType(model).text();
}

std::string scoreLine(const LineModel &model, const AttentionScorePlan &plan, const std::string &out)
{
    Line line("score");
    line.place(model.name).option("--method", "attention");
    addQuestions(line, plan);
    line.option("--copied-needles", plan.needles).option("--fold", plan.fold == Fold::Mean ? "mean" : "max");
    return line.kvType(model).option("--out", out).text();
}

std::string searchLine(const LineModel &model, const SearchPlan &plan, const std::string &out)
{
    Line line("score");
    const bool isLogits = plan.method == SearchMethod::Logits;
    line.place(model.name).option("--method", isLogits ? std::string_view("attention") : nameOf(plan.method));
    if (isLogits) {
        line.option("--view", "logits").option("--sink", plan.window.sink).option("--recent", plan.window.recent);
        addTasks(line, plan.tasks);
        return line.kvType(model).option("--out", out).text();
    }
    if (plan.method == SearchMethod::Attention) {
        addQuestions(line, plan.tasks);
        line.option("--copied-needles", plan.copiedNeedles).option("--fold", plan.fold == Fold::Mean ? "mean" : "max");
        return line.kvType(model).option("--out", out).text();
    }
    line.option("--unit", nameOf(plan.unit)).option("--sink", plan.window.sink).option("--recent", plan.window.recent);
    const bool isGates = plan.method == SearchMethod::Gates;
    if (!isGates)
        line.option("--loss", nameOf(plan.loss));
    if (plan.count > 0)
        line.option("--count", plan.count);
    if (plan.untilSettled)
        line.flag("--until-settled");
    if (plan.method == SearchMethod::Greedy)
        line.option("--beam", plan.beam);
    if (isGates)
        line.option("--steps", plan.steps).option("--rate", plan.rate).option("--lambda", plan.lambda);
    addTasks(line, plan.tasks);
    return line.engine(plan.served.engine).kvType(model).option("--out", out).text();
}

std::string sweepLine(const LineModel &model, const std::string &scores, const std::string &criterion, StreamingWindow around,
                      const TaskPlan &tasks)
{
    Line line("pareto");
    line.place(model.name).option("--scores", scores).option("--criterion", criterion);
    line.option("--sink", around.sink).option("--recent", around.recent).flag("--around");
    addTasks(line, tasks);
    return line.kvType(model).text();
}

std::string traceLine(const LineModel &model, const std::string &map, const TracePlan &plan, const std::string &out)
{
    Line line("trace");
    line.place(model.name).option("--map", map).option("--context", plan.context).option("--phase", nameOf(plan.phase));
    line.option("--steps", plan.steps).option("--batch", plan.batch).option("--seed", plan.seed).kvType(model);
    if (!plan.replays)
        line.option("--launches", "single");
    return line.option("--format", "zigzag").option("--out", out).text();
}

std::string checkLine(const LineModel &model, const std::string &map, const CheckPlan &plan, const std::string &engine,
                      const std::string &standIns)
{
    Line line("check");
    line.option("--server", plan.server.text()).option("--model", model.name).option("--map", map).engine(engine);
    if (!standIns.empty())
        line.option("--stand-ins", standIns);
    if (!plan.servedName.empty())
        line.option("--served-name", plan.servedName);
    if (!plan.key.empty())
        line.raw("--key \"$SERVER_KEY\"");
    line.option("--prompts", plan.answers.prompts).option("--tokens", plan.answers.tokens);
    if (plan.answers.context > 0)
        line.option("--context", plan.answers.context);
    if (!plan.times.contexts.empty())
        line.list("--contexts", plan.times.contexts).option("--repeats", plan.times.repeats);
    return line.text();
}

std::string recommendLine(const LineModel &model, const RecommendRequest &request, std::span<const std::string> prompts,
                          const std::string &out)
{
    Line line("recommend");
    line.place(model.name).kvType(model).option("--engine", request.engine).option("--context", request.context);
    if (request.memory)
        line.option("--memory", *request.memory);
    if (request.tpotMs)
        line.option("--tpot", fmt::format("{}ms", *request.tpotMs));
    line.option("--time", fmt::format("{}s", request.seconds)).option("--quality", fmt::format("{:g}", 100 * request.kept));
    for (const std::string &file : prompts)
        line.option("--prompts", file);
    return line.option("--out", out).text();
}

std::string calibrateLine(const LineModel &model, std::int64_t longest, const std::string &out)
{
    return Line("calibrate").place(model.name).option("--context", longest).kvType(model).option("--out", out).text();
}

std::string predictLine(const LineModel &model, std::span<const std::string> maps, const PredictPlan &plan,
                        const std::filesystem::path &profile, const Link &link)
{
    Line line("predict");
    line.place(model.name).maps(maps).list("--contexts", plan.contexts).list("--phase", namesOf(plan.phases));
    line.list("--batch", plan.batches).option("--gpus", plan.gpus);
    if (plan.gpus > 1 && !link.isMeasured(plan.gpus)) // a profile says what was measured
        line.option("--link-gbps", link.bytesPerSecond / 1e9).option("--link-us", link.latencyUs);
    if (!profile.empty())
        line.option("--profile", profile.string());
    return line.kvType(model).text();
}

std::string exportLine(const std::string &map, std::string_view format, const std::string &model, const std::string &out,
                       const CarriedOptions &options)
{
    Line line("export");
    line.place(map).option("--format", format);
    if (!model.empty())
        line.option("--model", model);
    for (const std::filesystem::path &text : options.texts)
        line.option("--text", text.string());
    if (options.files == WeightFiles::Copy)
        line.flag("--copy");
    if (options.fits)
        line.flag("--fit");
    return line.option("--out", out).text();
}

} // namespace zigzag::jobs
