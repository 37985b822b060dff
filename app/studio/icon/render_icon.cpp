// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag_render_icon IN.svg FOLDER SIZE…: FOLDER/SIZExSIZE.png for each size.
#include <QImage>
#include <QPainter>
#include <QSvgRenderer>

#include <cstdio>

int main(int argc, char **argv)
{
    if (argc < 4) {
        std::fprintf(stderr, "usage: zigzag_render_icon IN.svg FOLDER SIZE…\n");
        return 2;
    }
    QSvgRenderer picture(QString::fromLocal8Bit(argv[1]));
    if (!picture.isValid()) {
        std::fprintf(stderr, "error: %s: no picture that Qt can draw\n", argv[1]);
        return 2;
    }
    for (int index = 3; index < argc; ++index) {
        const int size = QByteArray(argv[index]).toInt();
        if (size < 8 || size > 1024) {
            std::fprintf(stderr, "error: size %s: give 8 to 1024\n", argv[index]);
            return 2;
        }
        QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
        image.fill(Qt::transparent);
        QPainter painter(&image);
        painter.setRenderHint(QPainter::Antialiasing);
        picture.render(&painter, image.rect());
        painter.end();
        const QString file = QStringLiteral("%1/%2x%2.png").arg(QString::fromLocal8Bit(argv[2])).arg(size);
        if (!image.save(file)) {
            std::fprintf(stderr, "error: %s could not be written\n", qPrintable(file));
            return 1;
        }
    }
    return 0;
}
