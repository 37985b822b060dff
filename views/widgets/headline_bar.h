// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"

#include <QWidget>

class QLabel;

namespace zigzag {

/// The whole gain in one line: TPOT, TTFT, KV and needle of this map against full attention, each with its source.
class HeadlineBar : public QWidget
{
    Q_OBJECT
public:
    explicit HeadlineBar(QWidget *parent = nullptr);
    /// `served`: what is known of the engine that will serve the map, which the rest of the line is not about; may be empty.
    void show(const PlottedMaps &plotted, std::int64_t context, const QString &served = {});
    QString text() const;

private:
    QLabel *m_label;
};

} // namespace zigzag
