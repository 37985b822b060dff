// SPDX-License-Identifier: GPL-3.0-or-later
// Mistral: Llama's layers, and a window in all of them where its file has one (arXiv 2310.06825).
#include "engine/model/families/family_list.h"

namespace zigzag {

namespace {

// The last two are what mlc-llm has its own cache keep; transformers reads neither.
constexpr std::string_view keys[] = {"sliding_window", "sliding_window_size", "attention_sink_size"};

Result<void> read(ModelConfig &, const json::Value &, const std::string &)
{
    return {};
}

} // namespace

const Family &mistralFamily()
{
    static const Family family{
        .modelType = "mistral",
        .window = FileWindow::Everywhere,
        .llamaTokenizer = true,
        .keys = keys,
        .read = read,
        .layer = decoderLayer,
    };
    return family;
}

} // namespace zigzag
