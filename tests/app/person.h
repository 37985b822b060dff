// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "arrivals.h"

#include <QPoint>
#include <QPointer>
#include <QString>
#include <QStringList>
#include <QWidget>

#include <functional>
#include <optional>
#include <stdexcept>

class QItemSelectionModel;

namespace zigzag {
class MainWindow;
}

namespace zigzag::test {

/// Where something is on the screen; nothing while it is not there.
struct Spot {
    QPointer<QWidget> widget; ///< which must lie there in front of all others
    QPoint at;
};
struct Place {
    QString what;
    std::function<std::optional<Spot>()> find; ///< in the window's thread
};

Place widgetNamed(const QString &name);
/// A button of what is in front, by its text.
Place button(const QString &text);
/// An entry of the menu that is open, or of the menu bar.
Place menu(const QString &text);
/// The tab of a page.
Place tab(const QString &title);
/// A row of a list, tree or table, or of the list that a combo box has opened, by what its first column begins with.
Place row(const QString &text);

/// Thrown where a person cannot go on; the failure has been told.
struct Lost : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Somebody at the window, with a mouse and a keyboard, who counts what he does: a click, a chord of keys and a text that is
/// typed into a field are an action each; looking is none. He has a thread of his own, because a dialog holds the window's thread
/// until it is left.
class Person
{
public:
    /// `atScreen`: through the X server, by xdotool; otherwise by the events of Qt's test library.
    Person(MainWindow &window, bool atScreen)
        : m_window(window)
        , m_atScreen(atScreen)
    { }
    /// From the window's thread, which is the window's until the script has ended.
    void run(const std::function<void()> &script);

    void click(const Place &place);
    void doubleClick(const Place &place);
    /// With the button held from one place to another.
    void drag(const Place &from, const Place &to);
    /// A chord such as Ctrl+Shift+P, or one key.
    void press(const QString &keys);
    /// Into the field of that name, which must have the keyboard.
    void type(const QString &field, const QString &text);
    /// Tab, until what bears the name has the keyboard.
    void tabTo(const QString &name);
    void openFile(const QString &path); ///< in a file dialog: its name and Enter

    /// Waits until it is so, and is lost where it does not come. ZIGZAG_PICTURE_WHEN_LOST: the file that then shows the screen.
    void sees(const QString &what, const std::function<bool()> &isSo, int seconds = 400);
    /// Asks in the window's thread.
    template <class Asked> auto ask(const Asked &asked) const;

    int actions() const { return m_actions; }

private:
    static void inWindow(const std::function<void()> &function);
    [[noreturn]] static void lose(const QString &what);
    Spot spotOf(const Place &place) const;
    static void xdotool(const QStringList &words);
    /// By xdotool, and again where no window has heard of it. `words` are asked for each time: what is aimed at may have moved.
    void send(const QString &what, int (Arrivals::*heard)() const, const std::function<QStringList()> &words);
    /// Waits until keys go to what is in front, as somebody looks where the keyboard is before he presses one.
    void seesKeyboard();
    static QString focusName();
    static QString focusText();
    /// Whether what has the keyboard comes to hold the text.
    bool reads(const QString &text, int seconds) const;

    MainWindow &m_window;
    bool m_atScreen;
    Arrivals m_arrivals;
    int m_actions = 0;
};

template <class Asked> auto Person::ask(const Asked &asked) const
{
    decltype(asked()) answer{};
    inWindow([&] { answer = asked(); });
    return answer;
}

} // namespace zigzag::test
