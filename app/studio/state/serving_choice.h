// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/engine_serving.h"

#include <QCoreApplication>
#include <QString>
#include <cstdint>
#include <optional>
#include <string>

namespace zigzag {

/// Who will serve the map: our engine, unless a person says otherwise. What it takes and what is asked of it is then said of that
/// engine, and by its name.
class ServingChoice
{
    Q_DECLARE_TR_FUNCTIONS(zigzag::ServingChoice)
public:
    /// As MODEL on the command line; empty for a map without its model.
    void setModel(const std::string &name);
    /// Among the names of servingEngines(); empty: ours.
    void setEngine(const std::string &engine) { m_engine = engine; }
    const std::string &engine() const { return m_engine; }
    bool isOurs() const { return m_engine.empty(); }

    /// How the engine runs a map; nothing where it is ours. Refused where it cannot run it, or there is no model to ask about.
    Result<std::optional<EngineServing>> serving(const HeadMap &map) const;
    /// The same for maps with this window, as a search or a sweep tries them; `ofHeads`: single heads of them.
    Result<std::optional<EngineServing>> serving(StreamingWindow window, bool ofHeads) const;
    /// "as vllm runs it"; empty where it is ours.
    QString asText() const;
    /// What it takes for a sequence of so many tokens, by its own way of counting, or why it cannot run the map. Empty where it
    /// is ours. `config`: as the window has it.
    QString memoryText(const HeadMap &map, const std::optional<ModelConfig> &config, std::int64_t context) const;

    /// The same as a number; nothing where the engine cannot run the map, or it is not known how it counts.
    std::optional<double> memoryBytes(const HeadMap &map, const std::optional<ModelConfig> &config, std::int64_t context) const;

private:
    Result<const ExportModel *> model() const;

    std::string m_engine, m_name;
    mutable std::optional<ExportModel> m_model; ///< read when it is first asked about
};

} // namespace zigzag
