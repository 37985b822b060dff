// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// How the files of a folder hold matrices that are quantised: what quantization_config of its config.json says.
struct Quantization {
    enum class Form : std::uint8_t {
        None,
        F8, ///< `weight` in E4M3 beside `weight_scale` or `weight_scale_inv`, which a number is multiplied with
        Awq, ///< `qweight`, `qzeros` and `scales` in the order of AutoAWQ's "gemm"
        Gptq ///< the same three in GPTQ's order, and `g_idx`
    };
    Form form = Form::None;
    /// Of F8: numbers that share a scale, [rows, columns] of a block; 0 where a scale is a row's or all numbers'.
    std::int64_t blockRows = 0, blockColumns = 0;
    std::int64_t groupSize = 0; ///< of AWQ and GPTQ: numbers of a row that share scale and zero; 0: all of it
    bool zerosLessOne = false; ///< of GPTQ: what is stored is one less than the zero (checkpoint_format "gptq")
    /// Names of modules that stay as they are, by their beginning or their end. What files hold decides; these tell where there
    /// are no files.
    std::vector<std::string> kept = {};

    friend bool operator==(const Quantization &, const Quantization &) = default;
};

} // namespace zigzag
