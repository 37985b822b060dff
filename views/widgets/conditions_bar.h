// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cost/cost_model.h"

#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSpinBox;

namespace zigzag {

/// What the conditions bar shows.
struct ConditionsView {
    QString profile; ///< the file of another machine's profile; empty: this machine
    int batch = 1, gpus = 1;
    Link link;
};

/// For which machine, how many sequences at once and how many GPUs the plots speak. Says what was asked; changes nothing.
class ConditionsBar : public QWidget
{
    Q_OBJECT
public:
    explicit ConditionsBar(QWidget *parent = nullptr);
    void show(const ConditionsView &view);

    int batch() const;
    int gpus() const;
    Link link() const; ///< that was shown, or with the bandwidth that was given instead

Q_SIGNALS:
    void profileAsked();
    void thisMachineAsked();
    void changed(); ///< batch, GPUs or link

private:
    void showMachine(const QString &profile);
    void chooseMachine();

    QComboBox *m_machine;
    QSpinBox *m_batch;
    QComboBox *m_gpus;
    QLabel *m_linkName;
    QDoubleSpinBox *m_link;
    QString m_profile;
    Link m_shownLink;
};

} // namespace zigzag
