// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/accessible_grid.h"

#include <QAbstractItemModel>
#include <QAbstractItemView>
#include <QAccessible>
#include <QAccessibleWidget>
#include <QComboBox>
#include <QHash>
#include <QWindow>

#include <map>
#include <memory>
#include <utility>

namespace zigzag {

namespace {

/// The grids of the widgets that have one; a widget takes its own along when it goes.
QHash<const QObject *, AccessibleGrid> &grids()
{
    static QHash<const QObject *, AccessibleGrid> all;
    return all;
}

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): Qt alone deletes interfaces
class GridInterface;

/// Something of a table that can be pressed: pass `act` empty where it cannot. The names are Qt's.
class PressInterface : public QAccessibleActionInterface
{
public:
    QStringList actionNames() const override { return canPress() ? QStringList{toggleAction()} : QStringList(); }
    void doAction(const QString &name) override
    {
        if (name == toggleAction() && canPress())
            press();
    }
    QStringList keyBindingsForAction(const QString &) const override { return {}; }

protected:
    ~PressInterface() override = default;
    virtual bool canPress() const = 0;
    virtual void press() = 0;
};

/// The heading of a row or of a column: no child of the table, and what its cells name as theirs.
class HeaderInterface final : public QAccessibleInterface, public PressInterface
{
public:
    HeaderInterface(const GridInterface &table, Qt::Orientation orientation, int section)
        : m_table(table)
        , m_orientation(orientation)
        , m_section(section)
    { }

    bool isValid() const override;
    QObject *object() const override { return nullptr; }
    QWindow *window() const override;
    QAccessibleInterface *parent() const override;
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    QAccessible::Role role() const override
    {
        return m_orientation == Qt::Vertical ? QAccessible::RowHeader : QAccessible::ColumnHeader;
    }
    QRect rect() const override { return {}; } // what is seen of it is a part of the picture
    QAccessible::State state() const override
    {
        QAccessible::State state;
        state.invalid = !isValid();
        return state;
    }
    QString text(QAccessible::Text what) const override;
    void setText(QAccessible::Text, const QString &) override { }
    void *interface_cast(QAccessible::InterfaceType type) override
    {
        return type == QAccessible::ActionInterface && canPress() ? static_cast<QAccessibleActionInterface *>(this) : nullptr;
    }

protected:
    bool canPress() const override;
    void press() override;

private:
    const GridInterface &m_table;
    const Qt::Orientation m_orientation;
    const int m_section;
};

class CellInterface final : public QAccessibleInterface, public QAccessibleTableCellInterface, public PressInterface
{
public:
    CellInterface(const GridInterface &table, int row, int column)
        : m_table(table)
        , m_row(row)
        , m_column(column)
    { }

    bool isValid() const override { return index().isValid(); }
    QObject *object() const override { return nullptr; }
    QWindow *window() const override;
    QAccessibleInterface *parent() const override { return table(); }
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    QAccessible::Role role() const override { return QAccessible::Cell; }
    QRect rect() const override;
    QAccessible::State state() const override;
    QString text(QAccessible::Text what) const override;
    void setText(QAccessible::Text, const QString &) override { }
    void *interface_cast(QAccessible::InterfaceType type) override
    {
        if (type == QAccessible::ActionInterface && canPress())
            return static_cast<QAccessibleActionInterface *>(this);
        return type == QAccessible::TableCellInterface ? static_cast<QAccessibleTableCellInterface *>(this) : nullptr;
    }

    bool isSelected() const override;
    QList<QAccessibleInterface *> columnHeaderCells() const override;
    QList<QAccessibleInterface *> rowHeaderCells() const override;
    int columnIndex() const override { return m_column; }
    int rowIndex() const override { return m_row; }
    int columnExtent() const override { return 1; }
    int rowExtent() const override { return 1; }
    QAccessibleInterface *table() const override;

protected:
    bool canPress() const override;
    void press() override;

private:
    QModelIndex index() const;

    const GridInterface &m_table;
    int m_row, m_column;
};

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): Qt alone deletes interfaces
class GridInterface final : public QAccessibleWidget, public QAccessibleTableInterface
{
public:
    explicit GridInterface(QWidget *of)
        : QAccessibleWidget(of, QAccessible::Table)
    { }

    const AccessibleGrid &grid() const
    {
        static const AccessibleGrid none;
        const auto found = grids().constFind(object());
        return found == grids().constEnd() ? none : *found;
    }
    QWidget *shown() const { return widget(); }

