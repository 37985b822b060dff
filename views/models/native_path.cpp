// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/native_path.h"

#include <QStringDecoder>
#include <QUrl>

#include <algorithm>
#include <sys/stat.h>

namespace zigzag {

namespace {

constexpr char16_t firstEscape = 0xdc80, lastEscape = 0xdcff;
const QString storedPrefix = QStringLiteral("bytes:");

bool isEscape(const QString &text, qsizetype at)
{
    const char16_t unit = text[at].unicode();
    return unit >= firstEscape && unit <= lastEscape && (at == 0 || !text[at - 1].isHighSurrogate());
}

bool hasEscape(const QString &text)
{
    for (qsizetype at = 0; at < text.size(); ++at)
        if (isEscape(text, at))
            return true;
    return false;
}

/// Bytes of the character that begins here, or 0 where it is no UTF-8.
qsizetype lengthOfCharacter(const QByteArray &bytes, qsizetype at)
{
    const auto lead = static_cast<unsigned char>(bytes[at]);
    const qsizetype length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    if (length == 0 || at + length > bytes.size())
        return 0;
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    const QString decoded = decoder.decode(QByteArrayView(bytes).sliced(at, length));
    return decoder.hasError() || decoded.contains(QChar::ReplacementCharacter) ? 0 : length;
}

QByteArray bytesOf(const QString &text)
{
    QByteArray bytes;
    qsizetype begin = 0; // of a stretch without escapes
    for (qsizetype at = 0; at < text.size(); ++at)
        if (isEscape(text, at)) {
            bytes += QStringView(text).sliced(begin, at - begin).toUtf8();
            bytes += static_cast<char>(text[at].unicode() - 0xdc00);
            begin = at + 1;
        }
    return bytes + QStringView(text).sliced(begin).toUtf8();
}

} // namespace

QString textOfPath(const QByteArray &bytes)
{
    QString plain = QString::fromUtf8(bytes);
    if (!plain.contains(QChar::ReplacementCharacter))
        return plain;
    QString text;
    for (qsizetype at = 0; at < bytes.size();) {
        const qsizetype length = lengthOfCharacter(bytes, at);
        if (length == 0)
            text += QChar(static_cast<char16_t>(0xdc00 + static_cast<unsigned char>(bytes[at])));
        else
            text += QString::fromUtf8(bytes.constData() + at, length);
        at += std::max<qsizetype>(1, length);
    }
    return text;
}

QString textOfPath(const std::filesystem::path &path)
{
    return textOfPath(QByteArray::fromStdString(path.string()));
}

std::filesystem::path pathOf(const QString &text)
{
    return bytesOf(text).toStdString();
}

QString textOfUrl(const QUrl &url)
{
    return textOfPath(QByteArray::fromPercentEncoding(url.path(QUrl::FullyEncoded).toLatin1()));
}

QString shownPath(const QString &text)
{
    QString shown = text;
    for (qsizetype at = 0; at < text.size(); ++at)
        if (isEscape(text, at))
            shown[at] = QChar::ReplacementCharacter;
    return shown;
}

QString shownFileName(const QString &text)
{
    return shownPath(textOfPath(pathOf(text).filename()));
}

QDateTime lastModified(const QString &text)
{
    struct stat status { };
    if (stat(pathOf(text).c_str(), &status) != 0)
        return QDateTime::currentDateTime();
    return QDateTime::fromSecsSinceEpoch(status.st_mtime);
}

QString storedPath(const QString &text)
{
    return hasEscape(text) ? storedPrefix + QString::fromLatin1(bytesOf(text).toPercentEncoding("/")) : text;
}

QString restoredPath(const QString &stored)
{
    return stored.startsWith(storedPrefix)
        ? textOfPath(QByteArray::fromPercentEncoding(stored.mid(storedPrefix.size()).toLatin1()))
        : stored;
}

} // namespace zigzag
