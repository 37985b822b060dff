// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_type.h"

#include <algorithm>
#include <array>

namespace zigzag {

namespace {

// In the order of their numbers. Types that are not read have a name, for the error.
constexpr std::array types = {
    GgufType{0, "F32", DType::F32},
    GgufType{1, "F16", DType::F16},
    GgufType{2, "Q4_0", BlockType::Q40},
    GgufType{3, "Q4_1", BlockType::Q41},
    GgufType{6, "Q5_0", BlockType::Q50},
    GgufType{7, "Q5_1", BlockType::Q51},
    GgufType{8, "Q8_0", BlockType::Q80},
    GgufType{9, "Q8_1"},
    GgufType{10, "Q2_K"},
    GgufType{11, "Q3_K"},
    GgufType{12, "Q4_K", BlockType::Q4K},
    GgufType{13, "Q5_K", BlockType::Q5K},
    GgufType{14, "Q6_K", BlockType::Q6K},
    GgufType{15, "Q8_K"},
    GgufType{16, "IQ2_XXS"},
    GgufType{17, "IQ2_XS"},
    GgufType{18, "IQ3_XXS"},
    GgufType{19, "IQ1_S"},
    GgufType{20, "IQ4_NL"},
    GgufType{21, "IQ3_S"},
    GgufType{22, "IQ2_S"},
    GgufType{23, "IQ4_XS"},
    GgufType{24, "I8"},
    GgufType{25, "I16"},
    GgufType{26, "I32"},
    GgufType{27, "I64"},
    GgufType{28, "F64"},
    GgufType{29, "IQ1_M"},
    GgufType{30, "BF16", DType::BF16},
    GgufType{34, "TQ1_0"},
    GgufType{35, "TQ2_0"},
    GgufType{39, "MXFP4", BlockType::Mxfp4},
    GgufType{40, "NVFP4"},
};

} // namespace

const GgufType *findGgufType(std::uint32_t number)
{
    const auto found = std::find_if(types.begin(), types.end(), [&](const GgufType &type) { return type.number == number; });
    return found == types.end() ? nullptr : &*found;
}

std::string_view readGgufTypes()
{
    return "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K or MXFP4";
}

} // namespace zigzag
