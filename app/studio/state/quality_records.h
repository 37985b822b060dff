// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "profiler/base/run_types.h"
#include "profiler/questions/question.h"
#include "profiler/search/quality_sweep.h"

#include <QAbstractTableModel>
#include <QDateTime>
#include <QString>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct AnswersRecord;

/// Questions that maps were asked, and their answers: of this window, of its session, or from a file.
struct AskedAnswers {
    QString name;
    QDateTime when;
    std::shared_ptr<const AnswersRecord> record; ///< never null
    int run = -1; ///< of this window; −1: from a session or a file
    std::shared_ptr<const std::vector<Question>> questions = {}; ///< whole, which a record does not keep; null: not known
};

/// What the maps of a sweep were asked, each by itself: questions, RULER's tasks, or the perplexity of a text.
struct AskedQuality {
    std::string axis; ///< jobs::nameOf(QualityAxis)
    QString file; ///< of questions, or the text; empty: RULER's tasks
    std::string engine; ///< that ran the maps; empty: ours
    QString servedAs; ///< the same in words
    QDateTime when;
    ModelShape model;
    std::vector<HeadMap> maps;
    std::map<std::string, Interval> found = {}; ///< by the fingerprints of maps
    std::shared_ptr<const AnswersRecord> record = {}; ///< of questions: who is in it is not asked again; null: of none

    QString title() const;
};

/// What stands for a sweep that asks maps by themselves.
std::string keyOfQuality(std::string_view axis, const QString &file, const std::string &engine);

/// Everything of both that there is, a row each: answers first, in the order in which they came.
class QualityRecords : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { When, What, Maps, Count, Full, Best, Worst, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    const std::deque<AskedAnswers> &answers() const { return m_answers; }
    /// So far, or all; one of the same run is replaced. Returns its place.
    int takeAnswers(AskedAnswers answers);
    const std::map<std::string, AskedQuality> &qualities() const { return m_qualities; }
    /// Null: nothing was asked there.
    const AskedQuality *quality(const std::string &key) const;
    void takeQuality(const std::string &key, AskedQuality quality);
    /// Those of another model go: what they say of its maps means nothing for these.
    void keepQualitiesOf(const ModelShape &model);
    void clear();

    /// Of a row: a place among answers, or −1.
    int answersAt(int row) const { return row < static_cast<int>(m_answers.size()) ? row : -1; }
    /// Null: the row is of answers.
    const AskedQuality *qualityAt(int row) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    std::deque<AskedAnswers> m_answers;
    std::map<std::string, AskedQuality> m_qualities;
};

} // namespace zigzag
