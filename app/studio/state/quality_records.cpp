// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/quality_records.h"

#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/quality_axis.h"
#include "views/models/native_path.h"
#include "views/models/text.h"

#include <algorithm>
#include <numeric>

namespace zigzag {

namespace {

/// Of the questions that every map answered.
double meanScore(const AnswersOfMap &map, std::size_t count)
{
    const auto end = map.answers.begin() + static_cast<std::ptrdiff_t>(std::min(count, map.answers.size()));
    const double sum = std::accumulate(map.answers.begin(), end, 0.0,
                                       [](double total, const QuestionAnswer &answer) { return total + answer.score; });
    return sum / static_cast<double>(std::max<std::size_t>(1, count));
}

/// What one row says beside its name.
struct Said {
    std::size_t maps = 0, count = 0; ///< beside full attention; questions, or values of each
    bool isShare = true;
    std::optional<double> full, best, worst;
};

Said saidOf(const AnswersRecord &record)
{
    Said said{record.maps.empty() ? 0 : record.maps.size() - 1, record.answered(), true, {}, {}, {}};
    if (said.count == 0)
        return said;
    said.full = meanScore(record.maps.front(), said.count);
    for (std::size_t map = 1; map < record.maps.size(); ++map) {
        const double mean = meanScore(record.maps[map], said.count);
        said.best = std::max(said.best.value_or(mean), mean);
        said.worst = std::min(said.worst.value_or(mean), mean);
    }
    return said;
}

Said saidOf(const AskedQuality &quality)
{
    const auto axis = jobs::parseQualityAxis(quality.axis);
    Said said{quality.found.size(), 0, axis && jobs::isShare(*axis), {}, {}, {}};
    for (const auto &[print, interval] : quality.found) {
        said.count = std::max<std::size_t>(said.count, static_cast<std::size_t>(interval.count));
        const double most = std::max(said.best.value_or(interval.mean), interval.mean),
                     least = std::min(said.worst.value_or(interval.mean), interval.mean);
        said.best = most;
        said.worst = least;
    }
    if (!said.isShare) // of perplexity less is better
        std::swap(said.best, said.worst);
    if (quality.record && !quality.record->maps.empty() && quality.record->answered() > 0)
        said.full = meanScore(quality.record->maps.front(), quality.record->answered());
    return said;
}

QString valueText(const std::optional<double> &value, bool isShare)
{
    return !value ? QString() : isShare ? percentText(*value) : QString::number(*value, 'g', 4);
}

} // namespace

QString AskedQuality::title() const
{
    const auto known = jobs::parseQualityAxis(axis);
    const QString what = known == jobs::QualityAxis::Ruler ? tr("Sweep: RULER's tasks")
        : known == jobs::QualityAxis::Perplexity           ? tr("Sweep: perplexity of %1").arg(shownFileName(file))
                                                           : tr("Sweep: %1").arg(shownFileName(file));
    return servedAs.isEmpty() ? what : what + QStringLiteral(", ") + servedAs;
}

std::string keyOfQuality(std::string_view axis, const QString &file, const std::string &engine)
{
    return std::string(axis) + '\n' + file.toStdString() + '\n' + engine;
}

int QualityRecords::takeAnswers(AskedAnswers answers)
{
    const auto known = std::find_if(m_answers.begin(), m_answers.end(),
                                    [&](const AskedAnswers &each) { return answers.run >= 0 && each.run == answers.run; });
    if (known != m_answers.end()) {
        const int place = static_cast<int>(known - m_answers.begin());
        *known = std::move(answers);
        Q_EMIT dataChanged(index(place, 0), index(place, ColumnCount - 1));
        return place;
    }
    const int place = static_cast<int>(m_answers.size());
    beginInsertRows({}, place, place);
    m_answers.push_back(std::move(answers));
    endInsertRows();
    return place;
}

const AskedQuality *QualityRecords::quality(const std::string &key) const
{
    const auto found = m_qualities.find(key);
    return found == m_qualities.end() ? nullptr : &found->second;
}

void QualityRecords::takeQuality(const std::string &key, AskedQuality quality)
{
    beginResetModel(); // keys are sorted: a new one may stand anywhere
    m_qualities[key] = std::move(quality);
    endResetModel();
}

void QualityRecords::keepQualitiesOf(const ModelShape &model)
{
    const auto isOfAnother
        = [&](const auto &each) { return each.second.model.layers != model.layers || each.second.model.name != model.name; };
    if (std::none_of(m_qualities.begin(), m_qualities.end(), isOfAnother))
        return;
    beginResetModel();
    std::erase_if(m_qualities, isOfAnother);
    endResetModel();
}

void QualityRecords::clear()
{
    beginResetModel();
    m_answers.clear();
    m_qualities.clear();
    endResetModel();
}

const AskedQuality *QualityRecords::qualityAt(int row) const
{
    const int place = row - static_cast<int>(m_answers.size());
    return place < 0 || place >= static_cast<int>(m_qualities.size()) ? nullptr : &std::next(m_qualities.begin(), place)->second;
}

int QualityRecords::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_answers.size() + m_qualities.size());
}

int QualityRecords::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant QualityRecords::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    if (role == Qt::TextAlignmentRole && index.column() >= Maps)
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    const AskedQuality *quality = qualityAt(index.row());
    const AskedAnswers *answers = quality ? nullptr : &m_answers[static_cast<std::size_t>(index.row())];
    switch (index.column()) {
    case When:
        return (quality ? quality->when : answers->when).toString(QStringLiteral("yyyy-MM-dd HH:mm:ss"));
    case What:
        return quality ? quality->title() : tr("Questions: %1").arg(answers->name);
    default:
        break;
    }
    const Said said = quality ? saidOf(*quality) : saidOf(*answers->record);
    switch (index.column()) {
    case Maps:
        return QString::number(said.maps);
    case Count:
        return QString::number(said.count);
    case Full:
        return valueText(said.full, said.isShare);
    case Best:
        return valueText(said.best, said.isShare);
    case Worst:
        return valueText(said.worst, said.isShare);
    default:
        return {};
    }
}

QVariant QualityRecords::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString names[]
        = {tr("When"), tr("Asked"), tr("Maps"), tr("Values"), tr("Full attention"), tr("Best map"), tr("Worst map")};
    return section >= 0 && section < ColumnCount ? names[section] : QVariant();
}

} // namespace zigzag
