// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/exports/serving_ranks.h"

#include "engine/map/kv_layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace zigzag {

Result<ServingRanks> servingRanks(const ModelConfig &config, int gpus, int gpusPerHost)
{
    constexpr int most = 1024;
    if (gpus < 1 || gpus > most || gpusPerHost < 1)
        return badInput(fmt::format("{} GPUs, {} a host: give 1 to {}, and at least 1 a host", gpus, gpusPerHost, most));
    if (gpus > gpusPerHost && gpus % gpusPerHost != 0)
        return badInput(
            fmt::format("{} GPUs: {} a host do not fill hosts; give a multiple of {}", gpus, gpusPerHost, gpusPerHost));
    const int onHost = std::min(gpus, gpusPerHost);
    const auto shares = [&](int tensor) {
        return onHost % tensor == 0 && config.queryHeads % tensor == 0
            && (config.kvHeads % tensor == 0 || tensor % config.kvHeads == 0);
    };
    ServingRanks ranks{.gpus = gpus, .hosts = gpus / onHost};
    for (int tensor = 1; tensor <= onHost; ++tensor)
        if (shares(tensor))
            ranks.tensor = tensor;
    ranks.pipeline = gpus / ranks.tensor;
    if (ranks.pipeline > config.layers)
        return badInput(fmt::format("{} GPUs: {} of a host share a layer of {}, and {} stages are more than its {} layers; give "
                                    "fewer",
                                    gpus, ranks.tensor, config.name, ranks.pipeline, config.layers));
    return ranks;
}

std::vector<int> stageLayers(int layers, int pipeline)
{
    std::vector<int> stages(static_cast<std::size_t>(pipeline), layers / pipeline);
    for (int more = 0; more < layers % pipeline; ++more)
        ++stages[stages.size() - 2 - static_cast<std::size_t>(more)];
    return stages;
}

ServedRanks servedRanks(const ModelConfig &config, const HeadMap &map, const ServingRanks &ranks, std::int64_t context)
{
    const KvLayout layout(map, context, config.kvType);
    const int heads = std::max(1, config.kvHeads / ranks.tensor), holders = std::max(1, ranks.tensor / config.kvHeads);
    ServedRanks served;
    int layer = 0;
    for (const int count : stageLayers(config.layers, ranks.pipeline)) {
        for (int rank = 0; rank < ranks.tensor; ++rank) {
            std::int64_t bytes = 0;
            const int first = rank / holders * heads;
            for (int of = layer; of < layer + count; ++of)
                for (int head = first; head < first + heads; ++head)
                    bytes += layout.headBytes(of, head);
            served.kvBytes.push_back(bytes);
        }
        layer += count;
    }
    served.largest = *std::max_element(served.kvBytes.begin(), served.kvBytes.end());
    const auto all = std::accumulate(served.kvBytes.begin(), served.kvBytes.end(), std::int64_t{0});
    if (all > 0)
        served.imbalance
            = static_cast<double>(served.largest) * static_cast<double>(served.kvBytes.size()) / static_cast<double>(all);
    return served;
}

std::string vllmRankFlags(const ServingRanks &ranks, int host)
{
    if (ranks.isOne())
        return {};
    std::string flags = fmt::format("--tensor-parallel-size {}", ranks.tensor);
    if (ranks.pipeline > 1)
        flags += fmt::format(" --pipeline-parallel-size {}", ranks.pipeline);
    if (ranks.hosts > 1)
        flags
            += fmt::format(" --nnodes {} --node-rank {} --master-addr HOST{}", ranks.hosts, host, host > 0 ? " --headless" : "");
    return flags;
}

std::string sglangRankFlags(const ServingRanks &ranks, int host)
{
    if (ranks.isOne())
        return {};
    constexpr int port = 20000; // where the hosts meet: any that is free on the first
    std::string flags = fmt::format("--tp-size {}", ranks.tensor);
    if (ranks.pipeline > 1)
        flags += fmt::format(" --pp-size {}", ranks.pipeline);
    if (ranks.hosts > 1)
        flags += fmt::format(" --nnodes {} --node-rank {} --dist-init-addr HOST:{}", ranks.hosts, host, port);
    return flags;
}

} // namespace zigzag
