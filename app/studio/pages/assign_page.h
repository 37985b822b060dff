// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

namespace zigzag {

class AssignPanel;
enum class AssignBy;

/// Where the heads' kinds come from: scores, criterion, sparsity, window; and what the map sacrifices.
class AssignPage : public Page
{
    Q_OBJECT
public:
    AssignPage(Studio &studio, QWidget *parent);

Q_SIGNALS:
    void importAsked();

protected:
    void refresh() override;

private:
    void assignTo(const QString &criterion, AssignBy kind, double value);

    AssignPanel *m_panel;
};

} // namespace zigzag
