// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QString>
#include <cstdint>
#include <optional>
#include <string>

class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace zigzag {

/// Asks what a recommended map is for, and shows what will be done and how long that takes as somebody else works it out: it
/// measures nothing itself.
class RecommendDialog : public QDialog
{
    Q_OBJECT
public:
    struct Start {
        QString model; ///< as a person reads it
        std::int64_t longest = 0; ///< tokens, of the model
        std::string engine; ///< among recommendedEngines()
        int minutes = 0;
    };
    explicit RecommendDialog(const Start &start, QWidget *parent = nullptr);

    struct Choice {
        std::string engine;
        std::int64_t context = 0;
        std::optional<std::int64_t> memory; ///< bytes
        std::optional<double> tpotMs;
        double kept = 0; ///< share
        double seconds = 0;
        QString prompts; ///< a file; empty: none
        QString folder; ///< for what is written
    };
    Choice choice() const;
    /// What is suggested, until a person chooses one.
    void suggestFolder(const QString &folder);
    void setPrompts(const QString &file);
    void setFolder(const QString &folder);

    /// `whyNot`: why it cannot begin, in one line; empty: it can.
    void showPlan(const QString &plan, const QString &whyNot);

Q_SIGNALS:
    void changed();
    void promptsAsked(); ///< a person looks for a file
    void folderAsked();

private:
    enum class Budget { None, Gibibytes, Mebibytes, Milliseconds };
    void buildFields(QFormLayout &form, const Start &start);
    void takeBudget();

    QComboBox *m_engine;
    QSpinBox *m_context;
    QComboBox *m_budget;
    QDoubleSpinBox *m_amount;
    QSpinBox *m_quality;
    QSpinBox *m_minutes;
    QLineEdit *m_prompts;
    QLineEdit *m_folder;
    QString m_suggested;
    QLabel *m_plan;
    QLabel *m_whyNot;
    QPushButton *m_start;
};

} // namespace zigzag
