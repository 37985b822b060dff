// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/batch_scheduler.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <new>

namespace zigzag::serve {

namespace {

constexpr std::int64_t mostLogits = 1 << 26; ///< of a prompt's chunk that are held at a time, 256 MiB

const Error stopped{ErrorKind::Failed, "the server is stopping; ask again when it has been started anew"};

} // namespace

bool BatchScheduler::Place::isDecoding() const
{
    return owner && prefilled == std::ssize(owner->request().tokens);
}

Result<std::unique_ptr<BatchScheduler>> BatchScheduler::create(std::shared_ptr<DeviceModel> model, const HeadMap &map,
                                                               const SchedulerOptions &options)
{
    SessionOptions planned;
    planned.maxContext = options.context;
    planned.batch = options.batch;
    planned.chunk = model->backend->device().prefillChunk;
    ZIGZAG_TRY(session, Session::create(model, map, planned));
    return std::unique_ptr<BatchScheduler>(
        new BatchScheduler(std::move(model), std::move(session), options, std::min(planned.chunk, options.context)));
}

BatchScheduler::BatchScheduler(std::shared_ptr<DeviceModel> model, std::unique_ptr<Session> session,
                               const SchedulerOptions &options, std::int64_t chunk)
    : m_model(std::move(model))
    , m_session(std::move(session))
    , m_longestQueue(options.queue)
    , m_chunk(chunk)
    , m_places(static_cast<std::size_t>(options.batch))
{
    m_session->setCancelFlag(&m_stops);
    m_thread = std::thread([this] { loop(); });
}

BatchScheduler::~BatchScheduler()
{
    stop();
    m_thread.join();
}

void BatchScheduler::stop()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stops = true;
    }
    m_wakes.notify_all();
}

std::size_t BatchScheduler::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_queue.size();
}

Result<void> BatchScheduler::check(const GenerationRequest &request) const
{
    if (request.tokens.empty())
        return badInput("the prompt gives no tokens; write something");
    const auto length = std::ssize(request.tokens);
    if (length > context() || request.most > context() - length)
        return badInput(fmt::format("{} tokens of the prompt and {} more exceed the context of {}: shorten the prompt, or ask "
                                    "for fewer tokens",
                                    length, request.most, context()));
    const int vocabulary = m_model->config().vocabulary;
    for (const int token : request.tokens)
        if (token < 0 || token >= vocabulary)
            return badInput(fmt::format("token {} is outside the vocabulary of {}: tokenize for this model", token, vocabulary));
    return {};
}

Result<std::vector<std::shared_ptr<Generation>>> BatchScheduler::submit(std::vector<GenerationRequest> requests)
{
    std::vector<std::shared_ptr<Generation>> generations;
    for (GenerationRequest &request : requests) {
        ZIGZAG_CHECK(check(request));
        generations.push_back(std::make_shared<Generation>(std::move(request)));
    }
    {
        const std::lock_guard lock(m_mutex);
        if (m_stops)
            return tl::unexpected(stopped);
        if (generations.size() > m_longestQueue - std::min(m_longestQueue, m_queue.size()))
            return failed(
                fmt::format("{} prompts are waiting and at most {} may: ask again later", m_queue.size(), m_longestQueue));
        m_queue.insert(m_queue.end(), generations.begin(), generations.end());
    }
    m_wakes.notify_all();
    return generations;
}

void BatchScheduler::loop()
{
    while (admit()) {
        dropCancelled();
        const Result<void> done = oneStep();
        // A session whose pass did not end has forgotten everybody.
        if (!done)
            failAll(m_stops ? stopped : done.error());
    }
    failAll(stopped);
    const std::lock_guard lock(m_mutex);
    for (const auto &waiting : m_queue)
        waiting->fail(stopped);
    m_queue.clear();
}

/// A chunk of a prompt, and a token of every other. What is thrown there would end the program, and with it everybody's answers.
Result<void> BatchScheduler::oneStep()
try {
    ZIGZAG_CHECK(prefillOne());
    return decode();
} catch (const std::bad_alloc &) {
    return failed("the server has no memory left for this; ask for less at a time");
} catch (const std::exception &error) {
    return failed(fmt::format("the server could not go on ({}); ask again", error.what()));
}

/// Waits while there is nothing to do, and fills free places from the queue. False: it is time to end.
bool BatchScheduler::admit()
{
    std::unique_lock lock(m_mutex);
    m_wakes.wait(lock, [this] { return m_stops || m_running > 0 || !m_queue.empty(); });
    for (const auto &waiting : m_queue)
        if (waiting->isCancelled())
            waiting->finish(Finish::Stop);
    std::erase_if(m_queue, [](const auto &waiting) { return waiting->isCancelled(); });
    for (std::size_t i = 0; i < m_places.size() && !m_queue.empty(); ++i) {
        if (m_places[i].owner)
            continue;
        const auto next = m_queue.front();
        m_queue.pop_front();
        const GenerationRequest &request = next->request();
        m_places[i] = {.owner = next, .sampler = Sampler(request.temperature, request.topP, request.seed)};
        ++m_running;
    }
    return !m_stops;
}

