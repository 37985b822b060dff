// SPDX-License-Identifier: GPL-3.0-or-later
#include "person.h"

#include "app/studio/main_window.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QKeySequence>
#include <QMenu>
#include <QMenuBar>
#include <QProcess>
#include <QRadioButton>
#include <QScreen>
#include <QStyleOptionButton>
#include <QTabBar>
#include <QTest>
#include <QThread>

#include <gtest/gtest.h>
#include <memory>
#include <thread>

namespace zigzag::test {

namespace {

constexpr unsigned long lookAgain = 20; // ms

QString plainText(QString text)
{
    return text.remove(QLatin1Char('&')).section(QLatin1Char('\t'), 0, 0);
}

/// What a click can reach: the popup that is open, else the dialog, else the window.
QList<QWidget *> inFront()
{
    QList<QWidget *> popups;
    for (QWidget *each : QApplication::topLevelWidgets())
        if (each->isVisible() && each->windowType() == Qt::Popup)
            popups << each;
    if (!popups.isEmpty())
        return popups;
    if (QWidget *modal = QApplication::activeModalWidget())
        return {modal};
    QList<QWidget *> windows;
    for (QWidget *each : QApplication::topLevelWidgets())
        if (each->isVisible())
            windows << each;
    return windows;
}

/// A view whose viewport covers all of it has nothing visible of its own.
bool isSeen(const QWidget &widget)
{
    const auto *area = qobject_cast<const QAbstractScrollArea *>(&widget);
    return widget.isVisible() && !(area ? area->viewport() : &widget)->visibleRegion().isEmpty();
}

template <class T> QList<T *> shown()
{
    QList<T *> found;
    for (QWidget *window : inFront()) {
        if (auto *self = qobject_cast<T *>(window))
            found << self;
        for (T *each : window->findChildren<T *>())
            if (isSeen(*each))
                found << each;
    }
    return found;
}

Spot spotIn(QWidget &widget, const QRect &rect)
{
    return {&widget, widget.mapToGlobal((rect & widget.visibleRegion().boundingRect()).center())};
}

/// Where one clicks on it: a box to tick may be wider than what hears a click.
Spot spotOn(QWidget &widget)
{
    if (!qobject_cast<QCheckBox *>(&widget) && !qobject_cast<QRadioButton *>(&widget))
        return spotIn(widget, widget.rect());
    QStyleOptionButton option;
    option.initFrom(&widget);
    const bool isBox = qobject_cast<QCheckBox *>(&widget);
    return spotIn(
        widget,
        widget.style()->subElementRect(isBox ? QStyle::SE_CheckBoxIndicator : QStyle::SE_RadioButtonIndicator, &option, &widget));
}

/// "Ctrl+Shift+P" as xdotool writes it.
QString keysym(const QString &keys)
{
    QStringList parts = keys.split(QLatin1Char('+'));
    QString &last = parts.last();
    for (const auto &[name, symbol] : {std::pair("Enter", "Return"), std::pair("Esc", "Escape"), std::pair("Space", "space"),
                                       std::pair("Backtab", "shift+Tab"), std::pair("PageDown", "Page_Down")})
        if (last == QLatin1String(name))
            last = QLatin1String(symbol);
    for (QString &part : parts)
        if (&part != &last || part.size() == 1)
            part = part.toLower();
    return parts.join(QLatin1Char('+'));
}

/// To whoever has the keyboard, in the window's thread.
void sendChord(const QString &keys)
{
    QWidget *popup = QApplication::activePopupWidget(), *focus = QApplication::focusWidget();
    QWidget *heard = popup ? popup : focus ? focus : QApplication::activeWindow();
    const QKeyCombination chord = QKeySequence::fromString(keys)[0];
    if (heard)
        QTest::keyClick(heard, chord.key(), chord.keyboardModifiers());
}

} // namespace

Place widgetNamed(const QString &name)
{
    return {name, [name]() -> std::optional<Spot> {
                for (QWidget *each : shown<QWidget>())
                    if (each->objectName() == name && each->isEnabled())
                        return spotOn(*each);
                return {};
            }};
}

Place button(const QString &text)
{
    return {text, [text]() -> std::optional<Spot> {
                for (QAbstractButton *each : shown<QAbstractButton>())
                    if (plainText(each->text()) == text && each->isEnabled())
                        return spotOn(*each);
                return {};
            }};
}

Place menu(const QString &text)
{
    return {text, [text]() -> std::optional<Spot> {
                for (QMenu *each : shown<QMenu>())
                    for (QAction *action : each->actions())
                        if (plainText(action->text()) == text && action->isEnabled())
                            return spotIn(*each, each->actionGeometry(action));
                for (QMenuBar *bar : shown<QMenuBar>())
                    for (QAction *action : bar->actions())
                        if (plainText(action->text()) == text)
                            return spotIn(*bar, bar->actionGeometry(action));
                return {};
            }};
}

Place tab(const QString &title)
{
    return {title, [title]() -> std::optional<Spot> {
                for (QTabBar *bar : shown<QTabBar>())
                    for (int index = 0; index < bar->count(); ++index)
                        if (plainText(bar->tabText(index)) == title)
                            return spotIn(*bar, bar->tabRect(index));
                return {};
            }};
}

Place row(const QString &text)
{
    return {text, [text]() -> std::optional<Spot> {
                for (QAbstractItemView *view : shown<QAbstractItemView>()) {
                    const QAbstractItemModel *model = view->model();
                    for (int index = 0; model && index < model->rowCount(view->rootIndex()); ++index) {
                        const QModelIndex item = model->index(index, 0, view->rootIndex());
                        const QRect rect = view->visualRect(item) & view->viewport()->rect();
                        if (item.data().toString().startsWith(text) && !rect.isEmpty())
                            return spotIn(*view->viewport(), rect);
                    }
                }
                return {};
            }};
}

void Person::inWindow(const std::function<void()> &function)
{
    QMetaObject::invokeMethod(qApp, function, Qt::BlockingQueuedConnection);
}

void Person::lose(const QString &what)
{
    if (const QString picture = qEnvironmentVariable("ZIGZAG_PICTURE_WHEN_LOST"); !picture.isEmpty())
        inWindow([&] { QGuiApplication::primaryScreen()->grabWindow().save(picture); });
    ADD_FAILURE() << what.toStdString();
    throw Lost(what.toStdString());
}

void Person::run(const std::function<void()> &script)
{
    QEventLoop loop;
    std::thread thread([&] {
        try {
            script();
        } catch (const Lost &) {
            inWindow([] { // so that the window's thread comes back
                for (int most = 10; most > 0 && QApplication::activePopupWidget(); --most)
                    QApplication::activePopupWidget()->close();
                for (int most = 10; most > 0 && QApplication::activeModalWidget(); --most)
                    QApplication::activeModalWidget()->close();
            });
        }
        QMetaObject::invokeMethod(&loop, &QEventLoop::quit, Qt::QueuedConnection);
    });
    loop.exec();
    thread.join();
}

void Person::sees(const QString &what, const std::function<bool()> &isSo, int seconds)
{
    QElapsedTimer clock;
    clock.start();
    while (!ask(isSo)) {
        if (clock.elapsed() > seconds * 1000)
            lose(QStringLiteral("waited in vain for: ") + what);
        QThread::msleep(lookAgain);
    }
}

/// Once it has stopped moving, and nothing lies before it.
Spot Person::spotOf(const Place &place) const
{
    constexpr int patience = 20000; // ms
    QElapsedTimer clock;
    clock.start();
    std::optional<Spot> last;
    QString why = QStringLiteral("is not there");
    while (clock.elapsed() < patience) {
        const auto found = ask(place.find);
        if (found && last && last->widget == found->widget && last->at == found->at) {
            const bool isClear = ask([&] {
                const QWidget *met = QApplication::widgetAt(found->at);
                why = QStringLiteral("is covered by %1 %2")
                          .arg(QLatin1String(met ? met->metaObject()->className() : "nothing"),
                               met ? met->objectName() : QString());
                return met && (met == found->widget || found->widget->isAncestorOf(met));
            });
            if (isClear)
                return *found;
        }
        last = found;
        QThread::msleep(lookAgain);
    }
    lose(place.what + QLatin1Char(' ') + why);
}

void Person::xdotool(const QStringList &words)
{
    if (QProcess::execute(QStringLiteral("xdotool"), words) != 0)
        lose(QStringLiteral("xdotool failed: ") + words.join(QLatin1Char(' ')));
}

void Person::send(const QString &what, int (Arrivals::*heard)() const, const std::function<QStringList()> &words)
{
    constexpr int most = 3, looks = 250; // a window that does not answer holds up the look, and is not given up
    const auto count = [&] { return ask([&] { return (m_arrivals.*heard)(); }); };
    for (int times = 0; times < most; ++times) {
        const int before = count();
        xdotool(words());
        for (int look = 0; look < looks; ++look) {
            if (count() > before)
                return;
            QThread::msleep(lookAgain);
        }
        std::printf("note: no window has heard of %s\n", qPrintable(what));
    }
    lose(QStringLiteral("no window hears of ") + what);
}

void Person::seesKeyboard()
{
    const auto isInFront = [] {
        const QWidget *modal = QApplication::activeModalWidget(), *active = QApplication::activeWindow();
        return QApplication::activePopupWidget() || (active && (!modal || active == modal));
    };
    sees(QStringLiteral("the keyboard with what is in front"), isInFront, 60);
}

void Person::click(const Place &place)
{
    ++m_actions;
    if (m_atScreen)
        return send(QStringLiteral("a click on ") + place.what, &Arrivals::clicks, [&] {
            const Spot spot = spotOf(place);
            return QStringList{QStringLiteral("mousemove"), QString::number(spot.at.x()), QString::number(spot.at.y()),
                               QStringLiteral("click"), QStringLiteral("1")};
        });
    const Spot spot = spotOf(place);
    const auto post = [spot] {
        if (QWidget *met = QApplication::widgetAt(spot.at))
            QTest::mouseClick(met, Qt::LeftButton, {}, met->mapFromGlobal(spot.at));
    };
    QMetaObject::invokeMethod(qApp, post, Qt::QueuedConnection); // a dialog may open under it
}

void Person::doubleClick(const Place &place)
{
    ++m_actions;
    if (m_atScreen)
        return send(QStringLiteral("a double click on ") + place.what, &Arrivals::clicks, [&] {
            const Spot spot = spotOf(place);
            return QStringList{QStringLiteral("mousemove"), QString::number(spot.at.x()), QString::number(spot.at.y()),
                               QStringLiteral("click"),     QStringLiteral("--repeat"),   QStringLiteral("2"),
                               QStringLiteral("--delay"),   QStringLiteral("30"),         QStringLiteral("1")};
        });
    const Spot spot = spotOf(place);
    const auto post = [spot] {
        if (QWidget *met = QApplication::widgetAt(spot.at)) {
            const QPoint at = met->mapFromGlobal(spot.at);
            QTest::mouseClick(met, Qt::LeftButton, {}, at);
            QTest::mouseDClick(met, Qt::LeftButton, {}, at);
        }
    };
    QMetaObject::invokeMethod(qApp, post, Qt::QueuedConnection);
}

void Person::drag(const Place &from, const Place &to)
{
    ++m_actions;
    Spot begin, end;
    if (m_atScreen) {
        const auto move = [](const QPoint &at) {
            xdotool({QStringLiteral("mousemove"), QString::number(at.x()), QString::number(at.y())});
        };
        send(QStringLiteral("a press on ") + from.what, &Arrivals::clicks, [&] {
            begin = spotOf(from);
            end = spotOf(to);
            return QStringList{QStringLiteral("mousemove"), QString::number(begin.at.x()), QString::number(begin.at.y()),
                               QStringLiteral("mousedown"), QStringLiteral("1")};
        });
        constexpr int steps = 6;
        for (int step = 1; step <= steps; ++step)
            move(begin.at + (end.at - begin.at) * step / steps);
        return xdotool({QStringLiteral("mouseup"), QStringLiteral("1")});
    }
    begin = spotOf(from);
    end = spotOf(to);
    const auto post = [begin, end] {
        QWidget *met = begin.widget;
        QTest::mousePress(met, Qt::LeftButton, {}, met->mapFromGlobal(begin.at));
        QTest::mouseMove(met, met->mapFromGlobal(end.at));
        QTest::mouseRelease(met, Qt::LeftButton, {}, met->mapFromGlobal(end.at));
    };
    QMetaObject::invokeMethod(qApp, post, Qt::QueuedConnection);
}

void Person::press(const QString &keys)
{
    ++m_actions;
    seesKeyboard();
    if (m_atScreen)
        return send(keys, &Arrivals::keys, [&] { return QStringList{QStringLiteral("key"), keysym(keys)}; });
    QMetaObject::invokeMethod(
        qApp, [keys] { sendChord(keys); }, Qt::QueuedConnection);
}

QString Person::focusName()
{
    const QWidget *focus = QApplication::focusWidget();
    return focus ? focus->objectName() : QString();
}

QString Person::focusText()
{
    const QWidget *focus = QApplication::focusWidget();
    if (!focus)
        return {};
    const QVariant text = focus->property("text"), plain = focus->property("plainText");
    return plain.isValid() ? plain.toString() : text.toString();
}

bool Person::reads(const QString &text, int seconds) const
{
    QElapsedTimer clock;
    clock.start();
    while (!ask([&] { return focusText().contains(text); })) {
        if (clock.elapsed() > seconds * 1000)
            return false;
        QThread::msleep(lookAgain);
    }
    return true;
}

void Person::type(const QString &field, const QString &text)
{
    sees(
        QStringLiteral("%1 with the keyboard").arg(field), [&] { return focusName() == field; }, 60);
    ++m_actions;
    if (!m_atScreen) {
        inWindow([&] { QTest::keyClicks(QApplication::focusWidget(), text); });
        if (!reads(text, 20))
            lose(QStringLiteral("%1 reads “%2”, not “%3”").arg(field, ask(focusText), text));
        return;
    }
    // On a machine that is full of other work xdotool's keys may get lost or come in another order, on their way to the server.
    // Whoever sees that in the field writes it again.
    constexpr int most = 4;
    for (int times = 0; times < most; ++times) {
        if (times > 0)
            xdotool({QStringLiteral("key"), QStringLiteral("ctrl+a")});
        xdotool({QStringLiteral("type"), QStringLiteral("--delay"), QString::number(2 + 10 * times), text});
        if (reads(text, 10))
            return;
        std::printf("note: %s reads “%s” where “%s” was typed\n", qPrintable(field), qPrintable(ask(focusText)),
                    qPrintable(text));
    }
    lose(QStringLiteral("%1 reads “%2”, not “%3”").arg(field, ask(focusText), text));
}

void Person::tabTo(const QString &name)
{
    constexpr int most = 40;
    for (int tabs = 0; tabs < most; ++tabs) {
        if (ask([] { return focusName(); }) == name)
            return;
        const QPointer<QWidget> before = ask([] { return QPointer<QWidget>(QApplication::focusWidget()); });
        press(QStringLiteral("Tab"));
        sees(
            QStringLiteral("Tab moving on"), [&] { return QApplication::focusWidget() != before; }, 60);
    }
    lose(QStringLiteral("Tab does not come to %1").arg(name));
}

void Person::openFile(const QString &path)
{
    if (m_atScreen) // the hands are at the keyboard; over the list of completions, the pointer would choose one
        xdotool({QStringLiteral("mousemove"), QStringLiteral("1439"), QStringLiteral("899")});
    type(QStringLiteral("fileNameEdit"), path);
    press(QStringLiteral("Enter"));
}

} // namespace zigzag::test
