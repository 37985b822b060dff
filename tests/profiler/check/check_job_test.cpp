// SPDX-License-Identifier: GPL-3.0-or-later
// Servers that say nothing, servers that take text alone, and what the whole check makes of a server.
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/check_job.h"
#include "profiler/serve/http_server.h"
#include "tests/profiler/check/silent_server.h"
#include "tests/profiler/loaded_model.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <httplib.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

namespace zigzag::jobs {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin)
{
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

class CheckJob : public test::LoadedModel
{
protected:
    HeadMap asked() const
    {
        HeadMap map = this->map(HeadKind::Streaming);
        map.setLayer(0, HeadKind::Retrieval);
        return map;
    }
    CheckPlan planFor(int port) const
    {
        CheckPlan plan;
        plan.server = {"127.0.0.1", port, ""};
        plan.map = {"map.json", asked()};
        plan.answers = {.prompts = 2, .tokens = 8, .context = 90};
        return plan;
    }
    JobContext context() { return {device, &m_machine, &m_cancel, {}}; }

    void serve(const HeadMap &map)
    {
        auto created = serve::BatchScheduler::create(device, map, {.batch = 2, .context = 120});
        ASSERT_TRUE(created) << created.error().message;
        m_scheduler = std::move(*created);
        serve::ServerOptions options;
        options.port = 0;
        options.name = "tiny";
        auto started = serve::HttpServer::start(model, *m_scheduler, options);
        ASSERT_TRUE(started) << started.error().message;
        m_server = std::move(*started);
    }
    int port() const { return m_server->port(); }
    void TearDown() override
    {
        if (m_scheduler)
            m_scheduler->stop();
        m_server.reset();
    }

    std::atomic<bool> m_cancel{false};

private:
    KnownMachine m_machine;
    std::unique_ptr<serve::BatchScheduler> m_scheduler;
    std::unique_ptr<serve::HttpServer> m_server;
};

TEST_F(CheckJob, ASilentServerHoldsNobodyWhoCancels)
{
    const test::SilentServer silent;
    std::thread person([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        m_cancel = true;
    });
    const auto begin = Clock::now();
    const auto checked = checkServer(context(), planFor(silent.port()));
    const double seconds = secondsSince(begin);
    person.join();
    ASSERT_FALSE(checked);
    EXPECT_TRUE(isCancelled(checked.error())) << checked.error().message;
    EXPECT_GE(seconds, 0.3);
    EXPECT_LT(seconds, 1.3) << "a second after the cancel";
}

TEST_F(CheckJob, ASilentServerIsLeftWhenTheTimeIsUp)
{
    const test::SilentServer silent;
    CheckPlan plan = planFor(silent.port());
    plan.time = JobTime(0.4);
    const auto begin = Clock::now();
    const auto name = nameAtServer(plan, &m_cancel);
    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().kind, ErrorKind::Failed);
    EXPECT_NE(name.error().message.find("not done in the time that it was given"), std::string::npos) << name.error().message;
    EXPECT_EQ(name.error().message.find('\n'), std::string::npos);
    plan.servedName = "m"; // it is silent about answers as well
    plan.time = JobTime(0.4);
    const auto checked = checkServer(context(), plan);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message, name.error().message);
    EXPECT_LT(secondsSince(begin), 2.5);
}

TEST_F(CheckJob, SilenceHasALimitOfItsOwn)
{
    const test::SilentServer silent;
    CheckPlan plan = planFor(silent.port());
    plan.silenceSeconds = 1;
    const auto name = nameAtServer(plan, nullptr);
    ASSERT_FALSE(name);
    EXPECT_NE(name.error().message.find("said nothing for 1 s"), std::string::npos) << name.error().message;
}

TEST_F(CheckJob, OurOwnWorkHearsTheTimeToo)
{
    serve(asked());
    CheckPlan plan = planFor(port());
    plan.answers.prompts = 1000;
    plan.time = JobTime(0.3);
    const auto checked = checkServer(context(), plan);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("not done in the time"), std::string::npos) << checked.error().message;
}

TEST_F(CheckJob, WhatIsMeantStandsFirstAndTheMapItselfOnce)
{
    serve(withoutSinks(asked()));
    CheckPlan plan = planFor(port());
    plan.meant = {"the map, as vllm runs it", device, withoutSinks(asked())};
    const auto checked = checkServer(context(), plan);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->ways, (std::vector<std::string>{"the map, as vllm runs it", "the map, sinks kept", "full attention"}));
    EXPECT_TRUE(checked->isApplied());
    plan.meant.reset();
    const auto kept = checkServer(context(), plan);
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_FALSE(kept->isApplied());
    EXPECT_EQ(kept->says(), "the server does not run the map, sinks kept: it runs its windows alone");
}

TEST_F(CheckJob, AMapThatLeavesNothingOutIsRefused)
{
    serve(asked());
    CheckPlan plan = planFor(port());
    plan.map = {"full", map(HeadKind::Retrieval)};
    const auto checked = checkServer(context(), plan);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("lets no head stream"), std::string::npos) << checked.error().message;
}

