// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/widgets/find_panel.h"

namespace zigzag {

/// Which layers can stream: the searches, and the sources of scores to choose from.
class FindPage : public Page
{
    Q_OBJECT
public:
    FindPage(Studio &studio, QWidget *parent);

protected:
    void refresh() override;

private:
    void start();
    void choose(int row);

    FindPanel *m_panel;
    QString m_estimate; ///< what was said of the search that is on: out of date when it ends
};

} // namespace zigzag
