// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/generation.h"

#include <iterator>

namespace zigzag::serve {

Generation::News Generation::wait(std::chrono::milliseconds longest)
{
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, longest,
                       [this] { return !m_news.tokens.empty() || !m_news.prompt.empty() || m_news.finish != Finish::Running; });
    News taken = std::move(m_news);
    m_news = {.prompt = {}, .tokens = {}, .finish = taken.finish, .error = taken.error};
    return taken;
}

void Generation::add(ScoredToken token)
{
    {
        const std::lock_guard lock(m_mutex);
        m_news.tokens.push_back(std::move(token));
    }
    m_changed.notify_one();
}

void Generation::add(std::vector<TokenScore> promptScores)
{
    {
        const std::lock_guard lock(m_mutex);
        m_news.prompt.insert(m_news.prompt.end(), std::make_move_iterator(promptScores.begin()),
                             std::make_move_iterator(promptScores.end()));
    }
    m_changed.notify_one();
}

void Generation::finish(Finish how)
{
    {
        const std::lock_guard lock(m_mutex);
        m_news.finish = how;
    }
    m_changed.notify_one();
}

void Generation::fail(Error error)
{
    {
        const std::lock_guard lock(m_mutex);
        m_news.finish = Finish::Failed;
        m_news.error = std::move(error);
    }
    m_changed.notify_one();
}

} // namespace zigzag::serve
