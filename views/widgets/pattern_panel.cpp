// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/pattern_panel.h"

#include <QFormLayout>
#include <QPushButton>
#include <QSpinBox>

namespace zigzag {

PatternPanel::PatternPanel(QWidget *parent)
    : QGroupBox(tr("By place, without scores"), parent)
    , m_every(new QSpinBox(this))
    , m_first(new QSpinBox(this))
    , m_last(new QSpinBox(this))
    , m_assign(new QPushButton(tr("Assign by place"), this))
{
    const QString tip
        = tr("Layers that keep everything by their place alone; all others stream. Locked layers stay as they are.");
    setToolTip(tip);
    setWhatsThis(tip);
    auto *form = new QFormLayout(this);
    const auto add = [&](QSpinBox *box, const char *objectName, const QString &name, const QString &accessible) {
        box->setObjectName(QLatin1String(objectName));
        box->setAccessibleName(accessible);
        box->setSpecialValueText(tr("none"));
        form->addRow(name, box);
        connect(box, &QSpinBox::valueChanged, this, &PatternPanel::enableAssign);
    };
    add(m_every, "patternEvery", tr("Full: the last of every"), tr("The last of every so many layers keeps everything"));
    add(m_first, "patternFirst", tr("and the first"), tr("So many first layers keep everything"));
    add(m_last, "patternLast", tr("and the last"), tr("So many last layers keep everything"));
    m_assign->setObjectName(QStringLiteral("assignPattern"));
    form->addRow(m_assign);
    setLayers(0);
    connect(m_assign, &QPushButton::clicked, this, [this] { Q_EMIT assignAsked(pattern()); });
}

LayerPattern PatternPanel::pattern() const
{
    return {.every = m_every->value(), .first = m_first->value(), .last = m_last->value()};
}

void PatternPanel::setLayers(int layers)
{
    for (QSpinBox *box : {m_every, m_first, m_last}) {
        box->setMaximum(layers);
        box->setEnabled(layers > 0);
    }
    enableAssign();
}

void PatternPanel::enableAssign()
{
    m_assign->setEnabled(pattern() != LayerPattern());
}

} // namespace zigzag
