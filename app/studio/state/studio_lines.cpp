// SPDX-License-Identifier: GPL-3.0-or-later
// Runs as lines of the command line, and the files of maps and scores that such lines name.
#include "app/studio/state/studio.h"

#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "views/models/native_path.h"

#include <QClipboard>
#include <QCryptographicHash>
#include <QDir>
#include <QGuiApplication>
#include <QStandardPaths>

namespace zigzag {

namespace {

/// A file in the folder of what the window keeps, named by what makes its content what it is.
Result<std::filesystem::path> keptFile(const QString &kind, const QByteArray &content)
{
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QLatin1Char('/') + kind;
    if (!QDir().mkpath(folder))
        return badInput(Studio::tr("%1 cannot be made: save the map to a file first").arg(folder).toStdString());
    const QByteArray name = QCryptographicHash::hash(content, QCryptographicHash::Sha256).toHex().left(16);
    return pathOf(folder + QLatin1Char('/') + QString::fromLatin1(name) + QStringLiteral(".json"));
}

} // namespace

jobs::LineModel Studio::lineModel() const
{
    std::error_code none;
    const bool isPlace = std::filesystem::exists(m_modelName, none);
    return {isPlace ? std::filesystem::absolute(m_modelName, none).lexically_normal().string() : m_modelName, m_kvType};
}

Result<std::string> Studio::mapWord(const HeadMap &map) const
{
    if (map.streamingHeads() == 0)
        return std::string("full");
    if (!m_document.path().empty() && map == m_document.map() && !m_document.isModified()) {
        std::error_code none;
        return std::filesystem::absolute(m_document.path(), none).string();
    }
    ZIGZAG_TRY(file, keptFile(QStringLiteral("maps"), QByteArray::fromStdString(toJson(map))));
    ZIGZAG_CHECK(writeHeadMap(map, file));
    return file.string();
}

Result<std::string> Studio::scoresWord(const HeadScores &scores)
{
    QByteArray content = QByteArray::fromStdString(scores.model.name + scores.model.fingerprint + scores.method);
    content += QByteArray(reinterpret_cast<const char *>(scores.scores.data()),
                          static_cast<qsizetype>(scores.scores.size() * sizeof(scores.scores[0])));
    ZIGZAG_TRY(file, keptFile(QStringLiteral("scores"), content));
    ZIGZAG_CHECK(writeHeadScores(scores, file));
    return file.string();
}

void Studio::copyLine(const std::function<Result<std::string>()> &line)
{
    if (!line)
        return say(MessageBar::Kind::Note, tr("There is no command that does the same."));
    const auto text = line();
    if (!text)
        return say(text.error());
    QGuiApplication::clipboard()->setText(QString::fromStdString(*text));
    say(MessageBar::Kind::Note, tr("Copied: %1").arg(QString::fromStdString(*text)));
}

} // namespace zigzag
