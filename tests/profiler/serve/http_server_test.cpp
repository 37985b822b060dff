// SPDX-License-Identifier: GPL-3.0-or-later
// The server from the outside: real requests over a socket of this machine, answers held against a session of our own.
#include "profiler/serve/http_server.h"

#include "engine/model/chat.h"
#include "engine/run/sampler.h"
#include "profiler/serve/completion_request.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

namespace zigzag::serve {
namespace {

using Json = nlohmann::json;

constexpr int context = 200;

class Server : public testing::Test
{
protected:
    void SetUp() override
    {
        test::writeTinyModel(m_folder.path());
        std::ofstream(m_folder.path() / "chat_template.jinja") << "{% for m in messages %}{{ '<' + m.role + '>' + m.content }}{% "
                                                                  "endfor %}{% if add_generation_prompt %}<a>{% endif %}";
        auto loaded = loadModel(m_folder.path().string());
        ASSERT_TRUE(loaded) << loaded.error().message;
        model = *loaded;
        auto backend = createBackend("cpu");
        ASSERT_TRUE(backend) << backend.error().message;
        auto uploaded = uploadModel(model, std::move(*backend));
        ASSERT_TRUE(uploaded) << uploaded.error().message;
        device = *uploaded;
        map.emplace(model->shape(), HeadKind::Retrieval, 4, 16);
        map->setLayer(1, HeadKind::Streaming);
    }

    void start(SchedulerOptions options = {.batch = 4, .context = context}, const std::string &key = {})
    {
        auto created = BatchScheduler::create(device, *map, options);
        ASSERT_TRUE(created) << created.error().message;
        scheduler = std::move(*created);
        auto started = HttpServer::start(model, *scheduler, {.port = 0, .key = key, .name = "tiny"});
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
    }

    void TearDown() override
    {
        if (scheduler)
            scheduler->stop();
        server.reset();
        scheduler.reset();
    }

    httplib::Client client() const
    {
        httplib::Client made("127.0.0.1", server->port());
        made.set_read_timeout(60, 0);
        return made;
    }

    struct Answer {
        int status = 0;
        std::string body;
        Json json() const { return Json::parse(body, nullptr, false); }
    };
    Answer post(const std::string &path, const std::string &body) const
    {
        auto asking = client();
        const auto result = asking.Post(path, body, "application/json");
        return result ? Answer{result->status, result->body} : Answer{};
    }
    Answer complete(const Json &request) const { return post("/v1/completions", request.dump()); }

