// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "app/studio/state/asked_elsewhere.h"
#include "profiler/jobs/side_by_side_job.h"

#include <QStringList>
#include <array>
#include <optional>

class QLabel;
class QSplitter;
class QTableView;

namespace zigzag {

class AnswerView;
class LayerChangesModel;
class PromptPanel;

/// Two maps answer one prompt beside each other, and beneath it where they differ, layer by layer.
class AnswersPage : public Page
{
    Q_OBJECT
public:
    AnswersPage(Studio &studio, QWidget *parent);

    /// Asks a question of the needle page, the first of its context and depth, of full attention and this map.
    void askNeedle(std::int64_t context, double depth);
    /// Asks a question, by the model's template where it wants one, of full attention and this map.
    void askQuestion(const AskedElsewhere &question);
    /// Takes the prompt from a file of text. False, with a message, where it is none.
    bool takePrompt(const QString &file);

protected:
    void refresh() override;
    void showEvent(QShowEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    struct NeedlePlace {
        std::int64_t context = 0;
        double depth = 0;
        int trial = 0;
    };
    struct Asked {
        std::array<jobs::AnsweringMap, 2> maps;
        std::string text;
        bool isChat = false;
        int most = 0;
        std::optional<NeedlePlace> needle; ///< the text is its question's, made by the run
        std::optional<AskedElsewhere> question; ///< the same
    };
    static Result<std::vector<int>> tokensOf(const JobContext &context, Asked &asked, std::int64_t &cut);

    void build();
    void ask();
    void stop();
    void run(const Asked &asked);
    void take(const std::shared_ptr<const jobs::SideBySide> &both);
    QString whyNot() const;
    const HeadMap *mapOf(int choice) const;
    void refreshLayers();
    void showVerdict();
    void showThoughts();
    void copy();
    void selectLayer();
    void followSelection();
    static QString sourceText(const NeedlePlace &needle);

    QSplitter *m_split;
    PromptPanel *m_panel;
    AnswerView *m_view;
    QLabel *m_verdict, *m_thoughts;
    QTableView *m_table;
    LayerChangesModel *m_layers;
    QStringList m_names; ///< of the maps to choose from
    std::optional<NeedlePlace> m_needle;
    std::optional<AskedElsewhere> m_question;
    std::optional<std::array<HeadMap, 2>> m_asked; ///< the maps behind the answers
    ModelShape m_model; ///< that the answers are of
    bool m_following = false; ///< the selection comes from another view
};

} // namespace zigzag
