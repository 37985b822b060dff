// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

namespace zigzag {

class ConditionsBar;
class PlotsPanel;

/// What the whole gains: TTFT, TPOT and KV memory against context, for a machine, a batch and a number of GPUs.
class PlotsPage : public Page
{
    Q_OBJECT
public:
    PlotsPage(Studio &studio, QWidget *parent);
    PlotsPanel &plots() { return *m_plots; }

protected:
    void refresh() override;

private:
    void askProfile();
    void apply();
    void copyLine();

    ConditionsBar *m_conditions;
    PlotsPanel *m_plots;
    QAction *m_copyLine;
};

} // namespace zigzag