void BatchScheduler::free(std::size_t index)
{
    m_places[index] = {};
    m_session->reset(static_cast<int>(index));
    --m_running;
}

void BatchScheduler::failAll(const Error &error)
{
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        if (!m_places[i].owner)
            continue;
        m_places[i].owner->fail(error);
        free(i);
    }
}

void BatchScheduler::dropCancelled()
{
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        if (!m_places[i].owner || !m_places[i].owner->isCancelled())
            continue;
        m_places[i].owner->finish(Finish::Stop);
        free(i);
    }
}

/// The next chunk of a prompt, of one place after the other.
Result<void> BatchScheduler::prefillOne()
{
    std::size_t index = m_places.size();
    for (std::size_t i = 0; i < m_places.size() && index == m_places.size(); ++i) {
        const std::size_t candidate = (m_turn + i) % m_places.size();
        if (m_places[candidate].owner && !m_places[candidate].isDecoding())
            index = candidate;
    }
    if (index == m_places.size())
        return {};
    m_turn = index + 1;
    Place &place = m_places[index];
    const GenerationRequest &request = place.owner->request();
    const auto vocabulary = static_cast<std::size_t>(m_model->config().vocabulary);
    const auto rest = std::span(request.tokens).subspan(static_cast<std::size_t>(place.prefilled));
    // Cut as a session cuts a prompt by itself, so that the numbers are the same; but not where every row's logits are held.
    const std::int64_t longest
        = request.scoresPrompt ? std::clamp<std::int64_t>(mostLogits / m_model->config().vocabulary, 1, m_chunk) : m_chunk;
    const auto piece = rest.first(static_cast<std::size_t>(std::min<std::int64_t>(longest, std::ssize(rest))));
    const bool isLast = piece.size() == rest.size();
    const auto wanted = request.scoresPrompt ? Session::Logits::All : isLast ? Session::Logits::Last : Session::Logits::None;
    ZIGZAG_TRY(logits, m_session->run(piece, wanted, static_cast<int>(index)));
    if (request.scoresPrompt)
        scorePrompt(place, piece, logits);
    place.prefilled += std::ssize(piece);
    if (isLast)
        take(index, std::span<const float>(logits).last(vocabulary));
    return {};
}

/// Logits of a token's row are what the model gave the one behind it. [tokens of the piece, vocabulary]
void BatchScheduler::scorePrompt(Place &place, std::span<const int> piece, std::span<const float> logits)
{
    const GenerationRequest &request = place.owner->request();
    const auto vocabulary = static_cast<std::size_t>(m_model->config().vocabulary);
    std::vector<TokenScore> scores;
    for (std::size_t i = 0; i < piece.size(); ++i) {
        const std::size_t behind = static_cast<std::size_t>(place.prefilled) + i + 1;
        if (behind < request.tokens.size())
            scores.push_back(
                scoreOf(logits.subspan(i * vocabulary, vocabulary), request.tokens[behind], request.top.value_or(0)));
    }
    place.owner->add(std::move(scores));
}

/// The choice behind a prompt or a step. [vocabulary]
void BatchScheduler::take(std::size_t index, std::span<const float> logits)
{
    Place &place = m_places[index];
    const GenerationRequest &request = place.owner->request();
    if (request.most > 0) {
        const std::vector<int> &ends = m_model->config().endTokens;
        place.next = place.sampler.next(logits);
        ++place.added;
        ScoredToken chosen{.token = place.next, .score = {}};
        chosen.isEnd = !request.ignoresEnds && std::find(ends.begin(), ends.end(), place.next) != ends.end();
        if (request.top)
            chosen.score = scoreOf(logits, place.next, *request.top);
        const bool isEnd = chosen.isEnd;
        place.owner->add(std::move(chosen));
        if (!isEnd && place.added < request.most)
            return;
        place.owner->finish(isEnd ? Finish::Stop : Finish::Length);
    } else {
        place.owner->finish(Finish::Length);
    }
    free(index);
}

/// A token of every place that has its prompt behind it.
Result<void> BatchScheduler::decode()
{
    std::vector<int> tokens;
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        if (!m_places[i].isDecoding())
            continue;
        tokens.resize(i + 1, Session::waiting);
        tokens[i] = m_places[i].next;
    }
    if (tokens.empty())
        return {};
    ZIGZAG_TRY(logits, m_session->stepSome(tokens)); // [rows, vocabulary]
    const auto vocabulary = static_cast<std::size_t>(m_model->config().vocabulary);
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] != Session::waiting)
            take(i, std::span<const float>(logits).subspan(i * vocabulary, vocabulary));
    return {};
}

} // namespace zigzag::serve