    int rowCount() const override { return grid().model ? grid().model->rowCount() : 0; }
    int columnCount() const override { return grid().model ? grid().model->columnCount() : 0; }
    QAccessibleInterface *cellAt(int row, int column) const override
    {
        if (row < 0 || column < 0 || row >= rowCount() || column >= columnCount())
            return nullptr;
        const auto known = m_cells.find({row, column});
        if (known != m_cells.end())
            return QAccessible::accessibleInterface(known->second);
        auto *cell = new CellInterface(*this, row, column);
        m_cells[{row, column}] = QAccessible::registerAccessibleInterface(cell); // which deletes it
        return cell;
    }
    QAccessibleInterface *header(Qt::Orientation orientation, int section) const
    {
        const auto known = m_headers.find({orientation, section});
        if (known != m_headers.end())
            return QAccessible::accessibleInterface(known->second);
        auto *made = new HeaderInterface(*this, orientation, section);
        m_headers[{orientation, section}] = QAccessible::registerAccessibleInterface(made); // which deletes it
        return made;
    }
    QAccessibleInterface *caption() const override { return nullptr; }
    QAccessibleInterface *summary() const override { return nullptr; }
    QString rowDescription(int row) const override { return grid().rowName ? grid().rowName(row) : QString(); }
    QString columnDescription(int column) const override { return grid().columnName ? grid().columnName(column) : QString(); }

    int selectedCellCount() const override { return static_cast<int>(selectedCells().size()); }
    QList<QAccessibleInterface *> selectedCells() const override
    {
        QList<QAccessibleInterface *> cells;
        if (grid().selection)
            for (const QModelIndex &index : grid().selection->selectedIndexes())
                cells.append(cellAt(index.row(), index.column()));
        return cells;
    }
    int selectedRowCount() const override { return static_cast<int>(selectedRows().size()); }
    int selectedColumnCount() const override { return static_cast<int>(selectedColumns().size()); }
    QList<int> selectedRows() const override
    {
        QList<int> rows;
        for (int row = 0; row < rowCount(); ++row)
            if (isRowSelected(row))
                rows.append(row);
        return rows;
    }
    QList<int> selectedColumns() const override
    {
        QList<int> columns;
        for (int column = 0; column < columnCount(); ++column)
            if (isColumnSelected(column))
                columns.append(column);
        return columns;
    }
    bool isRowSelected(int row) const override { return grid().selection && grid().selection->isRowSelected(row); }
    bool isColumnSelected(int column) const override { return grid().selection && grid().selection->isColumnSelected(column); }
    bool selectRow(int row) override { return select(row, 0, QItemSelectionModel::Select | QItemSelectionModel::Rows); }
    bool selectColumn(int column) override
    {
        return select(0, column, QItemSelectionModel::Select | QItemSelectionModel::Columns);
    }
    bool unselectRow(int row) override { return select(row, 0, QItemSelectionModel::Deselect | QItemSelectionModel::Rows); }
    bool unselectColumn(int column) override
    {
        return select(0, column, QItemSelectionModel::Deselect | QItemSelectionModel::Columns);
    }
    void modelChange(QAccessibleTableModelChangeEvent *) override { } // cells ask the model each time

    int childCount() const override { return rowCount() * columnCount(); }
    QAccessibleInterface *child(int index) const override
    {
        return columnCount() > 0 ? cellAt(index / columnCount(), index % columnCount()) : nullptr;
    }
    int indexOfChild(const QAccessibleInterface *child) const override
    {
        auto *const cell = const_cast<QAccessibleInterface *>(child)->tableCellInterface();
        return cell && cell->table() == this ? cell->rowIndex() * columnCount() + cell->columnIndex() : -1;
    }
    QAccessibleInterface *childAt(int x, int y) const override
    {
        const QPoint at = shown()->mapFromGlobal(QPoint(x, y));
        for (int row = 0; row < rowCount(); ++row)
            for (int column = 0; column < columnCount(); ++column)
                if (grid().cell(row, column).contains(at))
                    return cellAt(row, column);
        return nullptr;
    }
    QAccessibleInterface *focusChild() const override
    {
        const QModelIndex current = grid().selection ? grid().selection->currentIndex() : QModelIndex();
        return shown()->hasFocus() && current.isValid() ? cellAt(current.row(), current.column()) : nullptr;
    }
    void *interface_cast(QAccessible::InterfaceType type) override
    {
        return type == QAccessible::TableInterface ? static_cast<QAccessibleTableInterface *>(this)
                                                   : QAccessibleWidget::interface_cast(type);
    }

protected:
    ~GridInterface() override
    {
        for (const auto &[place, id] : m_cells)
            QAccessible::deleteAccessibleInterface(id);
        for (const auto &[place, id] : m_headers)
            QAccessible::deleteAccessibleInterface(id);
    }

private:
    bool select(int row, int column, QItemSelectionModel::SelectionFlags flags)
    {
        if (!grid().selection || !grid().model->hasIndex(row, column))
            return false;
        grid().selection->select(grid().model->index(row, column), flags);
        return true;
    }

