// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/models/layer_times.h"

namespace zigzag {

class EmptyMap;
class HeadMapModel;
class HeadMapView;
class ScoreLegend;

/// The middle of the window: what each head does and what each layer costs, with the hand's gestures passed on to the
/// document.
class MapPage : public Page
{
    Q_OBJECT
public:
    MapPage(Studio &studio, QWidget *parent);

    HeadMapView &headMap() { return *m_view; }
    const HeadMapModel &model() const { return *m_model; }
    /// Selected heads, or the current one: what the edit actions act on.
    std::vector<Cell> targets() const;

Q_SIGNALS:
    void recommendAsked();
    /// There is no map: a model to open, or something to choose (an empty name).
    void openAsked(const QString &name);
    /// The keyboard is at another head now; −1: at none.
    void headReached(int layer, int head);

protected:
    void refresh() override;

private:
    void showCosts();
    void selectLayers();
    void showEmpty();

    HeadMapModel *m_model;
    ScoreLegend *m_legend;
    HeadMapView *m_view;
    EmptyMap *m_empty;
    bool m_following = false; ///< the selection comes from another view
    std::shared_ptr<const Trace> m_traced; ///< that m_times is of
    LayerTimes m_times;
};

} // namespace zigzag
