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

/// Its architectures with a window for each layer that models here can be rewritten as: granite-swa and mellum.
std::string_view refusalByLlamaCpp(const ExportModel *model)
{
    if (model && model->config.is("qwen3_moe"))
        return "its Qwen3 with experts reads no windows of layers, and every layer would retrieve as before: use mellum, whose "
               "folder its converter reads";
    if (!model || model->config.is("llama") || model->config.is("mistral"))
        return "its Llama reads no windows of layers, and every layer would retrieve as before: use granite-swa, whose folder "
               "its converter turns into a GGUF that keeps them";
    return "it reads no windows of layers for this family, so that every layer would retrieve as before: see what granite-swa "
           "says, or use vllm or transformers where they take it";
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
    return {"llama.cpp",  "llama.cpp",
            false,        [](const HeadMap &map, const ExportModel *model) { return refused(map, refusalByLlamaCpp(model)); },
            writeNothing, layersWithoutSinks};
}

} // namespace zigzag
