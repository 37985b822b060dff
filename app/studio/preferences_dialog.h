// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/preferences.h"

#include <QDialog>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace zigzag {

/// Edits preferences; what it was opened with stays until it is accepted.
class PreferencesDialog : public QDialog
{
    Q_OBJECT
public:
    PreferencesDialog(const Preferences &preferences, QWidget *parent);

    Preferences chosen() const;

private:
    void fill(const Preferences &preferences);
    void check();

    QSpinBox *m_threads, *m_font;
    QDoubleSpinBox *m_memory, *m_patience;
    QComboBox *m_language;
    QLineEdit *m_contexts;
    QLabel *m_wrong;
    QPushButton *m_accept = nullptr;
};

} // namespace zigzag
