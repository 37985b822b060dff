// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/carried_target.h"

#include "profiler/carry/granite_swa_gguf.h"

#include <algorithm>
#include <array>

namespace zigzag {

namespace {

/// A file holds its weights: there is nothing to link, and no README beside it.
Result<void> writeGguf(const ExportModel &model, const Model &carried, const std::filesystem::path &out, WeightFiles /*files*/,
                       const std::string & /*quality*/)
{
    return writeGraniteSwaGguf(model, carried, out);
}

/// The folder's weights are the model's own files, which have to be those of a folder.
ExportVerdict folderVerdict(const HeadMap &map, const ExportModel *model)
{
    ExportVerdict verdict = graniteSwaVerdict(map, model);
    if (std::error_code ignored; verdict.refusal.empty() && std::filesystem::is_regular_file(model->name, ignored))
        verdict.refusal = "a folder is made of a folder's weights, and this model is one file: write a GGUF file (--format gguf)";
    return verdict;
}

constexpr std::array targets{
    CarriedTarget{carriedFormat, "Granite folder (vLLM, SGLang, transformers)", true, folderVerdict, writeGraniteSwaFolder,
                  "vLLM"},
    CarriedTarget{carriedGgufFormat, "Granite GGUF file (llama.cpp)", false, graniteSwaGgufVerdict, writeGguf, "llama.cpp"},
};

} // namespace

std::span<const CarriedTarget> carriedTargets()
{
    return targets;
}

const CarriedTarget *findCarriedTarget(std::string_view name)
{
    const auto found = std::find_if(targets.begin(), targets.end(), [&](const CarriedTarget &each) { return each.name == name; });
    return found == targets.end() ? nullptr : &*found;
}

} // namespace zigzag
