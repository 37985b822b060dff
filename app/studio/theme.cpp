// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/theme.h"

#include "views/models/colors.h"
#include "views/widgets/focus_ring.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>

namespace zigzag {

namespace {

QPalette paletteOf(bool dark)
{
    const QColor window = dark ? QColor(0x1e, 0x21, 0x26) : QColor(0xf3, 0xf4, 0xf6);
    const QColor base = dark ? QColor(0x16, 0x18, 0x1c) : QColor(0xff, 0xff, 0xff);
    const QColor alternate = dark ? QColor(0x1b, 0x1e, 0x23) : QColor(0xf7, 0xf8, 0xfa);
    const QColor text = dark ? QColor(0xe4, 0xe6, 0xea) : QColor(0x1a, 0x1d, 0x21);
    const QColor button = dark ? QColor(0x2b, 0x2f, 0x36) : QColor(0xf8, 0xf9, 0xfa);
    // White is read on a highlight, which is seen as a frame as well; a link is read itself.
    const QColor highlight = dark ? QColor(0x2a, 0x74, 0xc8) : QColor(0x1f, 0x6f, 0xd0);
    const QColor link = dark ? QColor(0x3d, 0x8b, 0xe0) : QColor(0x1d, 0x6a, 0xc8);
    QPalette palette(text, button, mixed(button, Qt::white, 0.5), mixed(button, Qt::black, 0.5), mixed(button, text, 0.3), text,
                     Qt::white, base, window);
    palette.setColor(QPalette::AlternateBase, alternate);
    palette.setColor(QPalette::Mid, mixed(window, text, 0.25));
    palette.setColor(QPalette::Highlight, highlight);
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::ToolTipBase, dark ? QColor(0x2b, 0x2f, 0x36) : QColor(0xff, 0xff, 0xe8));
    palette.setColor(QPalette::ToolTipText, text);
    palette.setColor(QPalette::Link, link);
    palette.setColor(QPalette::PlaceholderText, mixed(text, base, 0.35));
    for (const QPalette::ColorRole role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, mixed(text, window, 0.5));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, mixed(text, window, 0.7));
    return palette;
}

/// Fusion with fields whose frame is seen: its own one has a contrast of 2.2 : 1 in the light theme and 1.2 : 1 in the dark one.
/// Where the keyboard is, a FocusRing shows, round widgets of all kinds; within lists and tables, this does.
class ThemeStyle : public QProxyStyle
{
public:
    ThemeStyle()
        : QProxyStyle(QStringLiteral("Fusion"))
    { }

    void drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter,
                       const QWidget *widget) const override
    {
        if (element == PE_FrameFocusRect)
            return showCurrent(*option, *painter, widget);
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        if (element == PE_FrameLineEdit)
            frame(*option, *painter);
    }
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex *option, QPainter *painter,
                            const QWidget *widget) const override
    {
        QProxyStyle::drawComplexControl(control, option, painter, widget);
        const auto *box = qstyleoption_cast<const QStyleOptionSpinBox *>(option);
        if (control == CC_SpinBox && box && box->frame)
            frame(*option, *painter);
    }

private:
    /// The current row or cell. A tree that frames whole rows does not say which widget it is.
    static void showCurrent(const QStyleOption &option, QPainter &painter, const QWidget *widget)
    {
        const auto *focus = qstyleoption_cast<const QStyleOptionFocusRect *>(&option);
        if (!focus || (widget && !qobject_cast<const QAbstractItemView *>(widget)))
            return;
        const QPalette &palette = option.palette;
        const bool isChosen = focus->backgroundColor == palette.color(QPalette::Highlight);
        painter.save();
        painter.setPen(QPen(palette.color(isChosen ? QPalette::HighlightedText : QPalette::Highlight), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(option.rect).adjusted(1, 1, -1, -1));
        painter.restore();
    }
    static void frame(const QStyleOption &option, QPainter &painter)
    {
        if (!(option.state & State_Enabled))
            return;
        const QColor base = option.palette.color(QPalette::Base), window = option.palette.color(QPalette::Window);
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(standingOut(mixed(window, option.palette.color(QPalette::Text), 0.3), {base, window}));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2); // where Fusion draws its own
        painter.restore();
    }
};

} // namespace

std::optional<Theme> parseTheme(const QString &name)
{
    for (const Theme theme : {Theme::System, Theme::Light, Theme::Dark})
        if (nameOf(theme) == name)
            return theme;
    return {};
}

QString nameOf(Theme theme)
{
    return theme == Theme::Light ? QStringLiteral("light")
        : theme == Theme::Dark   ? QStringLiteral("dark")
                                 : QStringLiteral("system");
}

void applyTheme(Theme theme)
{
    if (!dynamic_cast<const ThemeStyle *>(QApplication::style()))
        QApplication::setStyle(new ThemeStyle); // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the application owns it
    FocusRing::install();
    QApplication::setPalette(QPalette()); // what the desktop says
    const bool dark = theme == Theme::Dark || (theme == Theme::System && isDark(QApplication::palette()));
    QApplication::setPalette(paletteOf(dark));
}

} // namespace zigzag
