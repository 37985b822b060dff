// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/guide.h"

#include <QTextBrowser>
#include <QTimer>

namespace zigzag {

/// One page of the guide: Markdown with links between pages and to headings, pictures no wider than the view, and nothing from
/// the net. A link to elsewhere opens where the desktop opens it.
class GuideText : public QTextBrowser
{
    Q_OBJECT
public:
    GuideText(const Guide &guide, QWidget *parent);

    /// "plots", or with a heading "plots#predictions". What the guide does not have shows the index.
    void showPlace(const QString &place);
    /// The name of the page that is shown; empty for a file of the resources that is none, such as a table.
    QString page() const;
    /// Words that are marked on every page, and to the first of which it goes.
    void setMarked(const QString &words);

    QVariant loadResource(int type, const QUrl &name) override;

protected:
    void doSetSource(const QUrl &name, QTextDocument::ResourceType type) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void dress();
    void mark(bool andGo);
    int pictureWidth() const;

    const Guide &m_guide;
    QString m_marked;
    QTimer m_fit; ///< pictures follow a resize once it has ended
    int m_fitted = 0;
};

} // namespace zigzag
