// SPDX-License-Identifier: GPL-3.0-or-later
// Servers of our own, which run one map or another, and servers that answer with something else.
#include "profiler/check/server_check.h"

#include "profiler/carry/sink_carrier.h"
#include "profiler/serve/http_server.h"
#include "tests/profiler/loaded_model.h"

#include <atomic>
#include <gtest/gtest.h>
#include <httplib.h>
#include <memory>
#include <string>
#include <thread>

namespace zigzag::check {
namespace {

constexpr int window = 20; // 4 sinks and 16 behind

ClientOptions impatient()
{
    ClientOptions options;
    options.silenceSeconds = 10;
    return options;
}

class ServerCheck : public test::LoadedModel
{
protected:
    HeadMap asked() const
    {
        HeadMap map = this->map(HeadKind::Streaming);
        map.setLayer(0, HeadKind::Retrieval);
        return map;
    }
    HeadMap full() const { return map(HeadKind::Retrieval); }

    std::vector<Hypothesis> ways() const
    {
        return {{"the map", device, asked()}, {"windows alone", device, withoutSinks(asked())}, {"full", device, full()}};
    }

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
    void TearDown() override
    {
        if (m_scheduler)
            m_scheduler->stop();
        m_server.reset();
    }

    CompletionClient client() const { return {{"127.0.0.1", m_server->port(), ""}, {}}; }

    Answers answersOf(const HeadMap &map)
    {
        serve(map);
        CompletionClient asked = client();
        const auto answers = compareAnswers(asked, "tiny", *model, ways(), {.prompts = 3, .tokens = 8, .context = 90});
        EXPECT_TRUE(answers) << answers.error().message;
        return answers ? *answers : Answers{};
    }

private:
    std::unique_ptr<serve::BatchScheduler> m_scheduler;
    std::unique_ptr<serve::HttpServer> m_server;
};

TEST_F(ServerCheck, TheMapThatIsServedIsRecognised)
{
    const Answers answers = answersOf(asked());
    EXPECT_EQ(answers.finding, Finding::Found);
    EXPECT_EQ(answers.nearest, 0u);
    EXPECT_EQ(answers.tokens, 24);
    EXPECT_EQ(answers.likenesses[0].equal, 24);
    EXPECT_LT(answers.likenesses[0].largestDifference, 1e-4);
    EXPECT_GT(answers.context, window);
    EXPECT_GT(answers.likenesses[2].meanDifference, 100 * answers.likenesses[0].meanDifference);
}

TEST_F(ServerCheck, AServerWithoutTheMapIsRecognised)
{
    const Answers answers = answersOf(full());
    EXPECT_EQ(answers.finding, Finding::Found);
    EXPECT_EQ(answers.nearest, 2u);
}

TEST_F(ServerCheck, AServerThatDropsTheSinksIsRecognised)
{
    const Answers answers = answersOf(withoutSinks(asked()));
    EXPECT_EQ(answers.finding, Finding::Found);
    EXPECT_EQ(answers.nearest, 1u);
}

TEST_F(ServerCheck, AnotherMapIsNoneOfThem)
{
    HeadMap other(model->shape(), HeadKind::Streaming, 1, 5);
    const Answers answers = answersOf(other);
    EXPECT_NE(answers.finding, Finding::Found);
}

TEST_F(ServerCheck, PromptsWithinTheWindowTellNothing)
{
    serve(asked());
    CompletionClient asking = client();
    const auto answers = compareAnswers(asking, "tiny", *model, ways(), {.prompts = 1, .tokens = 4, .context = 90, .window = 90});
    ASSERT_FALSE(answers);
    EXPECT_NE(answers.error().message.find("not longer than the map's window of 90"), std::string::npos);
}

TEST_F(ServerCheck, ModelsAreNamed)
{
    serve(asked());
    const auto models = client().models();
    ASSERT_TRUE(models) << models.error().message;
    EXPECT_EQ(*models, std::vector<std::string>{"tiny"});
}

Answers judged(std::vector<std::vector<double>> ways, const std::vector<double> &served)
{
    Answers answers;
    for (auto &way : ways) {
        Likeness likeness;
        for (std::size_t i = 0; i < served.size(); ++i)
            likeness.meanDifference += std::abs(way[i] - served[i]) / static_cast<double>(served.size());
        likeness.logprobs = std::move(way);
        answers.likenesses.push_back(std::move(likeness));
    }
    judge(answers);
    return answers;
}

TEST(JudgeServer, TheNearestWayCountsWhereItIsMuchNearer)
{
    const std::vector<double> map = {-1, -2}, full = {-1.3, -2.3};
    EXPECT_EQ(judged({map, full}, {-1.05, -2.05}).finding, Finding::Found);
    EXPECT_EQ(judged({map, full}, {-1.15, -2.12}).finding, Finding::Undecided);
    EXPECT_EQ(judged({map, full}, {-4, -5}).finding, Finding::None);
    EXPECT_EQ(judged({map, map}, map).finding, Finding::Undecided) << "nothing to tell apart";
    EXPECT_EQ(judged({map, map, full}, map).nearest, 0u);
    EXPECT_EQ(judged({map, map, full}, map).finding, Finding::Found) << "ways that are the same count as one";
}

/// A server of other people's, which answers everything with one text.
class OddServer : public testing::Test
{
protected:
    void answer(int status, const std::string &body)
    {
        const auto give = [status, body](const httplib::Request &, httplib::Response &response) {
            response.status = status;
            response.set_content(body, "application/json");
        };
        m_server.Get(".*", give);
        m_server.Post(".*", give);
        m_port = m_server.bind_to_any_port("127.0.0.1");
        m_thread = std::thread([this] { m_server.listen_after_bind(); });
        while (!m_server.is_running())
            std::this_thread::yield();
    }
    void TearDown() override
    {
        m_server.stop();
        if (m_thread.joinable())
            m_thread.join();
    }
    std::string errorOf() const
    {
        const auto served = complete();
        return served ? std::string() : served.error().message;
    }
    Result<ServedTokens> complete() const
    {
        CompletionClient client({"127.0.0.1", m_port, ""}, impatient());
        return client.complete("m", prompt, 2, TokenNames(nullptr, 100));
    }
    Result<StreamTimes> stream() const
    {
        const CompletionClient client({"127.0.0.1", m_port, ""}, impatient());
        return client.stream("m", prompt, 3);
    }

