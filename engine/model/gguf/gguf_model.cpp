// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf_model.h"

#include "engine/model/gguf/gguf_config.h"
#include "engine/model/gguf/gguf_tokenizer.h"
#include "engine/model/gguf/gguf_weights.h"

#include <fmt/format.h>
#include <iterator>

namespace zigzag {

namespace {

/// Everything of a GGUF file but its tokenizer.
Result<Model> readGguf(const GgufFile &file, bool needsWeights, const LoadWatch &watch = {})
{
    Model model;
    ZIGZAG_TRY(config, readGgufConfig(file));
    model.config = std::move(config);
    ZIGZAG_TRY(types, readStoredTypes(file, model.config));
    model.config.storedTypes = std::move(types);
    ZIGZAG_TRY(weights, loadGgufWeights(file, model.config, needsWeights, watch));
    model.weights = std::move(weights);
    if (std::string decoded = noteDecoded(file, model.config); !decoded.empty())
        model.config.notes.push_back(std::move(decoded));
    std::move(model.weights.notes.begin(), model.weights.notes.end(), std::back_inserter(model.config.notes));
    return model;
}

void readTokenizer(Model &model, const GgufFile &file)
{
    auto tokenizer = readGgufTokenizer(file, model.config.notes);
    if (tokenizer) {
        model.tokenizer = std::move(*tokenizer);
        auto chat = readGgufChatTemplate(file);
        if (chat)
            model.chat = std::move(*chat);
        else
            model.chat.refusal = chat.error().message;
        return;
    }
    model.tokenizerRefusal = tokenizer.error().message;
    model.config.notes.push_back(fmt::format("no text can be read or written: {}", model.tokenizerRefusal));
}

} // namespace

Result<Model> readGgufModel(const std::filesystem::path &path, bool needsWeights, const LoadWatch &watch)
{
    ZIGZAG_TRY(file, GgufFile::open(path));
    ZIGZAG_TRY(model, readGguf(file, needsWeights, watch));
    readTokenizer(model, file);
    return std::move(model);
}

Result<ModelConfig> readGgufModelConfig(const std::filesystem::path &path)
{
    ZIGZAG_TRY(file, GgufFile::open(path, GgufData::MayLack));
    const int lacking = file.lackingTensors();
    if (lacking == 0) {
        ZIGZAG_TRY(model, readGguf(file, false));
        return model.config;
    }
    ZIGZAG_TRY(config, readGgufConfig(file));
    ZIGZAG_TRY(types, readStoredTypes(file, config));
    config.storedTypes = std::move(types);
    config.notes.push_back(fmt::format("{}: the file ends before the data of {} of its {} tensors: it can be planned and "
                                       "predicted for, but not run; fetch it anew to run it",
                                       path.string(), lacking, file.tensors().size()));
    return std::move(config);
}

Result<bool> hasGgufWeights(const std::filesystem::path &path)
{
    ZIGZAG_TRY(file, GgufFile::open(path, GgufData::MayLack));
    return file.lackingTensors() == 0;
}

Result<std::string> readGgufConfigText(const std::filesystem::path &path)
{
    ZIGZAG_TRY(file, GgufFile::open(path, GgufData::MayLack));
    return ggufConfigText(file);
}

} // namespace zigzag
