// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/score_sources.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;
class QTreeView;

namespace zigzag {

/// Starts a search for the layers that can stream, and lists the sources of scores: the chosen one is the document's.
class FindPanel : public QWidget
{
    Q_OBJECT
public:
    explicit FindPanel(ScoreSources *scoreSources, QWidget *parent = nullptr);

    struct Choice {
        SearchMethod method = SearchMethod::Ablation;
        Unit unit = Unit::Layer;
        SearchLoss loss = SearchLoss::Distillation;
    };
    Choice choice() const;
    /// `whyNot`: why no search can start now, empty when one can. `current`: the row that the document uses, or −1.
    void show(const QString &whyNot, int current, StreamingWindow window);
    QTreeView &sources() { return *m_sources; }

Q_SIGNALS:
    void startAsked();
    void sourceChosen(int row);

private:
    void explain();

    ScoreSources *m_scoreSources;
    QComboBox *m_method;
    QPushButton *m_start;
    QLabel *m_explanation;
    QTreeView *m_sources;
    QString m_whyNot;
    StreamingWindow m_window;
    int m_inUse = -1; ///< the row that the document uses
};

} // namespace zigzag
