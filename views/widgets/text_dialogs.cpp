// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/text_dialogs.h"

#include "views/widgets/command_palette.h"

#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace zigzag {

namespace {

void closeButton(QDialog *dialog, QVBoxLayout *column)
{
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, dialog);
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    column->addWidget(buttons);
}

} // namespace

ShortcutsDialog::ShortcutsDialog(const QList<QAction *> &actions, const QList<std::pair<QString, QString>> &gestures,
                                 QWidget *parent)
    : QDialog(parent)
{
    setWindowTitle(tr("Keyboard and mouse"));
    auto *list = new QTreeWidget(this);
    list->setRootIsDecorated(false);
    list->setHeaderLabels({tr("Keys"), tr("What they do")});
    list->setAccessibleName(tr("Shortcuts"));
    for (const auto &[hand, what] : gestures)
        list->addTopLevelItem(new QTreeWidgetItem({hand, what}));
    for (const QAction *action : actions)
        if (!action->shortcut().isEmpty())
            list->addTopLevelItem(
                new QTreeWidgetItem({action->shortcut().toString(QKeySequence::NativeText),
                                     action->property(CommandPalette::prefix).toString() + plainText(*action)}));
    list->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    auto *column = new QVBoxLayout(this);
    column->addWidget(list);
    closeButton(this, column);
    resize(fontMetrics().averageCharWidth() * 90, fontMetrics().height() * 34);
}

AboutDialog::AboutDialog(QWidget *parent)
    : QDialog(parent)
{
    setWindowTitle(tr("About Zigzag Studio"));
    auto *text = new QLabel(this);
    text->setWordWrap(true);
    text->setTextFormat(Qt::RichText);
    text->setTextInteractionFlags(Qt::TextBrowserInteraction);
    text->setOpenExternalLinks(true);
    text->setText(
        tr("<h3>Zigzag Studio %1</h3>"
           "<p>Which layers of a language model can stream, what that gains and what it loses.</p>"
           "<p>The windowed program is free software under the GNU General Public License, version 3 or later. It comes with no "
           "warranty.</p>"
           "<p>Made with Qt %2 (LGPL 3), QCustomPlot (GPL 3 or later), oneDNN and Highway (Apache 2.0), PCRE2 (BSD), OpenSSL "
           "(Apache 2.0), "
           "fmt and nlohmann/json (MIT), tl::expected (CC0). The colours of the scores are matplotlib's viridis (CC0).</p>"
           "<p>ZigzagAttention: arXiv 2508.12407. DuoAttention: arXiv 2410.10819. Retrieval heads: arXiv 2404.15574.</p>")
            .arg(QCoreApplication::applicationVersion(), QLatin1String(qVersion())));
    text->setMinimumWidth(fontMetrics().averageCharWidth() * 70);
    auto *column = new QVBoxLayout(this);
    column->addWidget(text);
    closeButton(this, column);
}

} // namespace zigzag
