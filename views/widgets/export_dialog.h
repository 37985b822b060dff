// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/carried_target.h"
#include "profiler/carry/carry_quality.h"
#include "profiler/exports/export_format.h"

#include <QDialog>
#include <QStringList>
#include <optional>

class QCheckBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace zigzag {

/// The targets that a map can be exported to, each with its verdict: what that target keeps of the map.
class ExportDialog : public QDialog
{
    Q_OBJECT
public:
    /// `model` may be null: then the targets that need its config say so.
    ExportDialog(const HeadMap &map, const ExportModel *model, QWidget *parent = nullptr);
    /// What was chosen: one of both, or neither where the target refuses the map.
    const ExportFormat *format() const;
    const CarriedTarget *carried() const;
    CarriedOptions carriedOptions() const;

    /// The model is loaded: what is calibrated before it is written can be chosen, and the button is there that asks what the map
    /// costs where its sinks are not kept; whoever hears it measures.
    void offerMeasuring();
    bool isMeasuring() const { return m_measuring; }
    void showProgress(double fraction);
    void showCost(const CarryQuality &cost);
    /// The measurement is over, with what it showed or with a reason why there is nothing to show.
    void endMeasuring(const QString &why = {});

Q_SIGNALS:
    void measureAsked();
    void measureCancelled();
    /// What is chosen, as the command that writes it.
    void lineAsked();

protected:
    void showEvent(QShowEvent *event) override;

private:
    void addTargets(const HeadMap &map, const ExportModel *model);
    QTreeWidgetItem *addTarget(std::string_view name, std::string_view title, const ExportVerdict &verdict);
    QWidget *carriedRow();
    void showTarget();
    void chooseTexts();
    void toggleMeasuring();
    void sayCost(const QString &text);
    /// What was measured, of the chosen target first.
    void showFound();
    void giveRoom(QLabel &label);

    QTreeWidget *m_formats;
    QLabel *m_note;
    QLabel *m_cost;
    QPushButton *m_measure;
    QProgressBar *m_progress;
    QWidget *m_carriedRow = nullptr;
    QCheckBox *m_fits = nullptr, *m_copies = nullptr;
    QPushButton *m_chooseTexts = nullptr;
    QPushButton *m_write = nullptr, *m_line = nullptr;
    QStringList m_texts;
    std::optional<CarryQuality> m_found; ///< what the map costs, once it was measured
    bool m_canRun = false;
    bool m_measuring = false;
};

} // namespace zigzag
