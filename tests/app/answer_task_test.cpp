// SPDX-License-Identifier: GPL-3.0-or-later
// See one answer break, and repair it: the bundled model with a map in which every layer streams. The needles that it no longer
// finds lead to the answers, the scores of the layers that differ say which ones had found them, and those two retrieve again.
#include "task_fixture.h"
#include "views/widgets/needle_view.h"

#include <QAccessible>
#include <QSlider>
#include <QStyleOptionSlider>
#include <QTableView>

namespace zigzag::test {

namespace {

/// The handle of a slider as it lies at a value.
Place handle(MainWindow &window, const QString &name, int value)
{
    return {QStringLiteral("%1 at %2").arg(name).arg(value), [&window, name, value]() -> std::optional<Spot> {
                auto *slider = window.findChild<QSlider *>(name);
                if (!slider || !slider->isVisible() || !slider->isEnabled())
                    return {};
                QStyleOptionSlider option;
                option.initFrom(slider);
                option.orientation = slider->orientation();
                option.minimum = slider->minimum();
                option.maximum = slider->maximum();
                option.sliderPosition = option.sliderValue = value;
                option.subControls = QStyle::SC_All;
                const QRect rect = slider->style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, slider);
                return Spot{slider, slider->mapToGlobal(rect.center())};
            }};
}

} // namespace

class AnswerTask : public TaskTest
{
protected:
    void SetUp() override { start(QString::fromLatin1(bundled)); }

    bool isAllStreaming() { return map().streamingHeads() == map().model().mappableHeads(); }
    NeedleGrid &grid() { return window().findChild<NeedleView *>()->currentGrid(); }
    /// The cell where the map finds least; none while it has not been asked for all of them.
    QModelIndex worst()
    {
        NeedleModel &model = grid().model();
        QModelIndex found;
        for (int row = 0; row < model.rowCount(); ++row)
            for (int column = 0; column < model.columnCount(); ++column)
                if (const QModelIndex each = model.index(row, column); !found.isValid() || share(each) < share(found))
                    found = each;
        return isIdle() && !model.isPartial() ? found : QModelIndex();
    }
    static double share(const QModelIndex &cell) { return cell.data(NeedleModel::AccuracyRole).toDouble(); }
    bool isNeedleLost()
    {
        const QModelIndex cell = worst();
        const NeedleModel &full = window().findChild<NeedleView *>()->fullGrid().model();
        return cell.isValid() && share(cell) < share(full.index(cell.row(), cell.column()));
    }
    Place worstCell()
    {
        return {QStringLiteral("the cell where least is found"), [this]() -> std::optional<Spot> {
                    const QModelIndex cell = worst();
                    QAccessibleInterface *told = QAccessible::queryAccessibleInterface(&grid());
                    if (!cell.isValid() || !grid().isVisible() || !told)
                        return {};
                    return Spot{&grid(), told->tableInterface()->cellAt(cell.row(), cell.column())->rect().center()};
                }};
    }
    /// Among the layers in which the two maps differ.
    Place changedLayer(int layer)
    {
        return {QStringLiteral("layer %1 among those that differ").arg(layer), [this, layer]() -> std::optional<Spot> {
                    auto *table = window().findChild<QTableView *>(QStringLiteral("layerChanges"));
                    for (int row = 0; table && table->isVisible() && row < table->model()->rowCount(); ++row) {
                        const QModelIndex number = table->model()->index(row, 0);
                        const QRect rect = table->visualRect(number) & table->viewport()->rect();
                        if (number.data().toString() == QString::number(layer) && !rect.isEmpty())
                            return Spot{table->viewport(), table->viewport()->mapToGlobal(rect.center())};
                    }
                    return {};
                }};
    }
    bool hasParted() { return isIdle() && said("verdict").startsWith("They part at token "); }
    bool isRepaired() { return isIdle() && said("verdict").startsWith("Both say the same "); }
    bool areRetrieving()
    {
        for (int layer = 0; layer < map().layers(); ++layer)
            if (map().at(layer, 0) != (layer < first ? HeadKind::Streaming : HeadKind::Retrieval))
                return false;
        return true;
    }
    static constexpr int first = 6, last = 7; ///< layers whose scores are the highest
};

TEST_F(AnswerTask, Mouse)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        const int streaming = me.ask([&] { return window().findChild<QSlider *>("sparsitySlider")->value(); });
        me.drag(handle(window(), "sparsitySlider", streaming), handle(window(), "sparsitySlider", 100));
        me.sees("every layer streaming", [&] { return isAllStreaming(); });
        me.click(button("Needle"));
        me.sees("a needle that only full attention finds", [&] { return isNeedleLost(); });
        me.doubleClick(worstCell());
        me.sees("where the answers part", [&] { return hasParted(); });
        me.drag(changedLayer(first), changedLayer(last));
        me.click(menu("Edit"));
        me.click(menu("Let heads retrieve"));
        me.sees("them retrieving again", [&] { return areRetrieving(); });
        me.click(button("Ask both"));
        me.sees("that the answers agree", [&] { return isRepaired(); });
    });
    expectActions("See one answer break, and repair it", "mouse", 7);
}

TEST_F(AnswerTask, KeyboardAlone)
{
    Person &me = person();
    me.run([&] {
        me.sees("the bundled model with its scores", [&] { return isReady(); });
        me.press(shortcutOf("show_map"));
        me.press("Ctrl+A");
        me.press("S");
        me.sees("every layer streaming", [&] { return isAllStreaming(); });
        me.press("F6");
        me.sees("a needle that only full attention finds", [&] { return isNeedleLost(); });
        me.press(shortcutOf("show_needle"));
        me.press("Enter"); // on the cell where least is found
        me.sees("where the answers part", [&] { return hasParted(); });
        me.press(shortcutOf("show_map"));
        me.press("PageDown");
        me.press("Shift+End");
        me.press("Shift+Up");
        me.press("R");
        me.sees("them retrieving again", [&] { return areRetrieving(); });
        me.press("F4");
        me.sees("that the answers agree", [&] { return isRepaired(); });
    });
    expectActions("See one answer break, and repair it", "keyboard", 12);
}

} // namespace zigzag::test
