// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/serving_choice.h"

#include "profiler/cost/engine_memory.h"
#include "views/models/text.h"

#include <algorithm>

namespace zigzag {

void ServingChoice::setModel(const std::string &name)
{
    m_name = name;
    m_model.reset();
}

Result<const ExportModel *> ServingChoice::model() const
{
    if (m_name.empty())
        return badInput(tr("the engine depends on the model: open it").toStdString());
    if (!m_model) {
        ZIGZAG_TRY(loaded, loadExportModel(m_name));
        m_model = std::move(loaded);
    }
    return &*m_model;
}

Result<std::optional<EngineServing>> ServingChoice::serving(const HeadMap &map) const
{
    if (isOurs())
        return std::optional<EngineServing>();
    ZIGZAG_TRY(known, model());
    ZIGZAG_TRY(found, engineServing(m_engine, *known, map));
    return std::optional(std::move(found));
}

Result<std::optional<EngineServing>> ServingChoice::serving(StreamingWindow window, bool ofHeads) const
{
    if (isOurs())
        return std::optional<EngineServing>();
    ZIGZAG_TRY(known, model());
    ZIGZAG_TRY(found, engineServing(m_engine, *known, window, ofHeads));
    return std::optional(std::move(found));
}

QString ServingChoice::asText() const
{
    return isOurs() ? QString() : tr("as %1 runs it").arg(QString::fromStdString(m_engine));
}

std::optional<double> ServingChoice::memoryBytes(const HeadMap &map, const std::optional<ModelConfig> &config,
                                                 std::int64_t context) const
{
    const auto found = serving(map);
    if (!config || !found || !*found || (*found)->counted.empty())
        return {};
    const auto layers = engineLayers((*found)->asRun(map));
    if (!layers)
        return {};
    for (const EngineMemory &engine : engineMemory(*config, *layers, context))
        if (engine.engine == (*found)->counted)
            return static_cast<double>(engine.decoding);
    return {};
}

QString ServingChoice::memoryText(const HeadMap &map, const std::optional<ModelConfig> &config, std::int64_t context) const
{
    if (isOurs() || map.layers() == 0)
        return {};
    const auto found = serving(map);
    if (!found)
        return QString::fromStdString(found.error().message);
    const auto layers = engineLayers((*found)->asRun(map));
    if (!layers || !config || (*found)->counted.empty())
        return tr("%1: not known what it takes").arg(asText());
    const auto engines = engineMemory(*config, *layers, context);
    const auto memory = std::find_if(engines.begin(), engines.end(),
                                     [&](const EngineMemory &each) { return each.engine == (*found)->counted; });
    if (memory == engines.end())
        return tr("%1: not known what it takes").arg(asText());
    return tr("%1, at %2 tokens: KV %3 a sequence, %4 a GiB (computed, %5 %6)")
        .arg(asText(), contextText(context), bytesText(static_cast<double>(memory->decoding)))
        .arg(memory->sequencesPerGiB, 0, 'f', 2)
        .arg(plain(memory->engine), plain(memory->version));
}

} // namespace zigzag
