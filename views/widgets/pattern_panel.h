// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/layer_pattern.h"

#include <QGroupBox>

class QPushButton;
class QSpinBox;

namespace zigzag {

/// Chooses the layers that keep everything by their place, where there are no scores. Says what was asked; changes nothing.
class PatternPanel : public QGroupBox
{
    Q_OBJECT
public:
    explicit PatternPanel(QWidget *parent = nullptr);
    /// Layers that a map decides; 0 where no model is open.
    void setLayers(int layers);

Q_SIGNALS:
    void assignAsked(const zigzag::LayerPattern &pattern);

private:
    void enableAssign();
    LayerPattern pattern() const;

    QSpinBox *m_every;
    QSpinBox *m_first;
    QSpinBox *m_last;
    QPushButton *m_assign;
};

} // namespace zigzag
