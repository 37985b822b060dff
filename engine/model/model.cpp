// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model.h"

#include "engine/base/files.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largestConfig = 1 << 20;
constexpr std::string_view presetPrefix = "preset:", bundledPrefix = "bundled:";

bool isPreset(const std::string &name)
{
    return name.rfind(presetPrefix, 0) == 0;
}

/// The folder that a MODEL which is not a preset names.
Result<fs::path> modelFolder(const std::string &name)
{
    if (name.rfind(bundledPrefix, 0) == 0) {
        const std::string bundled = name.substr(bundledPrefix.size());
        const std::vector<std::string> names = bundledNames();
        if (std::find(names.begin(), names.end(), bundled) == names.end())
            return badInput(fmt::format("{}: there is no such bundled model; choose from: {}", name, listOf(names)));
        return resourceFolder() / "models" / bundled;
    }
    std::error_code error;
    const bool exists = fs::exists(name, error);
    if (error)
        return badInput(
            fmt::format("{}: this model cannot be reached: {}; check the path and its permissions", name, error.message()));
    if (!exists)
        return badInput(fmt::format("{}: there is no such model folder; give a folder with config.json, bundled:NAME ({}) or "
                                    "preset:NAME ({})",
                                    name, listOf(bundledNames()), listOf(presetNames())));
    if (!fs::is_directory(name, error))
        return badInput(
            fmt::format("{}: a model is a folder with config.json and *.safetensors, not a file; give the folder", name));
    return fs::path(name);
}

Result<ModelConfig> readConfig(const fs::path &folder)
{
    const fs::path file = folder / "config.json";
    ZIGZAG_TRY(text, readTextFile(file, largestConfig));
    auto config = parseModelConfig(text, file.string());
    std::error_code ignored;
    if (config) // "." and a trailing slash have no file name of their own
        config->name = fs::weakly_canonical(folder, ignored).filename().string();
    return config;
}

} // namespace

Result<ModelConfig> loadModelConfig(const std::string &name)
{
    if (isPreset(name))
        return presetConfig(name.substr(presetPrefix.size()));
    ZIGZAG_TRY(folder, modelFolder(name));
    ZIGZAG_TRY(config, readConfig(folder));
    // The headers of the files know the type better than the config; mapping them reads no weights.
    ZIGZAG_TRY(weights, loadWeights(folder, config));
    config.dtype = weights.embedding.type;
    return config;
}

Result<std::string> readModelConfigText(const std::string &name)
{
    if (isPreset(name)) {
        ZIGZAG_CHECK(presetConfig(name.substr(presetPrefix.size()))); // whose name is checked there
        return readTextFile(resourceFolder() / "presets" / (name.substr(presetPrefix.size()) + ".json"), largestConfig);
    }
    ZIGZAG_TRY(folder, modelFolder(name));
    return readTextFile(folder / "config.json", largestConfig);
}

Result<std::shared_ptr<const Model>> loadModel(const std::string &name, const LoadWatch &watch)
{
    auto model = std::make_shared<Model>();
    if (isPreset(name)) {
        ZIGZAG_TRY(config, presetConfig(name.substr(presetPrefix.size())));
        ZIGZAG_TRY(weights, randomWeights(config, 1, watch));
        model->config = std::move(config);
        model->weights = std::move(weights);
        return model;
    }
    ZIGZAG_TRY(folder, modelFolder(name));
    ZIGZAG_TRY(config, readConfig(folder));
    ZIGZAG_TRY(weights, loadWeights(folder, config, watch));
    model->config = std::move(config);
    model->config.dtype = weights.embedding.type;
    model->weights = std::move(weights);
    std::error_code ignored;
    if (const fs::path file = folder / "tokenizer.json"; fs::exists(fs::symlink_status(file, ignored))) {
        ZIGZAG_TRY(tokenizer, Tokenizer::load(file));
        model->tokenizer = std::move(tokenizer);
    }
    return model;
}

} // namespace zigzag
