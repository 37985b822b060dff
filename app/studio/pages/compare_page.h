// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"

#include <optional>

class QComboBox;
class QLabel;
class QTableView;

namespace zigzag {

class MapDifferenceModel;

/// The map beside another: full attention, what DuoAttention or Zigzag would choose, or a file, another variant. Layers and heads
/// that differ, and what each costs.
class ComparePage : public Page
{
    Q_OBJECT
public:
    ComparePage(Studio &studio, QWidget *parent);

    /// Takes the other map from a file. False, with a message, where it cannot be read or is for another shape.
    bool compareWith(const QString &file);

protected:
    void refresh() override;

private:
    void chooseFile();
    void offerVariants();
    const HeadMap *other() const;
    void selectLayer();
    void followSelection();

    QComboBox *m_against;
    QLabel *m_summary;
    QTableView *m_table;
    MapDifferenceModel *m_model;
    bool m_following = false; ///< the selection comes from another view
    std::optional<HeadMap> m_file;
    QStringList m_variants; ///< that can be chosen
    std::optional<HeadMap> m_variant; ///< the one that is
    // What is shown, so that a refresh without a change costs nothing.
    std::optional<HeadMap> m_shown, m_shownOther;
    std::shared_ptr<const HeadScores> m_shownScores;
    std::int64_t m_shownContext = 0;
};

} // namespace zigzag
