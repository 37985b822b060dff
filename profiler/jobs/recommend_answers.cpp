// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_answers.h"

#include "profiler/carry/sink_carrier.h"
#include "profiler/evaluate/ask_questions.h"
#include "profiler/jobs/recommend_judge.h"
#include "profiler/jobs/served_job.h"

#include <algorithm>

namespace zigzag::jobs {

Result<AskedJudge> AskedJudge::create(RecommendRun &run, StageClock &clock)
{
    AskedJudge judge(run, clock);
    judge.m_questions = halfOf(*run.request.questions, true);
    judge.m_questions.resize(std::min(judge.m_questions.size(), static_cast<std::size_t>(run.state.plan.judgePrompts)));
    AnswersRecord &record = judge.m_record;
    record.model = run.job.model().shape().name;
    record.fingerprint = run.job.model().shape().fingerprint;
    record.machine = run.job.machine();
    record.asked = "the judging half of the questions";
    record.questionsHash = hashOf(judge.m_questions);
    record.as = run.request.as;
    record.questions = keptOf(judge.m_questions);
    std::error_code ignored;
    const std::filesystem::path file = answersFile(run.request);
    if (file.empty() || run.request.begin == Begin::Anew || !std::filesystem::exists(file, ignored))
        return judge;
    if (auto before = readAnswersFile(file); before && before->questionsHash == record.questionsHash
        && before->fingerprint == record.fingerprint && before->as == record.as)
        record.maps = std::move(before->maps);
    return judge;
}

Result<std::size_t> AskedJudge::answersOf(const std::string &name, const TriedMap *map, const Carried *standIns)
{
    auto &maps = m_record.maps;
    const auto found = std::find_if(maps.begin(), maps.end(), [&](const AnswersOfMap &each) { return each.map == name; });
    if (found != maps.end() && found->answers.size() == m_questions.size())
        return static_cast<std::size_t>(found - maps.begin());
    if (found != maps.end())
        maps.erase(found); // stopped in its middle
    const HeadMap full(m_run->job.model().shape(), HeadKind::Retrieval, 0, 1);
    ServedRun run{m_clock->context(), full};
    if (standIns) {
        ZIGZAG_TRY(served, servedRun(m_clock->context(), map->map, standIns->carrier));
        run = std::move(served);
    } else if (map) {
        run.map = m_run->ways[map->way].served(map->map);
    }
    run.context.tell({.part = JobPart::Questions, .subject = name});
    ZIGZAG_TRY(answers,
               askQuestions(run.context.device, run.context.textModel(), run.map, m_questions,
                            {.as = m_run->request.as, .longest = m_run->state.plan.promptTokens}, run.context.cancel,
                            run.context.counted(JobPart::Questions, name)));
    AnswersOfMap &of = maps.emplace_back();
    of.map = name;
    if (map) {
        of.sparsity = map->map.sparsity();
        const StreamingWindow window = streamingWindowOf(map->map);
        of.sink = window.sink;
        of.recent = window.recent;
        of.engine = m_run->ways[map->way].servedBy().engine;
    }
    of.answers = std::move(answers);
    if (const auto file = answersFile(m_run->request); !file.empty())
        ZIGZAG_CHECK(writeAnswersFile(file, m_record));
    if (m_clock->isCancelled())
        return cancelled();
    return maps.size() - 1;
}

Result<std::pair<std::vector<double>, std::vector<double>>> AskedJudge::operator()(const TriedMap &map, const Carried *standIns)
{
    ZIGZAG_TRY(full, answersOf("full attention", nullptr, nullptr));
    ZIGZAG_TRY(mine, answersOf(nameOf(*m_run, map), &map, standIns));
    const std::vector<QuestionAnswer> &ofFull = m_record.maps[full].answers, &ofMap = m_record.maps[mine].answers;
    std::pair<std::vector<double>, std::vector<double>> scores;
    for (std::size_t i = 0; i < std::min(ofFull.size(), ofMap.size()); ++i) {
        scores.first.push_back(ofFull[i].score);
        scores.second.push_back(ofMap[i].score);
    }
    return scores;
}

} // namespace zigzag::jobs