    /// What `zigzag generate` does: the tokens behind a prompt, and what the model gave each of them.
    std::vector<int> greedy(std::vector<int> tokens, int most) const
    {
        auto session = Session::create(device, *map, {.maxContext = context});
        EXPECT_TRUE(session);
        std::vector<int> added;
        std::span<const int> next = tokens;
        const std::vector<int> &ends = model->config.endTokens;
        while (static_cast<int>(added.size()) < most) {
            const auto logits = (*session)->run(next);
            EXPECT_TRUE(logits);
            const int token = Sampler().next(*logits);
            if (std::find(ends.begin(), ends.end(), token) != ends.end())
                break;
            added.push_back(token);
            next = std::span(added).last(1);
        }
        return added;
    }
    std::string textBehind(const std::vector<int> &prompt, const std::vector<int> &added) const
    {
        std::vector<int> all = prompt;
        all.insert(all.end(), added.begin(), added.end());
        return model->tokenizer->decode(all).substr(model->tokenizer->decode(prompt).size());
    }
    /// As JSON can carry it.
    static std::string asJson(const std::string &text)
    {
        return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
    }
    void waitUntilIdle() const
    {
        for (int i = 0; i < 600 && (scheduler->running() > 0 || scheduler->waiting() > 0); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }

    std::shared_ptr<const Model> model;
    std::shared_ptr<DeviceModel> device;
    std::optional<HeadMap> map;
    std::unique_ptr<BatchScheduler> scheduler;
    std::unique_ptr<HttpServer> server;

private:
    test::TempFolder m_folder;
};

TEST_F(Server, SaysWhatItServes)
{
    start();
    auto asking = client();
    const auto models = asking.Get("/v1/models");
    ASSERT_TRUE(models);
    const Json json = Json::parse(models->body);
    EXPECT_EQ(json["data"][0]["id"], "tiny");
    EXPECT_EQ(json["data"][0]["max_model_len"], context);
    const Json health = Json::parse(asking.Get("/health")->body);
    EXPECT_EQ(health, Json({{"status", "ok"}, {"running", 0}, {"waiting", 0}}));
}

TEST_F(Server, GreedyAnswersAreTheCommandLines)
{
    start();
    const std::vector<int> prompt = model->tokenizer->encode("Some text", true);
    const std::vector<int> added = greedy(prompt, 24);
    const Answer answer = complete({{"prompt", "Some text"}, {"max_tokens", 24}, {"temperature", 0}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json()["choices"][0]["text"], asJson(textBehind(prompt, added)));
    EXPECT_EQ(answer.json()["usage"]["prompt_tokens"], prompt.size());
    // The same as ids, twice in one request.
    const Answer both = complete({{"prompt", {prompt, prompt}}, {"max_tokens", 24}, {"temperature", 0}});
    ASSERT_EQ(both.status, 200) << both.body;
    for (int i : {0, 1})
        EXPECT_EQ(both.json()["choices"][i]["text"], answer.json()["choices"][0]["text"]);
}

TEST_F(Server, EchoedScoresAreTheLogits)
{
    start();
    const std::vector<int> prompt = model->tokenizer->encode("A prompt of some length, longer than the window of a layer", true);
    const Answer answer = complete(
        {{"prompt", prompt}, {"max_tokens", 1}, {"temperature", 0}, {"logprobs", 1}, {"echo", true}, {"ignore_eos", true}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    const Json scores = answer.json()["choices"][0]["logprobs"];
    ASSERT_EQ(scores["tokens"].size(), prompt.size() + 1);
    EXPECT_TRUE(scores["token_logprobs"][0].is_null());
    auto session = Session::create(device, *map, {.maxContext = context});
    const auto logits = (*session)->run(prompt, Session::Logits::All);
    ASSERT_TRUE(logits);
    const auto vocabulary = static_cast<std::size_t>(model->config.vocabulary);
    for (std::size_t i = 0; i < prompt.size(); ++i) {
        const auto row = std::span<const float>(*logits).subspan(i * vocabulary, vocabulary);
        const auto best = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
        double sum = 0;
        for (const float logit : row)
            sum += std::exp(static_cast<double>(logit) - row[best]);
        const std::size_t token = i + 1 < prompt.size() ? static_cast<std::size_t>(prompt[i + 1]) : best;
        EXPECT_NEAR(scores["token_logprobs"][i + 1].get<double>(), row[token] - row[best] - std::log(sum), 1e-4) << i;
        EXPECT_NEAR(scores["top_logprobs"][i + 1].begin()->get<double>(), -std::log(sum), 1e-4) << i;
    }
    // Nothing is added where nothing is asked for.
    const Answer none = complete({{"prompt", prompt}, {"max_tokens", 0}, {"logprobs", 1}, {"echo", true}});
    EXPECT_EQ(none.json()["choices"][0]["logprobs"]["tokens"].size(), prompt.size()) << none.body;
}

TEST_F(Server, StreamsWhatItAnswersInOnePiece)
{
    start();
    const Json request = {{"prompt", "Some text"}, {"max_tokens", 30}, {"temperature", 0.8}, {"seed", 7}, {"ignore_eos", true}};
    const Answer whole = complete(request);
    Json streamed = request;
    streamed["stream"] = true;
    streamed["stream_options"] = {{"include_usage", true}};
    const Answer events = complete(streamed);
    ASSERT_EQ(events.status, 200) << events.body;
    std::string text, reason;
    std::istringstream lines(events.body);
    int usage = 0;
    bool isDone = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty())
            continue;
        ASSERT_EQ(line.rfind("data: ", 0), 0u) << line;
        isDone = line == "data: [DONE]";
        if (isDone)
            break;
        const Json event = Json::parse(line.substr(6));
        if (event.contains("usage"))
            usage = event["usage"]["completion_tokens"];
        if (event["choices"].empty())
            continue;
        text += event["choices"][0]["text"];
        if (event["choices"][0]["finish_reason"].is_string())
            reason = event["choices"][0]["finish_reason"];
    }
    EXPECT_TRUE(isDone);
    EXPECT_EQ(text, whole.json()["choices"][0]["text"]);
    EXPECT_EQ(reason, "length");
    EXPECT_EQ(usage, 30);
}

TEST_F(Server, StopTextsEndAnAnswer)
{
    start();
    Json request = {{"prompt", "Some text"}, {"max_tokens", 80}, {"temperature", 1.5}, {"seed", 3}, {"ignore_eos", true}};
    const std::string text = complete(request).json()["choices"][0]["text"];
    const auto letter = std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= '!' && c <= '~'; });
    ASSERT_NE(letter, text.end()) << text;
    const std::string stop(1, *letter);
    request["stop"] = {"never to be found", stop};
    const Answer cut = complete(request);
    EXPECT_EQ(cut.json()["choices"][0]["text"], text.substr(0, text.find(stop))) << cut.body;
    EXPECT_EQ(cut.json()["choices"][0]["finish_reason"], "stop");
    waitUntilIdle();
    EXPECT_EQ(scheduler->running(), 0);
}

TEST_F(Server, ChatsByTheModelsTemplate)
{
    start();
    const auto tokens = chatTokens(*model, {{"system", "s"}, {"user", "hello"}}, true);
    ASSERT_TRUE(tokens);
    const Json messages = Json::array({{{"role", "system"}, {"content", "s"}},
                                       {{"role", "user"}, {"content", Json::array({{{"type", "text"}, {"text", "hello"}}})}}});
    const Answer answer
        = post("/v1/chat/completions", Json{{"messages", messages}, {"max_tokens", 12}, {"temperature", 0}}.dump());
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json()["choices"][0]["message"]["content"], asJson(textBehind(*tokens, greedy(*tokens, 12))));
    EXPECT_EQ(answer.json()["usage"]["prompt_tokens"], tokens->size());
    const Answer events = post("/v1/chat/completions",
                               Json{{"messages", messages}, {"max_tokens", 12}, {"temperature", 0}, {"stream", true}}.dump());
    EXPECT_NE(events.body.find("\"delta\":{\"role\":\"assistant\",\"content\":"), std::string::npos) << events.body;
    EXPECT_NE(events.body.find("data: [DONE]"), std::string::npos);
}

/// As HELMET (arXiv 2410.02694, TgiVllmModel of its model_utils.py) asks: a key of its own, no stop texts as null, new lines as
/// two of them, everything else named.
TEST_F(Server, AnswersWhatHelmetAsks)
{
    start();
    const std::vector<ChatMessage> said = {{"system", "You are a helpful assistant."}, {"user", "hello\n\nthere"}};
    for (const bool hasSystem : {true, false}) {
        const std::vector<ChatMessage> messages(said.begin() + (hasSystem ? 0 : 1), said.end());
        const auto tokens = chatTokens(*model, messages, true);
        ASSERT_TRUE(tokens);
        Json asked = {{"model", "org/another-name"}, {"max_tokens", 12}, {"temperature", 0.0}, {"top_p", 1.0}, {"seed", 42}};
        asked["messages"] = Json::array();
        for (const ChatMessage &message : messages)
            asked["messages"].push_back({{"role", message.role}, {"content", message.content}});
        for (const Json &stop : {Json(nullptr), Json::array({"\n", "\n\n"})}) {
            asked["stop"] = stop;
            auto asking = client();
            asking.set_default_headers({{"Authorization", "Bearer EMPTY_KEY"}});
            const auto result = asking.Post("/v1/chat/completions", asked.dump(), "application/json");
            ASSERT_TRUE(result);
            ASSERT_EQ(result->status, 200) << result->body;
            const Json answer = Json::parse(result->body);
            const std::string greedily = asJson(textBehind(*tokens, greedy(*tokens, 12)));
            const std::string content = answer["choices"][0]["message"]["content"];
            EXPECT_EQ(content, stop.is_null() ? greedily : greedily.substr(0, greedily.find('\n')));
            EXPECT_EQ(answer["usage"]["prompt_tokens"], tokens->size());
            EXPECT_GE(answer["usage"]["completion_tokens"].get<int>(), 1);
        }
    }
}

TEST_F(Server, BadRequestsAreOneClearLine)
{
    start();
    const std::vector<std::pair<Json, std::string>> wrong = {
        {Json::array(), "a JSON object was expected"},
        {{{"max_tokens", 3}}, "\"prompt\" must be"},
        {{{"prompt", Json::array()}}, "\"prompt\" must be"},
        {{{"prompt", {1, "a"}}}, "a token of \"prompt\""},
        {{{"prompt", {1 << 20}}}, "outside the vocabulary"},
        {{{"prompt", "a"}, {"n", 2}}, "\"n\" is 2"},
        {{{"prompt", "a"}, {"tools", {1}}}, "\"tools\" is not supported"},
        {{{"prompt", "a"}, {"presence_penalty", 0.5}}, "\"presence_penalty\" is not supported"},
        {{{"prompt", "a"}, {"max_tokens", 5000}}, "exceed the context of 200"},
        {{{"prompt", std::string(500, 'a')}}, "exceed the context of 200"},
        {{{"prompt", "a"}, {"temperature", -1}}, "temperature"},
        {{{"prompt", "a"}, {"logprobs", 50}}, "logprobs"},
        {{{"prompt", "a"}, {"stop", {1}}}, "\"stop\" must be"},
        {{{"prompt", "a"}, {"stream", true}, {"echo", true}}, "leave \"stream\" out"},
    };
    for (const auto &[request, message] : wrong) {
        const Answer answer = complete(request);
        EXPECT_EQ(answer.status, 400) << request << answer.body;
        const Json json = answer.json();
        ASSERT_TRUE(json.contains("error")) << answer.body;
        EXPECT_EQ(json["error"]["type"], "invalid_request_error");
        const std::string line = json["error"]["message"];
        EXPECT_NE(line.find(message), std::string::npos) << line;
        EXPECT_EQ(line.find('\n'), std::string::npos);
    }
    EXPECT_EQ(post("/v1/completions", "{\"prompt\": ").status, 400);
    EXPECT_EQ(post("/v1/completions", "{\"prompt\": " + std::string(100'000, '[')).status, 400);
    EXPECT_EQ(post("/v1/completions", "\"" + std::string(largestBody, 'a') + "\"").status, 413);
    EXPECT_EQ(post("/v1/nothing", "{}").status, 404);
    EXPECT_TRUE(post("/v1/nothing", "{}").json().contains("error"));
    const Json tool = {{"messages", Json::array({{{"role", "tool"}, {"content", "x"}}})}};
    EXPECT_EQ(post("/v1/chat/completions", tool.dump()).status, 400);
    EXPECT_EQ(complete({{"prompt", "a"}, {"max_tokens", 1}}).status, 200); // and it still answers
}

/// A body may come in chunks or compressed, which no Content-Length bounds.
TEST_F(Server, BodiesAreBoundedHoweverTheyCome)
{
    start();
    const auto chunked = [&](const std::string &head, std::size_t spaces) {
        auto asking = client();
        std::size_t sent = 0;
        const auto more = [&](std::size_t, httplib::DataSink &sink) {
            const std::string piece = sent == 0 ? head : std::string(std::min<std::size_t>(1 << 16, spaces - sent + 1), ' ');
            sent += sent == 0 ? 1 : piece.size();
            if (!sink.write(piece.data(), piece.size()))
                return false;
            if (sent > spaces)
                sink.done();
            return true;
        };
        const auto answer = asking.Post("/v1/completions", more, "application/json");
        return answer ? answer->status : 0;
    };
    const std::string request = R"({"prompt": "a", "max_tokens": 1})";
    EXPECT_EQ(chunked(request, 100'000), 200);
    const int tooLarge = chunked(request, 2 * largestBody);
    EXPECT_TRUE(tooLarge == 413 || tooLarge == 0) << tooLarge; // the connection may be closed before all was sent
    auto asking = client();
    asking.set_compress(true);
    EXPECT_EQ(asking.Post("/v1/completions", request, "application/json")->status, 200);
    const auto bomb = client().Post("/v1/completions", request + std::string(2 * largestBody, ' '), "application/json");
    EXPECT_EQ(bomb ? bomb->status : 413, 413);
    asking.set_keep_alive(false);
    const auto packed = asking.Post("/v1/completions", request + std::string(2 * largestBody, ' '), "application/json");
    ASSERT_TRUE(packed) << "the packed body is small, so that all of it is sent";
    EXPECT_EQ(packed->status, 413) << packed->body;
    EXPECT_NE(packed->body.find("more than 8388608 bytes"), std::string::npos) << packed->body;
    EXPECT_EQ(complete({{"prompt", "a"}, {"max_tokens", 1}}).status, 200); // and it still answers
}

TEST_F(Server, ScoresOfAnAnswerAreBounded)
{
    start({.batch = 2, .context = 1 << 17});
    const std::vector<std::vector<int>> prompts(100, std::vector<int>(1000, 1)); // two million scores and some
    const Answer answer = complete({{"prompt", prompts}, {"max_tokens", 1}, {"logprobs", 20}, {"echo", true}});
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_NE(answer.body.find("100100 tokens are to be scored"), std::string::npos) << answer.body;
}

TEST_F(Server, AsksForItsKey)
{
    start({.batch = 1, .context = context}, "secret");
    auto asking = client();
    EXPECT_EQ(asking.Get("/v1/models")->status, 401);
    EXPECT_EQ(asking.Get("/v1/models", httplib::Headers{{"Authorization", "Bearer secreT"}})->status, 401);
    EXPECT_EQ(asking.Get("/v1/models", httplib::Headers{{"Authorization", "Bearer secret"}})->status, 200);
}

TEST_F(Server, EightClientsAtOnceGetTheirOwnAnswers)
{
    start({.batch = 3, .context = context}); // so that some wait
    std::vector<std::string> prompts, expected(8), got(8);
    for (int i = 0; i < 8; ++i) {
        prompts.push_back(fmt::format("{} is what client {} asks", std::string(static_cast<std::size_t>(3 * i), 'x'), i));
        const std::vector<int> tokens = model->tokenizer->encode(prompts.back(), true);
        expected[static_cast<std::size_t>(i)] = asJson(textBehind(tokens, greedy(tokens, 20 + i)));
    }
    std::vector<std::thread> clients;
    clients.reserve(8);
    for (int i = 0; i < 8; ++i)
        clients.emplace_back([&, i] {
            const Answer answer
                = complete({{"prompt", prompts[static_cast<std::size_t>(i)]}, {"max_tokens", 20 + i}, {"temperature", 0}});
            if (answer.status == 200)
                got[static_cast<std::size_t>(i)] = answer.json()["choices"][0]["text"];
        });
    for (std::thread &thread : clients)
        thread.join();
    EXPECT_EQ(got, expected);
}

TEST_F(Server, AClientWhoHangsUpFreesItsPlace)
{
    start({.batch = 1, .context = 1 << 19});
    for (const bool streams : {true, false}) {
        std::atomic<bool> leaves{false};
        std::thread gone([&] {
            httplib::Client asking("127.0.0.1", server->port());
            asking.set_read_timeout(streams ? 60 : 1, 0); // in one piece nothing comes, and it gives up
            const Json request
                = {{"prompt", "x"}, {"max_tokens", 500'000}, {"temperature", 0}, {"ignore_eos", true}, {"stream", streams}};
            httplib::Request post;
            post.method = "POST";
            post.path = "/v1/completions";
            post.headers = {{"Content-Type", "application/json"}};
            post.body = request.dump();
            post.content_receiver = [](const char *, std::size_t, std::uint64_t, std::uint64_t) { return false; };
            (void)asking.send(post);
            leaves = true;
        });
        gone.join();
        EXPECT_TRUE(leaves);
        waitUntilIdle();
        EXPECT_EQ(scheduler->running(), 0) << streams;
    }
    EXPECT_EQ(complete({{"prompt", "a"}, {"max_tokens", 1}}).status, 200);
}

TEST_F(Server, AFullQueueIsSaid)
{
    start({.batch = 1, .context = context, .queue = 2});
    const Answer answer = complete({{"prompt", {"a", "b", "c"}}, {"max_tokens", 1}});
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_NE(answer.body.find("at most 2 may"), std::string::npos) << answer.body;
}

TEST_F(Server, StoppingEndsWhatRuns)
{
    start({.batch = 1, .context = 1 << 19});
    std::string body;
    std::thread asking([&] {
        body = complete({{"prompt", "x"}, {"max_tokens", 500'000}, {"ignore_eos", true}, {"stream", true}}).body;
    });
    for (int i = 0; i < 1000 && scheduler->running() == 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    scheduler->stop();
    asking.join();
    EXPECT_NE(body.find("the server is stopping"), std::string::npos) << body.substr(0, 400);
    EXPECT_EQ(complete({{"prompt", "a"}}).status, 503);
}

} // namespace
} // namespace zigzag::serve
