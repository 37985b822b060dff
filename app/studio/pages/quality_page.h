// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "app/studio/state/quality_records.h"
#include "profiler/jobs/quality_axis.h"

#include <QString>
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

    /// On its axis, as the engine that it was asked of runs maps.
    void showQuality(const AskedQuality &quality);

protected:
    void refresh() override;

private:
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
    const AskedQuality *judged() const;
    std::vector<Shown> shown() const;

    QComboBox *m_axis;
    ParetoPlot *m_plot;
    QString m_file; ///< of questions, or the text
};

} // namespace zigzag