/// Stands before a server of ours and refuses prompts that are not text, as servers do that know no token ids.
class TextAlone : public CheckJob
{
protected:
    void stand(int behind, int promptTokensMore = 0)
    {
        m_front.Post("/v1/completions",
                     [this, behind, promptTokensMore](const httplib::Request &request, httplib::Response &response) {
                         const auto body = nlohmann::json::parse(request.body);
                         if (!body.at("prompt").is_string()) {
                             response.status = 422;
                             return response.set_content(R"({"detail": "prompt must be a string"})", "application/json");
                         }
                         if (body.value("stream", false)) { // what it says does not matter, only when
                             std::string events;
                             for (int piece = 0; piece < m_pieces; ++piece)
                                 events += "data: {\"choices\": [{\"text\": \"a\"}]}\n\n";
                             return response.set_content(events + "data: [DONE]\n\n", "text/event-stream");
                         }
                         httplib::Client client("127.0.0.1", behind);
                         const auto answer = client.Post("/v1/completions", request.body, "application/json");
                         auto reply = nlohmann::json::parse(answer->body);
                         reply["usage"]["prompt_tokens"] = reply["usage"]["prompt_tokens"].get<int>() + promptTokensMore;
                         response.status = answer->status;
                         response.set_content(reply.dump(), "application/json");
                     });
        m_port = m_front.bind_to_any_port("127.0.0.1");
        m_thread = std::thread([this] { m_front.listen_after_bind(); });
        while (!m_front.is_running())
            std::this_thread::yield();
    }
    void TearDown() override
    {
        m_front.stop();
        if (m_thread.joinable())
            m_thread.join();
        CheckJob::TearDown();
    }
    CheckPlan plan() const
    {
        CheckPlan plan = planFor(m_port);
        plan.servedName = "tiny";
        return plan;
    }

    int m_pieces = 5; ///< of a stream

private:
    httplib::Server m_front;
    std::thread m_thread;
    int m_port = 0;
};

TEST_F(TextAlone, IsAskedInText)
{
    serve(asked());
    stand(port());
    const auto checked = checkServer(context(), plan());
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_TRUE(checked->isApplied()) << checked->says();
    EXPECT_TRUE(checked->answers.inText);
    EXPECT_EQ(checked->answers.likenesses[0].equal, checked->answers.tokens);
    EXPECT_LT(checked->answers.likenesses[0].largestDifference, 1e-4);
}

TEST_F(TextAlone, WhatWasFoundHasItsTimesAsARun)
{
    serve(asked());
    stand(port());
    CheckPlan plan = this->plan();
    plan.times.contexts = {80, 90};
    plan.times.repeats = 2;
    std::string subjects;
    JobContext telling = context();
    telling.progress = [&](const JobStep &step) {
        if (step.part == JobPart::Check && step.fraction == 0)
            subjects += std::string(step.subject) + ' ';
    };
    const auto checked = checkServer(telling, plan);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_TRUE(checked->isApplied());
    EXPECT_EQ(checked->says(), "the server runs the map, sinks kept");
    EXPECT_EQ(checked->served, "tiny");
    EXPECT_EQ(checked->ways, (std::vector<std::string>{"the map, sinks kept", "its windows alone", "full attention"}));
    EXPECT_EQ(checked->answers.likenesses.size(), 3u);
    EXPECT_TRUE(checked->whyNoTimes.empty()) << checked->whyNoTimes;
    EXPECT_EQ(subjects, "answers times ");
    ASSERT_EQ(checked->times.size(), 2u);
    EXPECT_FALSE(checked->times[0].first) << "nothing to predict from";
    ASSERT_EQ(checked->records.size(), 4u);
    EXPECT_EQ(checked->records[0].map, "map.json");
    EXPECT_EQ(checked->records[0].phase, Phase::Prefill);
    EXPECT_EQ(checked->records[3].phase, Phase::Decode);
    EXPECT_EQ(checked->records[3].samplesMs.size(), 2u);
    EXPECT_EQ(checked->records[3].context, checked->times[1].served.context);
    EXPECT_NE(checked->machine.device.find("tiny"), std::string::npos);
}

TEST_F(TextAlone, TimesThatCannotBeTakenLeaveWhatWasFound)
{
    serve(asked());
    m_pieces = 1;
    stand(port());
    CheckPlan plan = this->plan();
    plan.times.contexts = {90};
    const auto checked = checkServer(context(), plan);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_TRUE(checked->isApplied()) << checked->says();
    EXPECT_NE(checked->whyNoTimes.find("in 1 pieces"), std::string::npos) << checked->whyNoTimes;
    EXPECT_TRUE(checked->records.empty());
}

TEST_F(TextAlone, ThatReadsOtherTokensIsRefused)
{
    serve(asked());
    stand(port(), 1);
    const auto checked = checkServer(context(), plan());
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("where the model's tokenizer has"), std::string::npos) << checked.error().message;
}

} // namespace
} // namespace zigzag::jobs
