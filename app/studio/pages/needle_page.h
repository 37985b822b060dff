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

Q_SIGNALS:
    /// The answers of full attention and of this map to a question of this cell.
    void answersAsked(std::int64_t context, double depth);

protected:
    void refresh() override;

private:
    void askWorst();

    NeedleView *m_needle;
};

} // namespace zigzag