    mutable std::map<std::pair<int, int>, QAccessible::Id> m_cells;
    mutable std::map<std::pair<Qt::Orientation, int>, QAccessible::Id> m_headers;
};

bool HeaderInterface::isValid() const
{
    return m_section < (m_orientation == Qt::Vertical ? m_table.rowCount() : m_table.columnCount());
}

QWindow *HeaderInterface::window() const
{
    return m_table.window();
}

QAccessibleInterface *HeaderInterface::parent() const
{
    return QAccessible::queryAccessibleInterface(m_table.object());
}

QString HeaderInterface::text(QAccessible::Text what) const
{
    if (!isValid())
        return {};
    if (what == QAccessible::Name)
        return m_orientation == Qt::Vertical ? m_table.rowDescription(m_section) : m_table.columnDescription(m_section);
    return what == QAccessible::Description
        ? m_table.grid().model->headerData(m_section, m_orientation, Qt::ToolTipRole).toString()
        : QString();
}

bool HeaderInterface::canPress() const
{
    return isValid() && m_orientation == Qt::Vertical && m_table.grid().toggleRow;
}

void HeaderInterface::press()
{
    m_table.grid().toggleRow(m_section);
}

QList<QAccessibleInterface *> CellInterface::columnHeaderCells() const
{
    return isValid() ? QList<QAccessibleInterface *>{m_table.header(Qt::Horizontal, m_column)} : QList<QAccessibleInterface *>();
}

QList<QAccessibleInterface *> CellInterface::rowHeaderCells() const
{
    return isValid() ? QList<QAccessibleInterface *>{m_table.header(Qt::Vertical, m_row)} : QList<QAccessibleInterface *>();
}

bool CellInterface::canPress() const
{
    return isValid() && m_table.grid().toggleCell;
}

void CellInterface::press()
{
    m_table.grid().toggleCell(m_row, m_column);
}

QModelIndex CellInterface::index() const
{
    const QAbstractItemModel *model = m_table.grid().model;
    return model && model->hasIndex(m_row, m_column) ? model->index(m_row, m_column) : QModelIndex();
}

QWindow *CellInterface::window() const
{
    return m_table.window();
}

QAccessibleInterface *CellInterface::table() const
{
    return QAccessible::queryAccessibleInterface(m_table.object());
}

QRect CellInterface::rect() const
{
    const QRect place = isValid() ? m_table.grid().cell(m_row, m_column) : QRect();
    return {m_table.shown()->mapToGlobal(place.topLeft()), place.size()};
}

bool CellInterface::isSelected() const
{
    const QItemSelectionModel *selection = m_table.grid().selection;
    return selection && isValid() && selection->isSelected(index());
}

QAccessible::State CellInterface::state() const
{
    QAccessible::State state;
    state.invalid = !isValid();
    const QItemSelectionModel *selection = m_table.grid().selection;
    state.selectable = state.focusable = state.multiSelectable = selection != nullptr;
    state.selected = isSelected();
    state.focused = selection && selection->currentIndex() == index() && m_table.shown()->hasFocus();
    state.offscreen = isValid() && !m_table.shown()->rect().intersects(m_table.grid().cell(m_row, m_column));
    return state;
}

QString CellInterface::text(QAccessible::Text what) const
{
    switch (what) {
    case QAccessible::Name:
        return index().data(Qt::AccessibleTextRole).toString();
    case QAccessible::Description:
        return index().data(Qt::AccessibleDescriptionRole).toString();
    case QAccessible::Value:
        return index().data().toString();
    default:
        return {};
    }
}

