// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/model/checkpoint.h"
#include "engine/model/gguf_model.h"
#include "engine/model/random_weights.h"
#include "engine/model/resources.h"
#include "engine/model/side_files.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
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

/// Where a MODEL which is not a preset lies: a folder, or a GGUF file.
struct Place {
    fs::path path;
    bool isGguf = false;
};

/// A folder that holds GGUF files alone is no model by itself: which of them is meant is the giver's to say.
Result<Place> placeOfFolder(const fs::path &folder)
{
    std::error_code none;
    if (isThere(folder / "config.json"))
        return Place{folder};
    std::vector<std::string> found;
    for (const auto &entry : fs::directory_iterator(folder, none))
        if (entry.path().extension() == ".gguf")
            found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    if (!found.empty())
        return badInput(fmt::format("{}: there is no config.json, but GGUF files: give one of them as the model: {}",
                                    folder.string(), listOf(found)));
    return Place{folder}; // whose config.json is then found missing
}

Result<Place> placeOf(const std::string &name)
{
    if (name.rfind(bundledPrefix, 0) == 0) {
        const std::string bundled = name.substr(bundledPrefix.size());
        const std::vector<std::string> names = bundledNames();
        if (std::find(names.begin(), names.end(), bundled) == names.end())
            return badInput(fmt::format("{}: there is no such bundled model; choose from: {}", name, listOf(names)));
        return Place{resourceFolder() / "models" / bundled};
    }
    std::error_code error;
    const bool exists = fs::exists(name, error);
    if (error)
        return badInput(
            fmt::format("{}: this model cannot be reached: {}; check the path and its permissions", name, error.message()));
    if (!exists)
        return badInput(
            fmt::format("{}: there is no such model; give a folder with config.json, a GGUF file, bundled:NAME ({}) or "
                        "preset:NAME ({})",
                        name, listOf(bundledNames()), listOf(presetNames())));
    if (fs::is_directory(name, error))
        return placeOfFolder(name);
    ZIGZAG_TRY(kind, kindOfFile(name));
    if (kind.content == FileContent::Gguf && !kind.isGzip)
        return Place{name, true};
    return badInput(
        fmt::format("{}: a model is a folder with config.json and *.safetensors, or a GGUF file, and this is {}; give "
                    "one of them",
                    name, nameOf(kind.content)));
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

/// generation_config.json, where there is one, says what ends a text; config.json does for folders from before it.
void readEnds(ModelConfig &config, const fs::path &folder)
{
    const fs::path file = folder / "generation_config.json";
    if (!isThere(file))
        return;
    const auto text = readTextFile(file, largestConfig);
    const auto ends = text ? parseGenerationConfig(*text, file.string()) : tl::unexpected(text.error());
    if (!ends) {
        config.notes.push_back(ends.error().message + "; the end tokens of config.json are used");
        return;
    }
    if (ends->empty() && !config.endTokens.empty())
        config.notes.push_back(
            fmt::format("{}: names no end token, so none ends a text, as in transformers, though config.json has "
                        "eos_token_id; add eos_token_id to stop there",
                        file.string()));
    config.endTokens = *ends;
}

/// A template in a file of its own has its way before the one of tokenizer_config.json, as in transformers.
void readChatTemplate(ChatTemplate &chat, const fs::path &file)
{
    if (!isThere(file))
        return;
    auto text = readTextFile(file, largestConfig);
    if (text)
        chat.text = std::move(*text);
    else
        chat.refusal = text.error().message;
}

void readTokenizer(Model &model, const fs::path &folder)
{
    constexpr std::uint64_t largest = 64 << 20;
    const fs::path file = folder / "tokenizer.json", settings = folder / "tokenizer_config.json";
    if (!isThere(file))
        return;
    auto tokenizer = Tokenizer::load(file);
    if (!tokenizer) {
        model.tokenizerRefusal = tokenizer.error().message;
        model.config.notes.push_back(fmt::format("no text can be read or written: {}", model.tokenizerRefusal));
        return;
    }
    model.tokenizer = std::move(*tokenizer);
    readChatTemplate(model.chat, folder / "chat_template.jinja");
    if (!isThere(settings))
        return;
    const auto text = readTextFile(settings, largest);
    const auto config = text ? parseTokenizerConfig(*text, settings.string()) : tl::unexpected(text.error());
    if (config) {
        applyTokenizerConfig(*model.tokenizer, *config, *model.config.family, model.config.notes, settings.string());
        model.chat.tokens = config->namedTokens;
        if (model.chat.text.empty() && model.chat.refusal.empty())
            model.chat.text = config->chatTemplate;
    } else {
        model.config.notes.push_back(config.error().message + "; tokenizer.json is used without it");
    }
}

/// Everything of a folder but its tokenizer.
Result<Model> readFolder(const fs::path &folder, bool needsWeights, const LoadWatch &watch = {})
{
    Model model;
    ZIGZAG_TRY(config, readConfig(folder));
    model.config = std::move(config);
    readEnds(model.config, folder);
    if (!needsWeights && Checkpoint::isAbsent(folder))
        return model;
    ZIGZAG_TRY(weights, loadWeights(folder, model.config, watch, needsWeights));
    model.weights = std::move(weights);
    // The headers of the files know the type better than the config, and whether there is a head.
    model.config.dtype = model.weights.embedding.type.plain().value_or(model.config.dtype);
    model.config.kvType = model.config.dtype;
    model.config.storedTypes = model.weights.storedTypes;
    model.config.tiedEmbeddings = model.config.tiedEmbeddings && !model.weights.ownHead;
    std::move(model.weights.notes.begin(), model.weights.notes.end(), std::back_inserter(model.config.notes));
    return model;
}

/// Of a folder or a GGUF file.
Result<std::shared_ptr<Model>> readModel(const std::string &name, bool needsWeights, const LoadWatch &watch = {})
{
    ZIGZAG_TRY(place, placeOf(name));
    const auto model = std::make_shared<Model>();
    if (place.isGguf) {
        ZIGZAG_TRY(read, readGgufModel(place.path, needsWeights, watch));
        *model = std::move(read);
        return model;
    }
    ZIGZAG_TRY(read, readFolder(place.path, needsWeights, watch));
    *model = std::move(read);
    readTokenizer(*model, place.path);
    return model;
}

} // namespace

