// SPDX-License-Identifier: GPL-3.0-or-later
// A model folder: config.json, a NUL, model.safetensors. What the config implies is held against what the file has.
#include "engine/model/weights.h"
#include "tests/fuzz/fuzz_target.h"

#include <cmath>

namespace {

/// Every byte that a view claims is there to be read.
void touch(const zigzag::TensorView &view)
{
    for (std::int64_t i = 0; i < view.bytes(); ++i) {
        [[maybe_unused]] const volatile std::byte read = view.data[i];
    }
    for (std::int64_t i = 0; view.scales && i < view.scales.count(view.rows, view.columns); ++i)
        zigzag::test::require(std::isfinite(view.scales.data[i]));
}

} // namespace

ZIGZAG_FUZZ(model)
{
    using namespace zigzag;
    const std::size_t split = std::min(input.find('\0'), input.size());
    const auto config = parseModelConfig(input.substr(0, split), "config.json");
    if (!config)
        return;
    test::fuzzFile("model.safetensors", input.substr(std::min(split + 1, input.size())));
    const auto weights = loadWeights(test::fuzzFolder(), *config);
    if (!weights)
        return;
    test::require(weights->layers.size() == static_cast<std::size_t>(config->layers));
    for (const TensorView *view : {&weights->embedding, &weights->finalNorm, &weights->head})
        touch(*view);
    for (const LayerWeights &layer : weights->layers)
        for (std::size_t id = 0; id < weightIds; ++id)
            for (const TensorView &view : layer.all(static_cast<WeightId>(id)))
                touch(view);
}
