// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/check/server_connection.h"

#include "engine/base/printable.h"

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fmt/format.h>
#include <httplib.h>
#include <memory>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace zigzag::check {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t largestReply = 32 << 20; ///< bytes
constexpr int connectSeconds = 10;
constexpr std::string_view scheme = "http://";
constexpr auto betweenLooks = std::chrono::milliseconds(20); ///< at the cancel flag
constexpr auto lastWait = std::chrono::milliseconds(200); ///< for a request that was ended

/// A request that runs on a thread of its own, so that whoever waits for it hears a cancel. Both threads own it: looking up a
/// name cannot be ended by anybody, and outlives the one who waits.
class Request
{
public:
    Request(const ServerAddress &address, const ClientOptions &options, httplib::Request asked,
            std::function<void(std::string_view)> onData)
        : m_client(address.host, address.port)
        , m_asked(std::move(asked))
        , m_onData(std::move(onData))
    {
        m_client.set_connection_timeout(connectSeconds, 0);
        m_client.set_read_timeout(options.silenceSeconds, 0);
        m_client.set_write_timeout(connectSeconds, 0);
        // A second name for the socket. The library's own may be another socket's by the time that it is to be shut down.
        m_client.set_socket_options([this](socket_t socket) { hold(socket); });
        m_asked.content_receiver = [this](const char *data, std::size_t size, std::uint64_t, std::uint64_t) {
            return take({data, size});
        };
    }
    ~Request()
    {
        if (m_socket >= 0)
            ::close(m_socket);
    }
    Request(const Request &) = delete;
    Request &operator=(const Request &) = delete;

    void run()
    {
        // Who writes to a socket that was shut down gets a signal, which would end the program.
        sigset_t broken;
        sigemptyset(&broken);
        sigaddset(&broken, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken, nullptr);
        const httplib::Result result = m_client.send(m_asked);
        const std::lock_guard lock(m_mutex);
        m_error = result.error();
        if (result)
            m_reply.status = result->status;
        m_isOver = true;
        m_over.notify_all();
    }

    /// False where it was cancelled before it was over.
    bool waitFor(const std::atomic<bool> *cancel)
    {
        std::unique_lock lock(m_mutex);
        while (!m_over.wait_for(lock, betweenLooks, [this] { return m_isOver; }))
            if (cancel && cancel->load())
                return false;
        return true;
    }
    /// Nothing is heard of it from here on. Whether its thread has ended as well.
    bool end()
    {
        std::unique_lock lock(m_mutex);
        m_isEnded = true;
        if (m_socket >= 0)
            ::shutdown(m_socket, SHUT_RDWR); // wakes up whoever connects, reads or writes
        return m_over.wait_for(lock, lastWait, [this] { return m_isOver; });
    }

    // Once it is over.
    bool isTooLarge() const { return m_isTooLarge; }
    httplib::Error error() const { return m_error; }
    double silentSeconds() const { return std::chrono::duration<double>(Clock::now() - m_heard).count(); }
    HttpReply &reply() { return m_reply; }

private:
    void hold(socket_t socket)
    {
        const std::lock_guard lock(m_mutex);
        if (m_socket >= 0)
            ::close(m_socket); // of another address of the same name, which did not answer
        m_socket = ::dup(socket);
        if (m_isEnded && m_socket >= 0)
            ::shutdown(m_socket, SHUT_RDWR);
    }
    bool take(std::string_view part)
    {
        const std::lock_guard lock(m_mutex);
        m_isTooLarge = m_reply.body.size() + part.size() > largestReply;
        if (m_isEnded || m_isTooLarge)
            return false;
        m_heard = Clock::now();
        m_reply.body += part;
        if (m_onData)
            m_onData(part);
        return true;
    }

    httplib::Client m_client;
    httplib::Request m_asked;
    std::function<void(std::string_view)> m_onData;
    std::mutex m_mutex;
    std::condition_variable m_over;
    int m_socket = -1;
    bool m_isOver = false, m_isEnded = false, m_isTooLarge = false;
    Clock::time_point m_heard = Clock::now();
    httplib::Error m_error = httplib::Error::Unknown;
    HttpReply m_reply;
};

