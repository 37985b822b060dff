// SPDX-License-Identifier: GPL-3.0-or-later
// Recommendations: what there is of the one that is on, or of the last.
#include "app/studio/state/studio.h"

#include "engine/map/run_alike.h"
#include "views/models/recommend_text.h"

#include <algorithm>

namespace zigzag {

namespace {

/// The source of this name whose scores are these; null: there is none yet.
std::shared_ptr<const HeadScores> knownAs(const ScoreSources &sources, const FoundScores &found)
{
    for (int row = 0; row < sources.rowCount(); ++row)
        if (sources.at(row).name == found.name && sources.at(row).scores->scores == found.scores->scores)
            return sources.at(row).scores;
    return nullptr;
}

} // namespace

void Studio::beginRecommendation()
{
    m_recommendation.reset();
    m_isRecommendationKept = false;
    m_recommendPlan.clear();
    refreshSoon();
}

void Studio::takeRecommendPlan(const QStringList &lines)
{
    m_recommendPlan = lines;
    refreshSoon();
}

void Studio::setRecommendation(std::shared_ptr<const jobs::RecommendRecord> record)
{
    m_recommendation = std::move(record);
    m_isRecommendationKept = false;
    refreshSoon();
}

void Studio::takeRecommendation(std::shared_ptr<const jobs::RecommendRecord> record, bool isDone,
                                const std::vector<FoundScores> &sources, std::shared_ptr<const HeadScores> scores)
{
    for (const FoundScores &each : sources) {
        // Growth brings the same scores again: the document may stand at those that are here.
        const auto known = knownAs(m_scoreSources, each);
        if (!known)
            m_scoreSources.add(each);
        if (known && each.scores == scores)
            scores = known;
    }
    setRecommendation(std::move(record));
    if (!isDone || !m_recommendation->map())
        return;
    openTried(*m_recommendation->chosen);
    if (scores && runAlike(m_document.map(), m_recommendation->map()->map)) {
        DocumentState state = m_document.state();
        state.scores = std::move(scores);
        m_document.beginFrom(state); // a starting point, not an edit
    }
}

void Studio::openTried(std::size_t place)
{
    if (!m_recommendation || place >= m_recommendation->tried.size())
        return;
    const jobs::RecordedMap &tried = m_recommendation->tried[place];
    for (int index = 0; index < m_document.variants(); ++index)
        if (m_document.variantAt(index).state.map.model().layers == tried.map.layers()
            && runAlike(m_document.variantAt(index).state.map, tried.map))
            return m_document.showVariant(index);
    const bool isChosen = m_recommendation->chosen == place;
    HeadMap map = tried.map;
    map.setModel(m_document.model());
    std::shared_ptr<const HeadScores> scores = m_document.state().scores;
    m_document.duplicateVariant(isChosen ? tr("recommended for %1").arg(QString::fromStdString(m_recommendation->engine))
                                         : nameOf(tried));
    std::filesystem::path file;
    std::error_code none;
    if (isChosen && !m_recommendation->folder.empty())
        file = std::filesystem::path(m_recommendation->folder) / "map.json";
    m_document.begin(std::move(map), std::filesystem::exists(file, none) ? file : std::filesystem::path(), std::move(scores));
}

} // namespace zigzag
