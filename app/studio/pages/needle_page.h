// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

namespace zigzag {

class NeedleView;

/// What the map loses: keys that it still finds in long text, beside full attention.
class NeedlePage : public Page
{
    Q_OBJECT
public:
    NeedlePage(Studio &studio, QWidget *parent);

protected:
    void refresh() override;

private:
    NeedleView *m_needle;
};

} // namespace zigzag
