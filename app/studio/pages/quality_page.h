// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

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
};

} // namespace zigzag
