// SPDX-License-Identifier: GPL-3.0-or-later
// Targets that people ask for and that cannot run a map: the reason is worth more than a file that seems to work.
#include "profiler/exports/format_list.h"
#include "profiler/exports/writing.h"

namespace zigzag {

namespace {

ExportVerdict refused(const HeadMap &map, std::string_view reason)
{
    ExportVerdict verdict = layerVerdict(map);
    verdict.sinksKept = false;
    verdict.kvFreed = KvFreed::No;
    verdict.refusal = reason;
    return verdict;
}

Result<void> writeNothing(const HeadMap &, const ExportModel *, const std::filesystem::path &)
{
    return failed("this target was refused");
}

} // namespace

ExportFormat tensorRtLlmFormat()
{
    return {"tensorrt-llm",
            "TensorRT-LLM",
            false,
            [](const HeadMap &map, const ExportModel *) {
                return refused(map,
                               "max_attention_window reaches its KV manager but not Llama's attention kernel, so that the "
                               "kernel reads keys that are gone: use vllm");
            },
            writeNothing,
            layersWithoutSinks};
}

ExportFormat llamaCppFormat()
{
    return {"llama.cpp",
            "llama.cpp",
            false,
            [](const HeadMap &map, const ExportModel *model) {
                const bool isCarried = !model || model->config.is("llama") || model->config.is("mistral");
                return refused(map,
                               isCarried ? "its Llama reads no windows of layers, and every layer would retrieve as before: use "
                                           "granite-swa, whose folder its converter turns into a GGUF that keeps them"
                                         : "it reads no windows of layers for this family, so that every layer would retrieve as "
                                           "before: see what granite-swa says, or use vllm or mlx-lm");
            },
            writeNothing,
            layersWithoutSinks};
}

} // namespace zigzag
