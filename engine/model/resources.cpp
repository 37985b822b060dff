// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/resources.h"

#include "engine/base/files.h"
#include "engine/base/installation.h"
#include "engine/model/model.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <system_error>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

/// Names in a folder of resources, sorted; a folder that is not there has none.
std::vector<std::string> namesIn(const fs::path &folder, bool (*wanted)(const fs::path &), bool withoutExtension)
{
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (wanted(entry->path()))
            names.push_back((withoutExtension ? entry->path().stem() : entry->path().filename()).string());
    std::sort(names.begin(), names.end());
    return names;
}

/// All matrices in one type, and vectors as they were; in the types of folders those of
/// layers alone, as these have them.
Result<void> giveType(ModelConfig &config, const std::string &typeName, const std::string &where)
{
    const std::optional<WeightType> type = findWeightType(typeName);
    if (!type) {
        std::vector<std::string_view> known;
        for (const WeightType each : weightTypes())
            known.push_back(nameOf(each));
        return badInput(fmt::format("{}: there is no such type of weights; choose from: {}", where, fmt::join(known, ", ")));
    }
    config.name += "-" + typeName;
    if (!type->isQuantised()) {
        config.dtype = *type->plain();
        return {};
    }
    StoredTypes types;
    if (type->isBlocks() && type != BlockType::Int4)
        types.embedding = types.head = type;
    std::int64_t odd = types.embedding && config.hiddenSize % type->blockLength() != 0 ? config.hiddenSize : 0;
    for (int layer = 0; layer < config.layers; ++layer) {
        StoredTypes::Layer &own = types.layers.emplace_back();
        const LayerPlan plan = layerPlan(config, layer);
        for (const WeightSpec &weight : plan.weights()) {
            if (weight.role != TensorRole::Matrix)
                continue;
            own[static_cast<std::size_t>(weight.id)] = type;
            if (weight.columns % type->blockLength() != 0)
                odd = weight.columns;
        }
    }
    if (odd > 0)
        return badInput(fmt::format("{}: a row of {} numbers is no whole number of blocks of {}; choose another type", where, odd,
                                    type->blockLength()));
    config.storedTypes = std::move(types);
    return {};
}

} // namespace

fs::path resourceFolder()
{
    if (const char *chosen = std::getenv("ZIGZAG_RESOURCES"); chosen && *chosen)
        return chosen;
    const fs::path installed = installedPath("share/zigzag-studio/resources");
    return installed.empty() ? fs::path(ZIGZAG_SOURCE_RESOURCES) : installed;
}

std::vector<std::string> presetNames()
{
    return namesIn(
        resourceFolder() / "presets", [](const fs::path &path) { return path.extension() == ".json"; }, true);
}

std::vector<std::string> bundledNames()
{
    const auto hasConfig = [](const fs::path &path) {
        std::error_code error;
        return fs::exists(path / "config.json", error);
    };
    return namesIn(resourceFolder() / "models", hasConfig, false);
}

Result<ModelConfig> presetConfig(const std::string &asked)
{
    const std::size_t colon = asked.find(':');
    const std::string name = asked.substr(0, colon);
    const std::vector<std::string> names = presetNames();
    if (std::find(names.begin(), names.end(), name) == names.end())
        return badInput(fmt::format("preset:{}: there is no such preset; choose from: {}", name, listOf(names)));
    const fs::path file = resourceFolder() / "presets" / (name + ".json");
    ZIGZAG_TRY(text, readTextFile(file, 1 << 20));
    auto config = parseModelConfig(text, file.string());
    if (!config)
        return config;
    config->name = name;
    if (colon != std::string::npos)
        ZIGZAG_CHECK(giveType(*config, asked.substr(colon + 1), "preset:" + asked));
    return config;
}

std::string listOf(const std::vector<std::string> &names)
{
    return names.empty() ? "none are installed" : fmt::format("{}", fmt::join(names, ", "));
}

std::string largestPresetWithin(std::int64_t bytes)
{
    std::string best;
    std::int64_t bestBytes = 0;
    for (const std::string &name : presetNames())
        if (const auto config = presetConfig(name);
            config && config->weightBytes() <= bytes && config->weightBytes() > bestBytes) {
            best = name;
            bestBytes = config->weightBytes();
        }
    return best;
}

} // namespace zigzag
