// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>
#include <array>
#include <vector>

class QCheckBox;
class QComboBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace zigzag {

/// What two maps are asked, and which two.
class PromptPanel : public QWidget
{
    Q_OBJECT
public:
    explicit PromptPanel(QWidget *parent = nullptr);

    QString prompt() const;
    /// Put there by the program. `source` says where it comes from, until a person edits it; `hasMore`: there is a next one.
    void setPrompt(const QString &text, const QString &source = {}, bool hasMore = false);
    int mostTokens() const;
    bool isChat() const;
    /// Whether the model has a chat template; without one nobody is asked.
    void setHasChat(bool hasChat);
    /// The maps to choose from, by name, and which of them are there.
    void setMaps(const QStringList &names, const std::vector<bool> &available);
    std::array<int, 2> chosen() const; ///< indexes of the two maps
    void choose(std::array<int, 2> maps);
    /// What can be done now. `whyNot`: why nothing can be asked, for the tooltip; empty: it can.
    void setState(const QString &whyNot, bool isRunning);
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void askClicked();
    void stopClicked();
    void fileClicked();
    void moreClicked();
    void edited(); ///< by a person: the prompt is theirs now
    void mapsChosen();

private:
    void build();

    QPlainTextEdit *m_text;
    QLabel *m_source;
    QPushButton *m_file, *m_more, *m_ask, *m_stop;
    std::array<QComboBox *, 2> m_maps;
    QSpinBox *m_most;
    QCheckBox *m_chat;
};

} // namespace zigzag
