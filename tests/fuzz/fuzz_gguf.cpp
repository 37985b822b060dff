// SPDX-License-Identifier: GPL-3.0-or-later
// A GGUF file, whole: what it says of itself, its config, its tensors where it implies them, and text through its tokenizer.
#include "engine/model/gguf/gguf_config.h"
#include "engine/model/gguf/gguf_file.h"
#include "engine/model/gguf/gguf_tokenizer.h"
#include "engine/model/gguf/gguf_weights.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

void touch(const std::byte *data, std::size_t bytes)
{
    for (std::size_t i = 0; i < bytes; ++i) {
        [[maybe_unused]] const volatile std::byte read = data[i];
    }
}

void readText(const zigzag::GgufFile &file)
{
    std::vector<std::string> notes;
    const auto tokenizer = zigzag::readGgufTokenizer(file, notes);
    if (!tokenizer)
        return;
    for (const std::string_view text :
         {std::string_view("Hello  w\xc3\xb6rld 123\n"), std::string_view("\xff\x00 a\xcc\x81", 6)}) {
        const auto ids = tokenizer->encode(text, true);
        (void)tokenizer->decode(ids);
    }
}

} // namespace

ZIGZAG_FUZZ(gguf)
{
    using namespace zigzag;
    const auto file = GgufFile::open(test::fuzzFile("model.gguf", input));
    if (!file)
        return;
    for (const auto &[name, tensor] : file->tensors()) // every byte that a tensor claims is there to be read
        touch(tensor.data, tensor.bytes);
    readText(*file);
    auto config = readGgufConfig(*file);
    if (!config)
        return;
    if (auto types = readStoredTypes(*file, *config)) // without them matrices are decoded
        config->storedTypes = std::move(*types);
    const auto weights = loadGgufWeights(*file, *config, true);
    if (!weights)
        return;
    test::require(weights->layers.size() == static_cast<std::size_t>(config->layers));
    for (const TensorView *view : {&weights->embedding, &weights->finalNorm, &weights->head})
        touch(view->data, static_cast<std::size_t>(view->bytes()));
    for (const LayerWeights &layer : weights->layers)
        for (std::size_t id = 0; id < weightIds; ++id)
            for (const TensorView &view : layer.all(static_cast<WeightId>(id)))
                touch(view.data, static_cast<std::size_t>(view.bytes()));
}