httplib::Request askedOf(const ServerAddress &address, const ClientOptions &options, std::string_view method,
                         const std::string &path, const std::string &body)
{
    httplib::Request asked;
    asked.method = method;
    asked.path = address.prefix + path;
    asked.set_header("Accept", "application/json, text/event-stream");
    if (!options.key.empty())
        asked.set_header("Authorization", "Bearer " + options.key);
    if (!body.empty()) {
        asked.set_header("Content-Type", "application/json");
        asked.body = body;
    }
    return asked;
}

} // namespace

std::string ServerAddress::text() const
{
    return fmt::format("{}{}:{}{}", scheme, host.find(':') == std::string::npos ? host : "[" + host + "]", port, prefix);
}

Result<ServerAddress> parseServerAddress(std::string_view url)
{
    const auto wrong
        = [&](std::string_view what) { return badInput(fmt::format("{}: {}; give http://HOST:PORT", printable(url), what)); };
    if (url.starts_with("https://"))
        return wrong("TLS is not spoken here, only plain http (a tunnel, such as ssh -L, reaches a distant server)");
    if (!url.starts_with(scheme))
        return wrong("is no address of a server");
    std::string_view rest = url.substr(scheme.size());
    ServerAddress address;
    const std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    if (slash != std::string_view::npos)
        address.prefix = rest.substr(slash);
    while (address.prefix.ends_with('/'))
        address.prefix.pop_back();
    if (address.prefix.ends_with("/v1"))
        address.prefix.resize(address.prefix.size() - 3);
    std::size_t colon = authority.rfind(':');
    if (authority.starts_with('[')) { // an IPv6 address
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos)
            return wrong("is no address of a server");
        address.host = authority.substr(1, end - 1);
        colon = end + 1 < authority.size() ? end + 1 : std::string_view::npos;
    } else {
        address.host = authority.substr(0, colon);
    }
    if (colon != std::string_view::npos) {
        const std::string_view digits = authority.substr(colon + 1);
        const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
        if (fault != std::errc() || end != digits.data() + digits.size() || address.port < 1 || address.port > 65535)
            return wrong("has no port from 1 to 65535");
    }
    // What goes into a request's lines as it is has no room for spaces and line breaks.
    const std::string whole = address.host + address.prefix;
    if (address.host.empty() || whole.find_first_of(" \t\r\n@?#") != std::string::npos)
        return wrong("is no address of a server");
    return address;
}

Result<HttpReply> exchange(const ServerAddress &address, const ClientOptions &options, std::string_view method,
                           const std::string &path, const std::string &body, const std::function<void(std::string_view)> &onData)
{
    // What goes into a request's lines as it is must not end them.
    if (options.key.find_first_of("\r\n") != std::string::npos)
        return badInput("a key is one line");
    const auto request = std::make_shared<Request>(address, options, askedOf(address, options, method, path, body), onData);
    std::thread asking([request] { request->run(); });
    if (!request->waitFor(options.cancel)) {
        if (request->end())
            asking.join();
        else
            asking.detach(); // it looks up a name, and ends by itself
        return cancelled();
    }
    asking.join();
    if (request->isTooLarge())
        return badInput(
            fmt::format("{}: sends more than {} MiB: is it a server of a language model?", address.text(), largestReply >> 20));
    if (request->error() == httplib::Error::Read && request->silentSeconds() >= options.silenceSeconds)
        return badInput(fmt::format("{}: said nothing for {} s: is it busy, or stuck?", address.text(), options.silenceSeconds));
    if (request->error() != httplib::Error::Success)
        return badInput(fmt::format("{}: {}: is the server up, and is this its address?", address.text(),
                                    httplib::to_string(request->error())));
    return std::move(request->reply());
}

} // namespace zigzag::check
