// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/prompt_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStandardItemModel>

namespace zigzag {

PromptPanel::PromptPanel(QWidget *parent)
    : QWidget(parent)
    , m_text(new QPlainTextEdit(this))
    , m_source(new QLabel(this))
    , m_file(new QPushButton(tr("File…"), this))
    , m_more(new QPushButton(tr("Next question"), this))
    , m_ask(new QPushButton(tr("Ask both"), this))
    , m_stop(new QPushButton(tr("Stop"), this))
    , m_maps{new QComboBox(this), new QComboBox(this)}
    , m_most(new QSpinBox(this))
    , m_chat(new QCheckBox(tr("As chat"), this))
{
    m_text->setObjectName(QStringLiteral("prompt"));
    m_text->setAccessibleName(tr("Prompt"));
    m_text->setPlaceholderText(tr("Type or paste a prompt, or double-click a cell of the needle page."));
    m_text->setTabChangesFocus(true);
    m_text->setMinimumHeight(fontMetrics().height() * 3);
    m_source->setObjectName(QStringLiteral("promptSource"));
    m_source->setTextFormat(Qt::PlainText);
    m_source->setWordWrap(true);
    m_file->setObjectName(QStringLiteral("promptFile"));
    m_file->setToolTip(tr("Take the prompt from a file of text"));
    m_more->setObjectName(QStringLiteral("nextQuestion"));
    m_more->setToolTip(tr("Another needle at the same context and depth"));
    m_ask->setObjectName(QStringLiteral("askBoth"));
    m_stop->setObjectName(QStringLiteral("stopAnswers"));
    m_stop->setToolTip(tr("What was generated so far stays"));
    m_maps[0]->setObjectName(QStringLiteral("leftMap"));
    m_maps[0]->setAccessibleName(tr("The map on the left"));
    m_maps[1]->setObjectName(QStringLiteral("rightMap"));
    m_maps[1]->setAccessibleName(tr("The map on the right"));
    m_most->setObjectName(QStringLiteral("mostTokens"));
    m_most->setAccessibleName(tr("Most tokens of an answer"));
    m_most->setRange(1, 4096);
    m_most->setValue(48);
    m_most->setSuffix(tr(" tokens"));
    m_most->setToolTip(tr("Most tokens of an answer"));
    m_chat->setObjectName(QStringLiteral("chatTemplate"));
    m_chat->setToolTip(tr("The prompt is a user's message, put into the model's own chat template"));
    m_chat->setChecked(true);
    m_chat->hide();
    build();
    setPrompt({});
    connect(m_text, &QPlainTextEdit::textChanged, this, [this] {
        m_source->hide();
        m_more->hide();
        Q_EMIT edited();
    });
    connect(m_ask, &QPushButton::clicked, this, &PromptPanel::askClicked);
    connect(m_stop, &QPushButton::clicked, this, &PromptPanel::stopClicked);
    connect(m_file, &QPushButton::clicked, this, &PromptPanel::fileClicked);
    connect(m_more, &QPushButton::clicked, this, &PromptPanel::moreClicked);
    for (QComboBox *box : m_maps)
        connect(box, &QComboBox::activated, this, &PromptPanel::mapsChosen);
}

void PromptPanel::build()
{
    const int gap = fontMetrics().height() / 3;
    for (QComboBox *box : m_maps) {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(12);
    }
    auto *maps = new QHBoxLayout;
    maps->addWidget(m_maps[0], 1);
    maps->addWidget(new QLabel(tr("and"), this));
    maps->addWidget(m_maps[1], 1);
    auto *settings = new QHBoxLayout;
    settings->addWidget(m_file);
    settings->addWidget(m_most);
    settings->addWidget(m_chat);
    settings->addStretch(1);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(m_ask);
    buttons->addWidget(m_stop);
    buttons->addWidget(m_more);
    buttons->addStretch(1);
    for (QHBoxLayout *row : {maps, settings, buttons})
        row->setSpacing(gap);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(gap, gap, gap, gap);
    column->setSpacing(gap);
    column->addWidget(m_text, 1);
    column->addWidget(m_source);
    column->addLayout(maps);
    column->addLayout(settings);
    column->addLayout(buttons);
    setTabOrder(m_text, m_maps[0]);
    setTabOrder(m_maps[0], m_maps[1]);
    setTabOrder(m_maps[1], m_file);
    setTabOrder(m_file, m_most);
    setTabOrder(m_most, m_chat);
    setTabOrder(m_chat, m_ask);
    setTabOrder(m_ask, m_stop);
    setTabOrder(m_stop, m_more);
}

QSize PromptPanel::minimumSizeHint() const
{
    return layout()->minimumSize().expandedTo({fontMetrics().averageCharWidth() * 34, 0});
}

QString PromptPanel::prompt() const
{
    return m_text->toPlainText();
}

void PromptPanel::setPrompt(const QString &text, const QString &source, bool hasMore)
{
    {
        const QSignalBlocker quiet(m_text);
        m_text->setPlainText(text);
    }
    m_source->setText(source);
    m_source->setVisible(!source.isEmpty());
    m_more->setVisible(hasMore);
}

int PromptPanel::mostTokens() const
{
    return m_most->value();
}

bool PromptPanel::isChat() const
{
    return m_chat->isVisibleTo(this) && m_chat->isChecked();
}

void PromptPanel::setHasChat(bool hasChat)
{
    m_chat->setVisible(hasChat);
}

void PromptPanel::setMaps(const QStringList &names, const std::vector<bool> &available)
{
    for (QComboBox *box : m_maps) {
        while (box->count() > names.size())
            box->removeItem(box->count() - 1);
        while (box->count() < names.size()) // behind the others: what is chosen stays chosen
            box->addItem(QString());
        for (int i = 0; i < names.size(); ++i) {
            box->setItemText(i, names[i]);
            auto *items = qobject_cast<QStandardItemModel *>(box->model());
            items->item(i)->setEnabled(available[static_cast<std::size_t>(i)]);
        }
    }
}

std::array<int, 2> PromptPanel::chosen() const
{
    return {m_maps[0]->currentIndex(), m_maps[1]->currentIndex()};
}

void PromptPanel::choose(std::array<int, 2> maps)
{
    for (std::size_t side = 0; side < 2; ++side)
        m_maps[side]->setCurrentIndex(maps[side]);
}

void PromptPanel::setState(const QString &whyNot, bool isRunning)
{
    m_ask->setEnabled(whyNot.isEmpty());
    m_ask->setToolTip(whyNot.isEmpty() ? tr("Both maps answer, token for token beside each other") : whyNot);
    m_stop->setEnabled(isRunning);
}

} // namespace zigzag
