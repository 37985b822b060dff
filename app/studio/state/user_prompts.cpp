// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/user_prompts.h"

#include "app/studio/state/export_measuring.h"
#include "views/models/native_path.h"
#include "views/models/text.h"
#include "views/widgets/exhibit.h"
#include "views/widgets/export_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLocale>
#include <QMessageBox>
#include <QPushButton>
#include <QUrl>

namespace zigzag {

namespace {

/// Dialogs are asked for an address, whose bytes are those of the name, UTF-8 or not. That holds for the desktop's dialogs; Qt's
/// own one does not list other names at all, and such a file comes by drag and drop, from the command line or as a recent one.
QString chosen(const QUrl &address)
{
    return address.isLocalFile() ? textOfUrl(address) : QString();
}

QStringList onlyFiles()
{
    return {QStringLiteral("file")};
}

} // namespace

QString DialogPrompts::fileToOpen(QWidget *parent, const QString &title)
{
    return chosen(QFileDialog::getOpenFileUrl(
        parent, title, {},
        tr("Maps, scores, traces, runs, profiles and models (*.json *.tsv *.trace *.gz *.gguf);;All files (*)"), nullptr, {},
        onlyFiles()));
}

QString DialogPrompts::folderToOpen(QWidget *parent, const QString &title)
{
    return chosen(QFileDialog::getExistingDirectoryUrl(parent, title, {}, QFileDialog::ShowDirsOnly, onlyFiles()));
}

QString DialogPrompts::fileToSave(QWidget *parent, const QString &title, const QString &suggested)
{
    const QString kinds = suggested.endsWith(QLatin1String(".html")) ? tr("Web pages (*.html);;All files (*)")
                                                                     : tr("Head maps (*.json);;All files (*)");
    return chosen(QFileDialog::getSaveFileUrl(parent, title, QUrl::fromLocalFile(suggested), kinds, nullptr, {}, onlyFiles()));
}

QString DialogPrompts::exhibitToSave(QWidget *parent, const QString &title, const QString &suggested)
{
    QString filter;
    QString path = chosen(
        QFileDialog::getSaveFileUrl(parent, title, QUrl::fromLocalFile(suggested), exhibitFilter(), &filter, {}, onlyFiles()));
    if (!path.isEmpty() && QFileInfo(path).suffix().isEmpty()) // what the filter names
        path += filter.section(QLatin1String("*"), 1, 1).section(QLatin1Char(')'), 0, 0);
    return path;
}

QString DialogPrompts::textFor(QWidget *parent, const QString &title, const QString &label, const QString &suggested)
{
    return QInputDialog::getText(parent, title, label, QLineEdit::Normal, suggested);
}

UserPrompts::Saving DialogPrompts::saveFirst(QWidget *parent, const QString &what)
{
    const auto answer
        = QMessageBox::warning(parent, tr("Unsaved changes"), tr("%1 has changes that are not saved. Save them first?").arg(what),
                               QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
    return answer == QMessageBox::Save ? Saving::Save : answer == QMessageBox::Discard ? Saving::Discard : Saving::Cancel;
}

UserPrompts::Unfinished DialogPrompts::goOn(QWidget *parent, const QString &what, const QDateTime &stopped)
{
    if (m_alone)
        return Unfinished::GoOn;
    QMessageBox box(QMessageBox::Question, tr("Unfinished search"),
                    tr("%1 was stopped on %2; what it measured until then is kept.")
                        .arg(what, QLocale().toString(stopped, QLocale::ShortFormat)),
                    QMessageBox::Cancel, parent);
    const QPushButton *goOn = box.addButton(tr("&Go on"), QMessageBox::AcceptRole);
    const QPushButton *anew = box.addButton(tr("&Begin anew"), QMessageBox::DestructiveRole);
    box.setInformativeText(tr("Go on from there, or begin anew?"));
    box.exec();
    return box.clickedButton() == goOn ? Unfinished::GoOn : box.clickedButton() == anew ? Unfinished::Anew : Unfinished::Cancel;
}

bool DialogPrompts::closeModel(QWidget *parent, const QString &what, const QString &model)
{
    if (m_alone)
        return true;
    QMessageBox box(QMessageBox::Question, tr("Another model"), tr("%1. %2 is open and does not fit.").arg(what, model),
                    QMessageBox::Cancel, parent);
    const QPushButton *close = box.addButton(tr("&Close the model and open"), QMessageBox::AcceptRole);
    box.setDefaultButton(QMessageBox::Cancel);
    box.exec();
    return box.clickedButton() == close;
}

std::optional<ExportChoice> DialogPrompts::exportTo(QWidget *parent, const HeadMap &map, const ExportModel *model,
                                                    RunController *runs, const CopyExportLine &copyLine)
{
    ExportDialog dialog(map, model, parent);
    QObject::connect(&dialog, &ExportDialog::lineAsked, &dialog, [&] {
        if (dialog.carried())
            copyLine(dialog.carried()->name, dialog.carriedOptions());
        else if (dialog.format())
            copyLine(dialog.format()->name, {});
    });
    if (runs)
        joinMeasuring(dialog, *runs, map);
    const ExportFormat *format = dialog.exec() == QDialog::Accepted ? dialog.format() : nullptr;
    const CarriedTarget *carried = dialog.result() == QDialog::Accepted ? dialog.carried() : nullptr;
    if (!format && !carried)
        return {};
    const bool writesFolder = format ? format->writesFolder : carried->writesFolder;
    const QString path = chosen(QFileDialog::getSaveFileUrl(
        parent, writesFolder ? tr("Export into a new folder") : tr("Export to a file"), {}, {}, nullptr, {}, onlyFiles()));
    if (path.isEmpty())
        return {};
    return ExportChoice{format, path, carried, dialog.carriedOptions()};
}

} // namespace zigzag
