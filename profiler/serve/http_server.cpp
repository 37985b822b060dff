// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/http_server.h"

#include "engine/base/printable.h"
#include "profiler/serve/answer.h"
#include "profiler/serve/completion_request.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <httplib.h>
#include <optional>
#include <random>
#include <thread>

namespace zigzag::serve {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

namespace {

constexpr auto jsonType = "application/json", streamType = "text/event-stream";
constexpr milliseconds moment{250}; ///< after which an answer is begun though it is not known
constexpr milliseconds lookAround{50}; ///< how often a client is looked after
constexpr std::size_t connections = 160; ///< served at the same time; more of them wait

/// An answer that is being made, and given up with the last who holds it.
struct Making {
    AnswerHead head;
    bool streamsUsage = false;
    std::vector<Choice> choices;

    Making() = default;
    Making(const Making &) = delete;
    Making &operator=(const Making &) = delete;
    ~Making()
    {
        for (Choice &choice : choices)
            if (!choice.isDone())
                choice.generation().cancel();
    }

    bool isDone() const
    {
        return std::all_of(choices.begin(), choices.end(), [](const Choice &choice) { return choice.isDone(); });
    }
    /// Waits for news of the first choice that is not done, and takes those of the others. The error of one that failed.
    const Error *update(milliseconds longest)
    {
        for (Choice &choice : choices) {
            const bool waits = !choice.isDone();
            if (!choice.update(waits ? longest : milliseconds(0)))
                return &choice.error();
            if (waits)
                longest = milliseconds(0);
        }
        return nullptr;
    }
};

void send(httplib::Response &response, int status, const Json &body)
{
    response.status = status;
    response.set_content(textOf(body), jsonType);
}

void sendTooLarge(httplib::Response &response)
{
    send(response, 413,
         errorAnswer(fmt::format("the request has more than {} bytes; ask for less at a time", largestBody),
                     "invalid_request_error"));
}

/// A body as it is once it is unpacked, however it comes: in one piece, in chunks, or compressed. The library bounds the first
/// alone. None: an answer was given, and what is left of the body is nobody's.
std::optional<std::string> bodyOf(const httplib::ContentReader &reader, httplib::Response &response)
{
    std::string body;
    bool isTooLarge = false;
    const bool isWhole = reader([&](const char *data, std::size_t bytes) {
        isTooLarge = bytes > largestBody - body.size();
        if (!isTooLarge)
            body.append(data, bytes);
        return !isTooLarge;
    });
    if (isWhole)
        return body;
    response.set_header("Connection", "close");
    if (isTooLarge || response.status == 413)
        sendTooLarge(response);
    else
        send(response, 400, errorAnswer("the request's body could not be read; send it anew", "invalid_request_error"));
    return std::nullopt;
}

void sendError(httplib::Response &response, const Error &error)
{
    if (error.kind == ErrorKind::BadInput)
        send(response, 400, errorAnswer(error.message, "invalid_request_error"));
    else
        send(response, 503, errorAnswer(error.message, "server_error"));
}

/// Takes as long for a wrong key as for the right one.
bool isSame(const std::string &given, const std::string &wanted)
{
    unsigned int different = given.size() != wanted.size() ? 1 : 0;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        different |= static_cast<unsigned int>(static_cast<unsigned char>(wanted[i])
                                               ^ static_cast<unsigned char>(i < given.size() ? given[i] : '\0'));
    return different == 0;
}

bool write(httplib::DataSink &sink, const std::string &text)
{
    return sink.write(text.data(), text.size());
}

bool writeEvent(httplib::DataSink &sink, const Json &json)
{
    return write(sink, "data: " + textOf(json) + "\n\n");
}

/// The rest of an answer in one piece. False: the client has gone.
bool writeWhole(Making &making, httplib::DataSink &sink)
{
    while (!making.isDone()) {
        if (const Error *error = making.update(lookAround))
            return write(sink, textOf(errorAnswer(error->message, "server_error"))) && (sink.done(), true);
        if (!sink.is_writable())
            return false;
    }
    return write(sink, textOf(wholeAnswer(making.head, making.choices))) && (sink.done(), true);
}

/// An answer as a stream of events. False: the client has gone.
bool writeStream(Making &making, httplib::DataSink &sink)
{
    for (bool isDone = false; !isDone;) {
        if (const Error *error = making.update(lookAround))
            return writeEvent(sink, errorAnswer(error->message, "server_error")) && (sink.done(), true);
        isDone = making.isDone();
        for (Choice &choice : making.choices) {
            const Json news = choice.news(making.head.isChat);
            if (!news.is_null() && !writeEvent(sink, streamPiece(making.head, Json::array({news}))))
                return false;
        }
        if (!sink.is_writable())
            return false;
    }
    if (making.streamsUsage) {
        Json last = streamPiece(making.head, Json::array());
        last["usage"] = usageOf(making.choices);
        if (!writeEvent(sink, last))
            return false;
    }
    return write(sink, "data: [DONE]\n\n") && (sink.done(), true);
}

/// How an answer goes on that was begun: nothing catches what is thrown there, and a piece of it may find no memory.
httplib::ContentProviderWithoutLength provider(bool (*write)(Making &, httplib::DataSink &), std::shared_ptr<Making> making)
{
    return [write, making = std::move(making)](std::size_t, httplib::DataSink &sink) {
        try {
            return write(*making, sink);
        } catch (const std::exception &) {
            return false; // as if the client had gone
        }
    };
}

} // namespace

struct HttpServer::Impl {
    Impl(std::shared_ptr<const Model> served, BatchScheduler &batches, const ServerOptions &with)
        : model(std::move(served))
        , scheduler(batches)
        , options(with)
        , nextSeed(std::random_device{}())
    { }

