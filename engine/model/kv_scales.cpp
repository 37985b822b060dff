// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/kv_scales.h"

#include "engine/model/tensor_values.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

namespace {

Result<float> readScale(const StoredTensor &stored, const std::string &name, const std::string &where)
{
    const bool isOne = std::all_of(stored.shape.begin(), stored.shape.end(), [](std::int64_t extent) { return extent == 1; });
    if (!stored.type || stored.type == DType::F8 || !isOne)
        return badInput(fmt::format("{}: tensor \"{}\" must be one number in F32, F16 or BF16, as scales of keys and values are; "
                                    "remove it, or fetch the file anew",
                                    where, name));
    const float scale = floatsOf({stored.data, *stored.type, 1, 1}).front();
    if (!(scale > 0) || !std::isfinite(scale))
        return badInput(fmt::format("{}: tensor \"{}\" is {}, and a scale of keys or values must be above 0; remove it, or fetch "
                                    "the file anew",
                                    where, name, scale));
    return scale;
}

} // namespace

Result<std::vector<KvScales>> readKvScales(const Checkpoint &checkpoint, int layers, std::set<std::string> &names)
{
    struct Place {
        const char *name;
        float KvScales::*scale;
    };
    constexpr Place places[] = {{"k_scale", &KvScales::key},
                                {"v_scale", &KvScales::value},
                                {"k_proj.k_scale", &KvScales::key},
                                {"v_proj.v_scale", &KvScales::value}};
    std::vector<KvScales> scales(static_cast<std::size_t>(layers));
    bool isAny = false;
    for (int layer = 0; layer < layers; ++layer)
        for (const Place &place : places) {
            const std::string name = fmt::format("model.layers.{}.self_attn.{}", layer, place.name);
            const StoredTensor *stored = checkpoint.find(name);
            if (!stored)
                continue;
            ZIGZAG_TRY(scale, readScale(*stored, name, checkpoint.fileOf(name)));
            scales[static_cast<std::size_t>(layer)].*place.scale = scale;
            names.insert(name);
            isAny = true;
        }
    return isAny ? scales : std::vector<KvScales>();
}

} // namespace zigzag
