// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/layer_selection.h"

#include <algorithm>

namespace zigzag {

bool LayerSelection::contains(int layer) const
{
    return std::binary_search(m_layers.begin(), m_layers.end(), layer);
}

void LayerSelection::set(std::vector<int> layers)
{
    std::erase_if(layers, [](int layer) { return layer < 0; });
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    if (layers == m_layers)
        return;
    m_layers = std::move(layers);
    Q_EMIT changed();
}

} // namespace zigzag
