// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/models/layer_story.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;

namespace zigzag {

class AttentionView;
class LayerCostsModel;
class LayerOpinionsModel;

/// Why this layer: what is known of the layer that is selected, or else of the one that the keyboard is at, and what a head of
/// it looks at.
class InspectorPage : public Page
{
    Q_OBJECT
public:
    InspectorPage(Studio &studio, QWidget *parent);

    /// The head that the keyboard is at in the head map; −1 where it is nowhere.
    void follow(int layer, int head);
    AttentionView &attention() { return *m_attention; }
    /// Pictures what the head looks at, on the text that was typed, or on a needle question.
    void askAttention();
    /// What the page says in words of the layer that it is about, whether or not it is in front; without a title where it is
    /// about none.
    LayerStory told() const;
    /// What it says of the picture that it shows; empty without one.
    QStringList toldOfPicture() const;

protected:
    void refresh() override;
    void showEvent(QShowEvent *event) override;

private:
    int layer() const;
    QString servingFact(int layer) const;
    void showStory();
    void showPicture();
    void refreshAsking();

    QLabel *m_title, *m_facts, *m_asked, *m_words;
    QTableView *m_costs, *m_opinions;
    LayerCostsModel *m_costsModel;
    LayerOpinionsModel *m_opinionsModel;
    QLineEdit *m_text;
    QPushButton *m_ask;
    QComboBox *m_heads, *m_pooling;
    AttentionView *m_attention;
    int m_layer = -1, m_head = -1; ///< where the keyboard is
    std::string m_picturedModel; ///< whose picture is shown
};

} // namespace zigzag