    const Prompt prompt = {{1, 2, 3}, {}};

private:
    httplib::Server m_server;
    std::thread m_thread;
    int m_port = 0;
};

TEST_F(OddServer, WhatIsNoAnswerIsOneClearLine)
{
    answer(200, "<html>a web page</html>");
    EXPECT_NE(errorOf().find("127.0.0.1"), std::string::npos) << errorOf();
    EXPECT_EQ(errorOf().find('\n'), std::string::npos);
}

TEST_F(OddServer, ItsOwnErrorIsShown)
{
    answer(404, R"({"error": {"message": "The model `m` does not exist."}})");
    EXPECT_NE(errorOf().find("404: The model `m` does not exist."), std::string::npos) << errorOf();
}

TEST_F(OddServer, AnAnswerWithoutLogprobsSaysSo)
{
    answer(200, R"({"choices": [{"text": " a", "logprobs": null}]})");
    EXPECT_NE(errorOf().find("log-probabilities"), std::string::npos) << errorOf();
}

TEST_F(OddServer, AHugeAnswerIsCutOff)
{
    answer(200, std::string(40 << 20, ' '));
    EXPECT_NE(errorOf().find("more than 32 MiB"), std::string::npos) << errorOf();
}

TEST_F(OddServer, MoreTokensThanWereAskedForAreRefused)
{
    answer(200, R"({"choices": [{"token_ids": [1, 2, 3], "logprobs": {"token_logprobs": [-1, -1, -1]}}]})");
    EXPECT_NE(errorOf().find("gave 3 tokens where 2 were asked for"), std::string::npos) << errorOf();
}

TEST_F(OddServer, AnErrorWithinAStreamIsShown)
{
    answer(200, "data: {\"choices\": [{\"text\": \"a\"}]}\n\ndata: {\"error\": {\"message\": \"out of memory\"}}\n\n");
    const auto times = stream();
    ASSERT_FALSE(times);
    EXPECT_NE(times.error().message.find("out of memory"), std::string::npos) << times.error().message;
}

TEST_F(OddServer, IdsAreReadInEachOfTheirForms)
{
    answer(200, R"({"choices": [{"logprobs": {"tokens": ["token_id:7", "token_id:9"], "token_logprobs": [-0.5, -1]}}]})");
    const auto served = complete();
    ASSERT_TRUE(served) << served.error().message;
    EXPECT_EQ(served->tokens, (std::vector<int>{7, 9}));
    EXPECT_EQ(served->logprobs, (std::vector<double>{-0.5, -1}));
}

TEST_F(OddServer, AStreamsPiecesAndTokensAreCounted)
{
    answer(200,
           "data: {\"choices\": [{\"text\": \"a\"}]}\n\ndata: {\"choices\": [{\"text\": \"b c\"}]}\n\n"
           "data: {\"choices\": [], \"usage\": {\"completion_tokens\": 3}}\n\ndata: [DONE]\n\n");
    const auto times = stream();
    ASSERT_TRUE(times) << times.error().message;
    EXPECT_EQ(times->pieces, 2);
    EXPECT_EQ(times->tokens, 3);
    EXPECT_GT(times->firstMs, 0);
    EXPECT_GE(times->laterMs, 0);
}

TEST_F(OddServer, AStreamOfOnePieceTellsNothing)
{
    answer(200, "data: {\"choices\": [{\"text\": \"a\"}]}\n\ndata: [DONE]\n\n");
    const auto times = stream();
    ASSERT_FALSE(times);
    EXPECT_NE(times.error().message.find("in 1 pieces"), std::string::npos) << times.error().message;
}

TEST(ServedTokensReply, OtherFormsAndSpoiledOnes)
{
    const TokenNames names(nullptr, 100);
    const auto content
        = parseServedTokens(R"({"choices": [{"logprobs": {"content": [{"id": 3, "token": "x", "logprob": -2}]}}]})", names, "s");
    ASSERT_TRUE(content) << content.error().message;
    EXPECT_EQ(content->tokens, std::vector<int>{3});
    const auto ids = parseServedTokens(
        R"({"choices": [{"token_ids": [4], "logprobs": {"tokens": ["?"], "token_logprobs": [-1]}}]})", names, "s");
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(ids->tokens, std::vector<int>{4});
    for (const char *spoiled :
         {"", "[]", "{}", R"({"choices": []})", R"({"choices": [{}, {}]})", R"({"choices": [{"logprobs": {"tokens": ["a"]}}]})",
          R"({"choices": [{"token_ids": [100], "logprobs": {"token_logprobs": [-1]}}]})",
          R"({"choices": [{"token_ids": [1, 2], "logprobs": {"token_logprobs": [-1]}}]})",
          R"({"choices": [{"logprobs": {"tokens": ["word"], "token_logprobs": [-1]}}]})",
          R"({"choices": [{"logprobs": {"tokens": ["token_id:1x"], "token_logprobs": [-1]}}]})",
          R"({"choices": [{"token_ids": [1], "logprobs": {"token_logprobs": [1e400]}}]})",
          R"({"choices": [{"token_ids": [1], "logprobs": {"token_logprobs": ["high"]}}]})"}) {
        const auto served = parseServedTokens(spoiled, names, "the server");
        ASSERT_FALSE(served) << spoiled;
        EXPECT_EQ(served.error().message.rfind("the server", 0), 0u) << served.error().message;
        EXPECT_EQ(served.error().message.find('\n'), std::string::npos);
    }
}

TEST(ServerAddress, IsTakenApartOrRefused)
{
    const auto plain = parseServerAddress("http://localhost:8000/v1/");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(plain->text(), "http://localhost:8000");
    const auto prefixed = parseServerAddress("http://[::1]:80/proxy/v1");
    ASSERT_TRUE(prefixed) << prefixed.error().message;
    EXPECT_EQ(prefixed->text(), "http://[::1]:80/proxy");
    for (const char *wrong : {"", "localhost:8000", "https://localhost", "http://", "http://:80", "http://h:0", "http://h:99999",
                              "http://h:8x", "http://[::1", "http://a b", "http://user@h"})
        EXPECT_FALSE(parseServerAddress(wrong)) << wrong;
}

TEST(CompletionClient, AServerThatIsNotThereIsNamed)
{
    const CompletionClient client({"127.0.0.1", 1, ""}, impatient());
    const auto models = client.models();
    ASSERT_FALSE(models);
    EXPECT_NE(models.error().message.find("http://127.0.0.1:1"), std::string::npos);
    EXPECT_NE(models.error().message.find("is the server up"), std::string::npos);
}

} // namespace
} // namespace zigzag::check
