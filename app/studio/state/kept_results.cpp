// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/kept_results.h"

#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/model/resources.h"
#include "profiler/cost/profile_file.h"

#include <QByteArray>
#include <QCryptographicHash>

#include <string_view>
#include <system_error>

namespace zigzag {

namespace {

constexpr std::string_view bundled = "bundled:";

/// Empty for a model that did not come with the program.
std::filesystem::path bundledFolder(const std::string &name)
{
    return name.starts_with(bundled) && name.find('/') == std::string::npos
        ? resourceFolder() / "kept" / name.substr(bundled.size())
        : std::filesystem::path();
}

CostModel read(const std::filesystem::path &file, const ModelConfig &config)
{
    std::error_code none;
    if (file.empty() || !std::filesystem::exists(file, none))
        return {};
    const auto calibration = readProfile(file);
    if (!calibration)
        return {};
    CostModel cost(*calibration, config);
    return cost.isFitted() && cost.isOwn() && !cost.measured().empty() ? cost : CostModel();
}

} // namespace

std::filesystem::path KeptResults::ownFile(const std::string &name, const ModelConfig &config) const
{
    if (m_own.empty())
        return {};
    const QByteArray key = QByteArray::fromStdString(name + '\n' + std::string(nameOf(config.kvType)));
    constexpr int digits = 24;
    return m_own / (QCryptographicHash::hash(key, QCryptographicHash::Sha256).toHex().left(digits).toStdString() + ".json");
}

CostModel KeptResults::times(const std::string &name, const ModelConfig &config) const
{
    CostModel own = read(ownFile(name, config), config);
    if (own.isFitted())
        return own;
    const std::filesystem::path folder = bundledFolder(name);
    return folder.empty() ? CostModel() : read(folder / "machine.json", config);
}

std::shared_ptr<const HeadScores> KeptResults::scores(const std::string &name, const ModelConfig &config) const
{
    const std::filesystem::path folder = bundledFolder(name), file = folder / "scores.json";
    std::error_code none;
    if (folder.empty() || !std::filesystem::exists(file, none))
        return nullptr;
    auto scores = readHeadScores(file, config.shape());
    return scores && !scores->unanswered ? std::make_shared<const HeadScores>(std::move(*scores)) : nullptr;
}

std::shared_ptr<const jobs::RecommendRecord> KeptResults::recommendation(const std::string &name, const ModelConfig &config) const
{
    const std::filesystem::path folder = bundledFolder(name), file = folder / "recommend.json";
    std::error_code none;
    if (folder.empty() || !std::filesystem::exists(file, none))
        return nullptr;
    const auto text = readTextFile(file);
    auto record = text ? jobs::readRecord(*text, config.shape(), file.string()) : tl::unexpected(text.error());
    return record ? std::make_shared<const jobs::RecommendRecord>(std::move(*record)) : nullptr;
}

std::filesystem::path KeptResults::fileToKeep(const std::string &name, const ModelConfig &config) const
{
    std::error_code failed;
    if (!m_own.empty())
        std::filesystem::create_directories(m_own, failed);
    return failed ? std::filesystem::path() : ownFile(name, config);
}

} // namespace zigzag
