// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/carried_target.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QString>
#include <functional>
#include <optional>
#include <string_view>

class QWidget;

namespace zigzag {

class RunController;

/// A format of maps, or a target that is calibrated first.
struct ExportChoice {
    const ExportFormat *format = nullptr;
    QString path;
    const CarriedTarget *carried = nullptr;
    CarriedOptions options = {}; ///< of `carried`
};

/// Puts the command that writes what is chosen into the clipboard: a format's or target's name, and how it is calibrated.
using CopyExportLine = std::function<void(std::string_view format, const CarriedOptions &options)>;

/// Every question that stops the window for an answer. A test answers in a person's place.
class UserPrompts
{
public:
    enum class Saving { Save, Discard, Cancel };
    enum class Unfinished { GoOn, Anew, Cancel };

    virtual ~UserPrompts() = default;
    // An empty answer means that the person thought better of it.
    virtual QString fileToOpen(QWidget *parent, const QString &title) = 0;
    virtual QString folderToOpen(QWidget *parent, const QString &title) = 0;
    virtual QString fileToSave(QWidget *parent, const QString &title, const QString &suggested) = 0;
    /// A picture or its numbers; the ending says which.
    virtual QString exhibitToSave(QWidget *parent, const QString &title, const QString &suggested) = 0;
    /// A line of text, such as a name.
    virtual QString textFor(QWidget *parent, const QString &title, const QString &label, const QString &suggested) = 0;
    virtual Saving saveFirst(QWidget *parent, const QString &what) = 0;
    /// Work of that name was stopped before its end, at the time given, and what it found so far is kept.
    virtual Unfinished goOn(QWidget *parent, const QString &what, const QDateTime &stopped) = 0;
    /// `what` is for a model of another shape than the one that is open, `model`: whether that one may be closed for it.
    virtual bool closeModel(QWidget *parent, const QString &what, const QString &model) = 0;
    /// `runs`: where the map may be measured first, with the model that is loaded; null where none is, or has no tokenizer.
    virtual std::optional<ExportChoice> exportTo(QWidget *parent, const HeadMap &map, const ExportModel *model,
                                                 RunController *runs, const CopyExportLine &copyLine)
        = 0;
};

/// The ordinary dialogs.
class DialogPrompts : public UserPrompts
{
    Q_DECLARE_TR_FUNCTIONS(zigzag::DialogPrompts)
public:
    /// `alone`: nobody is there to answer whether unfinished work goes on; it does.
    explicit DialogPrompts(bool alone = false)
        : m_alone(alone)
    { }
    QString fileToOpen(QWidget *parent, const QString &title) override;
    QString folderToOpen(QWidget *parent, const QString &title) override;
    QString fileToSave(QWidget *parent, const QString &title, const QString &suggested) override;
    QString exhibitToSave(QWidget *parent, const QString &title, const QString &suggested) override;
    QString textFor(QWidget *parent, const QString &title, const QString &label, const QString &suggested) override;
    Saving saveFirst(QWidget *parent, const QString &what) override;
    Unfinished goOn(QWidget *parent, const QString &what, const QDateTime &stopped) override;
    bool closeModel(QWidget *parent, const QString &what, const QString &model) override;
    std::optional<ExportChoice> exportTo(QWidget *parent, const HeadMap &map, const ExportModel *model, RunController *runs,
                                         const CopyExportLine &copyLine) override;

private:
    bool m_alone;
};

} // namespace zigzag
