// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/empty_map.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace zigzag {

EmptyMap::EmptyMap(QWidget *parent)
    : QWidget(parent)
    , m_text(new QLabel(this))
    , m_buttons(new QWidget(this))
{
    m_text->setObjectName(QStringLiteral("emptyMapText"));
    m_text->setAlignment(Qt::AlignCenter);
    m_text->setWordWrap(true);
    auto *buttons = new QVBoxLayout(m_buttons);
    buttons->setContentsMargins(0, 0, 0, 0);
    auto *column = new QVBoxLayout(this);
    column->addStretch(1);
    column->addWidget(m_text);
    column->addWidget(m_buttons, 0, Qt::AlignHCenter);
    column->addStretch(1);
}

void EmptyMap::show(const QString &text, const std::vector<Way> &ways)
{
    m_text->setText(text);
    if (ways == m_ways)
        return;
    m_ways = ways;
    qDeleteAll(m_buttons->findChildren<QPushButton *>(Qt::FindDirectChildrenOnly));
    for (const Way &way : ways) {
        auto *button = new QPushButton(way.text, m_buttons);
        button->setObjectName(way.recommends ? QStringLiteral("startRecommend") : QStringLiteral("open_") + way.name);
        if (way.recommends)
            connect(button, &QPushButton::clicked, this, &EmptyMap::recommendAsked);
        else
            connect(button, &QPushButton::clicked, this, [this, name = way.name] { Q_EMIT chosen(name); });
        m_buttons->layout()->addWidget(button);
    }
}

} // namespace zigzag