    void route();
    void complete(const httplib::ContentReader &reader, httplib::Response &response, bool isChat);
    Result<std::shared_ptr<Making>> begin(const CompletionRequest &request);
    Json models() const;

    std::shared_ptr<const Model> model;
    BatchScheduler &scheduler;
    ServerOptions options;
    std::atomic<std::uint64_t> nextSeed;
    std::atomic<std::uint64_t> answers{0};
    std::int64_t started
        = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    httplib::Server server;
    int port = 0;
    std::atomic<bool> hasEnded{false};
    std::thread thread;
};

Json HttpServer::Impl::models() const
{
    const Json one = {{"id", options.name},
                      {"object", "model"},
                      {"created", started},
                      {"owned_by", "zigzag"},
                      {"max_model_len", scheduler.context()}};
    return {{"object", "list"}, {"data", Json::array({one})}};
}

Result<std::shared_ptr<Making>> HttpServer::Impl::begin(const CompletionRequest &request)
{
    std::vector<GenerationRequest> asked;
    std::int64_t scored = 0;
    for (const std::vector<int> &prompt : request.prompts) {
        const std::int64_t room = std::max<std::int64_t>(1, scheduler.context() - std::ssize(prompt));
        asked.push_back({.tokens = prompt,
                         .most = request.most.value_or(room),
                         .temperature = request.temperature,
                         .topP = request.topP,
                         .seed = request.seed ? *request.seed : nextSeed++,
                         .ignoresEnds = request.ignoresEnds,
                         .scoresPrompt = request.echoes && request.top,
                         .top = request.top});
        scored += asked.back().most + (request.echoes ? std::ssize(prompt) : 0);
    }
    if (request.top && scored > mostScores / (*request.top + 1))
        return badInput(fmt::format("{} tokens are to be scored, each with {} of the likeliest, and one answer holds {} scores: "
                                    "send fewer prompts at a time",
                                    scored, *request.top, mostScores));
    ZIGZAG_TRY(generations, scheduler.submit(std::move(asked)));
    auto making = std::make_shared<Making>();
    making->head = {
        .id = fmt::format("{}-{}-{}", request.isChat ? "chatcmpl" : "cmpl", started, ++answers),
        .model = options.name,
        .created = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(),
        .isChat = request.isChat};
    making->streamsUsage = request.streamsUsage;
    const Tokenizer *tokenizer = model->tokenizer ? &*model->tokenizer : nullptr;
    for (const auto &generation : generations)
        making->choices.emplace_back(static_cast<int>(making->choices.size()), generation, request, tokenizer);
    return making;
}

void HttpServer::Impl::complete(const httplib::ContentReader &reader, httplib::Response &response, bool isChat)
{
    const std::optional<std::string> body = bodyOf(reader, response);
    if (!body)
        return;
    const auto parsed = isChat ? parseChat(*body, *model) : parseCompletion(*body, *model);
    if (!parsed)
        return sendError(response, parsed.error());
    auto begun = begin(*parsed);
    if (!begun)
        return sendError(response, begun.error());
    const std::shared_ptr<Making> making = *begun;
    if (parsed->streams)
        return response.set_chunked_content_provider(streamType, provider(writeStream, making));
    const auto until = std::chrono::steady_clock::now() + moment;
    for (auto now = until - moment; now < until && !making->isDone(); now = std::chrono::steady_clock::now())
        if (const Error *error = making->update(std::chrono::duration_cast<milliseconds>(until - now) + milliseconds(1)))
            return send(response, 500, errorAnswer(error->message, "server_error"));
    if (making->isDone())
        return send(response, 200, wholeAnswer(making->head, making->choices));
    response.set_chunked_content_provider(jsonType, provider(writeWhole, making));
}

void HttpServer::Impl::route()
{
    server.new_task_queue = [] { return new httplib::ThreadPool(connections); };
    server.set_payload_max_length(largestBody);
    server.set_keep_alive_max_count(1 << 20);
    server.set_socket_options([](int socket) { // the library's own would share a port that another program listens to
        const int yes = 1;
        (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server.set_tcp_nodelay(true); // a token is less than a packet
    server.set_pre_routing_handler([this](const httplib::Request &request, httplib::Response &response) {
        if (options.key.empty() || isSame(request.get_header_value("Authorization"), "Bearer " + options.key))
            return httplib::Server::HandlerResponse::Unhandled;
        send(response, 401,
             errorAnswer("this server asks for its key: send \"Authorization: Bearer KEY\"", "authentication_error"));
        return httplib::Server::HandlerResponse::Handled;
    });
    server.set_error_handler(httplib::Server::HandlerWithResponse([](const httplib::Request &request,
                                                                     httplib::Response &response) {
        if (!response.body.empty())
            return httplib::Server::HandlerResponse::Handled;
        const int status = response.status;
        const std::string message = status == 404
            ? fmt::format("there is no {} here: ask /v1/models, /v1/completions or /v1/chat/completions", printable(request.path))
            : fmt::format("the request could not be read (HTTP status {})", status);
        send(response, status, errorAnswer(message, "invalid_request_error"));
        return httplib::Server::HandlerResponse::Handled;
    }));
    server.set_exception_handler([](const httplib::Request &, httplib::Response &response, const std::exception_ptr &) {
        send(response, 500, errorAnswer("the request failed inside the server; ask for less at a time", "server_error"));
    });
    server.Get("/health", [this](const httplib::Request &, httplib::Response &response) {
        send(response, 200, {{"status", "ok"}, {"running", scheduler.running()}, {"waiting", scheduler.waiting()}});
    });
    server.Get("/v1/models", [this](const httplib::Request &, httplib::Response &response) { send(response, 200, models()); });
    for (const auto &[path, isChat] : {std::pair("/v1/completions", false), std::pair("/v1/chat/completions", true)})
        server.Post(path,
                    [this, chats = isChat](const httplib::Request &, httplib::Response &response,
                                           const httplib::ContentReader &reader) { complete(reader, response, chats); });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{ }

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::shared_ptr<const Model> model, BatchScheduler &scheduler,
                                                      const ServerOptions &options)
{
    auto impl = std::make_unique<Impl>(std::move(model), scheduler, options);
    impl->route();
    impl->port = options.port;
    const bool isBound = options.port == 0 ? (impl->port = impl->server.bind_to_any_port(options.host)) > 0
                                           : impl->server.bind_to_port(options.host, options.port);
    if (!isBound)
        return badInput(fmt::format("port {} of {} cannot be listened to: choose another, or 0 for any that is free",
                                    options.port, printable(options.host)));
    impl->thread = std::thread([all = impl.get()] {
        all->server.listen_after_bind();
        all->hasEnded = true;
    });
    while (!impl->server.is_running() && !impl->hasEnded) // stop() before that would be forgotten
        std::this_thread::sleep_for(milliseconds(1));
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer()
{
    m_impl->server.stop();
    m_impl->thread.join();
}

int HttpServer::port() const
{
    return m_impl->port;
}

bool HttpServer::isRunning() const
{
    return m_impl->server.is_running();
}

} // namespace zigzag::serve