/// Qt on Unix names a combo box by its value and leaves the name to a label beside it. Here both are said: "Criterion: zigzag".
class ComboInterface final : public QAccessibleWidget
{
public:
    explicit ComboInterface(QComboBox *box)
        : QAccessibleWidget(box, QAccessible::ComboBox)
        , m_box(box)
    { }
    QString text(QAccessible::Text what) const override
    {
        const QString name = QAccessibleWidget::text(QAccessible::Name);
        QString value = m_box->currentText();
        if (what == QAccessible::Value || (what == QAccessible::Name && name.isEmpty()))
            return value;
        if (what != QAccessible::Name)
            return QAccessibleWidget::text(what);
        return value.isEmpty() ? name : QStringLiteral("%1: %2").arg(name, value);
    }
    QAccessible::State state() const override
    {
        QAccessible::State state = QAccessibleWidget::state();
        state.expandable = state.hasPopup = true;
        state.expanded = m_box->view()->isVisible();
        return state;
    }
    int childCount() const override { return 1; }
    QAccessibleInterface *child(int index) const override
    {
        return index == 0 ? QAccessible::queryAccessibleInterface(m_box->view()) : nullptr;
    }
    int indexOfChild(const QAccessibleInterface *child) const override { return child->object() == m_box->view() ? 0 : -1; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    QStringList actionNames() const override { return {showMenuAction(), pressAction()}; }
    void doAction(const QString &action) override
    {
        if (action == showMenuAction() || action == pressAction())
            m_box->view()->isVisible() ? m_box->hidePopup() : m_box->showPopup();
    }

private:
    QComboBox *m_box;
};

CellListener &listener()
{
    static CellListener one;
    return one;
}

void tellOf(QWidget *widget, QAccessible::Event news, const QModelIndex &cell)
{
    QAccessibleEvent event(widget, news);
    event.setChild(cell.row() * cell.model()->columnCount() + cell.column());
    QAccessible::updateAccessibility(&event);
    if (listener())
        listener()(event);
}

QAccessibleInterface *interfaceFor(const QString &, QObject *object)
{
    auto *widget = qobject_cast<QWidget *>(object);
    if (!widget)
        return nullptr;
    if (grids().contains(object))
        return new GridInterface(widget);
    if (auto *box = qobject_cast<QComboBox *>(object); box && !box->isEditable())
        return new ComboInterface(box);
    if (widget->inherits("QCustomPlot") || widget->inherits("zigzag::TimelineView"))
        return new QAccessibleWidget(widget, QAccessible::Chart);
    return nullptr;
}

} // namespace

void nameWidgetsForScreenReaders()
{
    static const bool once = [] {
        QAccessible::installFactory(interfaceFor);
        return true;
    }();
    Q_UNUSED(once)
}

void listenToCells(CellListener wanted)
{
    listener() = std::move(wanted);
}

void makeAccessible(QWidget *widget, const AccessibleGrid &grid)
{
    nameWidgetsForScreenReaders();
    grids().insert(widget, grid);
    QObject::connect(widget, &QObject::destroyed, [widget] { grids().remove(widget); });
    const auto changed = [widget](QAccessibleTableModelChangeEvent::ModelChangeType what) {
        QAccessibleTableModelChangeEvent event(widget, what);
        QAccessible::updateAccessibility(&event);
    };
    QObject::connect(grid.model, &QAbstractItemModel::modelReset, widget,
                     [changed] { changed(QAccessibleTableModelChangeEvent::ModelReset); });
    QObject::connect(grid.model, &QAbstractItemModel::dataChanged, widget,
                     [changed] { changed(QAccessibleTableModelChangeEvent::DataChanged); });
    if (!grid.selection)
        return;
    // Who flips the head that has the focus hears what it has become; of the table's change nobody is told.
    const auto nameOfCurrent
        = [selection = grid.selection] { return selection->currentIndex().data(Qt::AccessibleTextRole).toString(); };
    const auto told = std::make_shared<QString>();
    QObject::connect(grid.model, &QAbstractItemModel::dataChanged, widget, [=, selection = grid.selection] {
        const QModelIndex current = selection->currentIndex();
        if (!current.isValid() || !widget->hasFocus() || nameOfCurrent() == *told)
            return;
        *told = nameOfCurrent();
        tellOf(widget, QAccessible::NameChanged, current);
    });
    QObject::connect(grid.selection, &QItemSelectionModel::currentChanged, widget, [=] { *told = nameOfCurrent(); });
    QObject::connect(grid.selection, &QItemSelectionModel::currentChanged, widget, [widget](const QModelIndex &current) {
        if (current.isValid() && widget->hasFocus())
            tellOf(widget, QAccessible::Focus, current);
    });
    QObject::connect(grid.selection, &QItemSelectionModel::selectionChanged, widget, [widget] {
        QAccessibleEvent event(widget, QAccessible::SelectionWithin);
        QAccessible::updateAccessibility(&event);
    });
}

} // namespace zigzag