Result<fs::path> modelFolder(const std::string &name)
{
    if (isPreset(name))
        return badInput(
            fmt::format("{}: a preset is a shape with random weights and has no folder; choose a model with one", name));
    ZIGZAG_TRY(place, placeOf(name));
    if (place.isGguf)
        return badInput(fmt::format("{}: a GGUF file has no folder of *.safetensors; choose the model's folder", name));
    return place.path;
}

Result<ModelConfig> loadModelConfig(const std::string &name, std::optional<DType> kvType)
{
    const auto withKvType = [&](Result<ModelConfig> config) {
        if (config)
            config->kvType = kvType.value_or(config->kvType);
        return config;
    };
    if (isPreset(name))
        return withKvType(presetConfig(name.substr(presetPrefix.size())));
    ZIGZAG_TRY(place, placeOf(name));
    if (place.isGguf)
        return withKvType(readGgufModelConfig(place.path));
    ZIGZAG_TRY(model, readFolder(place.path, false));
    return withKvType(model.config);
}

Result<bool> hasWeights(const std::string &name)
{
    if (isPreset(name))
        return true;
    ZIGZAG_TRY(place, placeOf(name));
    return place.isGguf ? hasGgufWeights(place.path) : Result<bool>(!Checkpoint::isAbsent(place.path));
}

Result<std::string> readModelConfigText(const std::string &name)
{
    if (isPreset(name)) {
        ZIGZAG_CHECK(presetConfig(name.substr(presetPrefix.size()))); // whose name is checked there
        const std::string shape = name.substr(presetPrefix.size()); // without a type of weights
        return readTextFile(resourceFolder() / "presets" / (shape.substr(0, shape.find(':')) + ".json"), largestConfig);
    }
    ZIGZAG_TRY(place, placeOf(name));
    if (place.isGguf)
        return readGgufConfigText(place.path);
    return readTextFile(place.path / "config.json", largestConfig);
}

Result<std::shared_ptr<const Model>> loadModel(const std::string &name, const LoadWatch &watch, std::optional<DType> kvType)
{
    auto model = std::make_shared<Model>();
    if (isPreset(name)) {
        ZIGZAG_TRY(config, presetConfig(name.substr(presetPrefix.size())));
        ZIGZAG_TRY(weights, randomWeights(config, 1, watch));
        model->config = std::move(config);
        model->weights = std::move(weights);
    } else {
        ZIGZAG_TRY(read, readModel(name, true, watch));
        model = std::move(read);
    }
    model->config.kvType = kvType.value_or(model->config.kvType);
    return model;
}

Result<std::shared_ptr<const Model>> describeModel(const std::string &name, std::optional<DType> kvType)
{
    auto model = std::make_shared<Model>();
    if (isPreset(name)) {
        ZIGZAG_TRY(config, presetConfig(name.substr(presetPrefix.size())));
        model->config = std::move(config);
    } else {
        ZIGZAG_TRY(read, readModel(name, false));
        model = std::move(read);
    }
    model->config.kvType = kvType.value_or(model->config.kvType);
    return model;
}

Result<const Tokenizer *> tokenizerOf(const Model &model)
{
    if (model.tokenizer)
        return &*model.tokenizer;
    if (!model.tokenizerRefusal.empty())
        return badInput(model.tokenizerRefusal);
    return badInput(fmt::format("{}: this model has no tokenizer.json, so it reads and writes no text; use a folder with one",
                                model.config.name));
}

} // namespace zigzag
