// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(safetensors)
{
    const auto file = zigzag::openSafetensors(zigzag::test::fuzzFile("model.safetensors", input));
    if (!file)
        return;
    for (const auto &[name, tensor] : file->tensors) // every byte that a tensor claims is there to be read
        for (std::size_t i = 0; i < tensor.bytes; ++i) {
            [[maybe_unused]] const volatile std::byte read = tensor.data[i];
        }
}
