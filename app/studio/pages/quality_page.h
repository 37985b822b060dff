// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "profiler/search/quality_sweep.h"

#include <memory>

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
    void sweep();
    void apply(int point);

    ParetoPlot *m_plot;
    std::vector<SweepPoint> m_points;
    QString m_servedAs; ///< who ran the points' maps, "as vllm runs it"; empty: zigzag's engine
    HeadMap (*m_asRun)(const HeadMap &map) = nullptr; ///< what that engine makes of a map; null: nothing else
    ModelShape m_model; ///< that the points belong to
};

} // namespace zigzag
