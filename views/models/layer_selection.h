// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <vector>

namespace zigzag {

/// The layers that a person looks at. A layer selected in one view is selected in all: each view sets this, hears `changed`
/// from the others, and ignores what equals its own.
class LayerSelection : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    const std::vector<int> &layers() const { return m_layers; } ///< rising, each once
    bool contains(int layer) const;
    bool isEmpty() const { return m_layers.empty(); }
    /// In any order; negative ones are dropped. Says `changed` only if the set differs.
    void set(std::vector<int> layers);
    void clear() { set({}); }

Q_SIGNALS:
    void changed();

private:
    std::vector<int> m_layers;
};

} // namespace zigzag
