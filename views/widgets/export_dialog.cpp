// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/export_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace zigzag {

namespace {

QString plain(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

} // namespace

ExportDialog::ExportDialog(const HeadMap &map, QWidget *parent)
    : QDialog(parent)
    , m_formats(new QTreeWidget(this))
    , m_note(new QLabel(this))
{
    setWindowTitle(tr("Export the map"));
    m_formats->setHeaderLabels({tr("Target"), tr("Sinks kept"), tr("Each head kept"), tr("KV freed")});
    m_formats->setRootIsDecorated(false);
    m_formats->setAccessibleName(tr("Export targets and what they keep"));
    int index = 0;
    for (const ExportFormat &format : exportFormats()) {
        const ExportVerdict verdict = format.verdict(map);
        const auto word = [](bool kept) { return kept ? tr("yes") : tr("no"); };
        auto *item = new QTreeWidgetItem(
            {plain(format.title), word(verdict.sinksKept), word(verdict.perHeadKept), word(verdict.kvFreed)});
        item->setData(0, Qt::UserRole, index++);
        item->setData(0, Qt::UserRole + 1, QString::fromStdString(verdict.note));
        m_formats->addTopLevelItem(item);
    }
    m_formats->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_note->setWordWrap(true);
    m_note->setTextFormat(Qt::PlainText);
    m_note->setMinimumHeight(3 * fontMetrics().lineSpacing());
    m_note->setAlignment(Qt::AlignTop | Qt::AlignLeft);

    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    auto *write = buttons->addButton(tr("Export…"), QDialogButtonBox::AcceptRole);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_formats, &QTreeWidget::itemActivated, this, &QDialog::accept);
    connect(m_formats, &QTreeWidget::currentItemChanged, this, [this, write](const QTreeWidgetItem *current) {
        write->setEnabled(current);
        m_note->setText(current ? current->data(0, Qt::UserRole + 1).toString() : QString());
    });
    auto *column = new QVBoxLayout(this);
    column->addWidget(m_formats);
    column->addWidget(m_note);
    column->addWidget(buttons);
    m_formats->setCurrentItem(m_formats->topLevelItem(0));
    resize(fontMetrics().averageCharWidth() * 90, fontMetrics().height() * 20);
}

const ExportFormat *ExportDialog::format() const
{
    const QTreeWidgetItem *current = m_formats->currentItem();
    return current ? &exportFormats()[static_cast<std::size_t>(current->data(0, Qt::UserRole).toInt())] : nullptr;
}

} // namespace zigzag
