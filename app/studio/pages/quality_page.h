// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "profiler/jobs/quality_axis.h"

#include <QString>
#include <map>
#include <memory>
#include <string>
#include <vector>

class QComboBox;

namespace zigzag {

class ParetoPlot;

/// What a map costs in quality against what it gains in time: a sweep over layer counts and windows, whose points are maps
/// to apply.
class QualityPage : public Page
{
    Q_OBJECT
public:
    QualityPage(Studio &studio, QWidget *parent);

protected:
    void refresh() override;

private:
    /// What maps were asked, each by itself: questions, RULER's tasks or a text.
    struct Judged {
        std::vector<HeadMap> maps;
        std::map<std::string, Interval> found; ///< by the fingerprints of maps
        AnswersRecord record; ///< of questions: who is in it is not asked again
        ModelShape model;
        QString servedAs; ///< the engine that ran the maps, in words; empty: ours
    };
    /// A map and its quality on the axis that is shown.
    struct Shown {
        HeadMap map;
        Interval quality;
        const MapQuality *tasks = nullptr; ///< of a sweep over tasks
    };
    void sweep();
    void sweepTasksOf(const std::vector<HeadMap> &maps, StreamingWindow window, const ServedBy &served);
    void judge(const std::vector<HeadMap> &maps, const ServedBy &served);
    void apply(int point);
    void chooseAxis();
    jobs::QualityAxis axis() const;
    QString axisTitle() const;
    /// Stands for what is asked on an axis that is not of tasks.
    std::string judgedKey() const;
    std::vector<Shown> shown() const;

    QComboBox *m_axis;
    ParetoPlot *m_plot;
    QString m_file; ///< of questions, or the text
    std::map<std::string, Judged> m_judged; ///< by judgedKey
};

} // namespace zigzag
