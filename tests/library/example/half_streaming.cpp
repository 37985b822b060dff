// SPDX-License-Identifier: GPL-3.0-or-later
// Continues a prompt while half of a model's layers keep a window of keys instead of all: half_streaming [MODEL]
#include "engine/map/kv_layout.h"
#include "engine/run/device_model.h"
#include "engine/run/session.h"

#include <iostream>

namespace {

constexpr auto prompt = "The pass key is 48213. The grass is green. What is the pass key? The pass key is ";

zigzag::Result<void> run(const std::string &name)
{
    ZIGZAG_TRY(model, zigzag::loadModel(name));
    ZIGZAG_TRY(tokenizer, zigzag::tokenizerOf(*model));
    ZIGZAG_TRY(backend, zigzag::createBackend("auto")); // a GPU where there is one
    ZIGZAG_TRY(device, zigzag::uploadModel(model, std::move(backend)));
    const zigzag::HeadMap full(model->shape(), zigzag::HeadKind::Retrieval, /*sink*/ 4, /*recent*/ 32);
    zigzag::HeadMap half = full;
    for (int layer = 0; layer < half.layers() / 2; ++layer)
        half.setLayer(layer, zigzag::HeadKind::Streaming);

    constexpr std::int64_t context = 2048; // tokens that the cache has room for
    ZIGZAG_TRY(session, zigzag::Session::create(device, half, {.maxContext = context}));
    const std::vector<int> tokens = tokenizer->encode(prompt, true);
    ZIGZAG_CHECK(session->run(std::span(tokens).first(tokens.size() - 1), zigzag::Session::Logits::None));
    ZIGZAG_TRY(next, session->continueGreedily(std::span(tokens).last(1), 6));
    std::cout << "continues with: " << tokenizer->decode(next) << "\n"
              << "KV bytes, full: " << zigzag::kvBytes(full, context, model->config.kvType) << "\n"
              << "KV bytes, half: " << session->kvBytesAllocated() << "\n";
    return {};
}

} // namespace

int main(int argc, char **argv)
{
    if (const auto done = run(argc > 1 ? argv[1] : "bundled:zigzag-tiny"); !done)
        return std::cerr << "error: " << done.error().message << "\n", 1;
}
