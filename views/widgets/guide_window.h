// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/guide.h"

#include <QWidget>

class QLineEdit;
class QListWidget;

namespace zigzag {

class GuideText;

/// The guide in a window of its own, beside what it speaks of: its index on the left with a search over all pages, the page on
/// the right, back and forward. Esc closes it; what it showed is there when it is opened again.
class GuideWindow : public QWidget
{
    Q_OBJECT
public:
    GuideWindow(Guide guide, QWidget *parent);

    /// Brings it to the front with that page: "plots", or "plots#predictions".
    void open(const QString &place);
    GuideText &text() { return *m_text; }

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    void buildLayout();
    void fillIndex(const QString &words);
    void follow();

    const Guide m_guide;
    QLineEdit *m_search;
    QListWidget *m_index;
    GuideText *m_text;
};

} // namespace zigzag
