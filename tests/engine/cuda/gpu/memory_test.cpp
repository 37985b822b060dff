// SPDX-License-Identifier: GPL-3.0-or-later
// What a session takes of the GPU's memory against what was planned, and what it says when it does not fit.
#include "engine/map/kv_layout.h"
#include "engine/run/device_model.h"
#include "engine/run/session.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <numeric>

namespace zigzag::test {
namespace {

class GpuMemory : public testing::Test
{
protected:
    void SetUp() override
    {
        auto backend = createBackend("cuda");
        ASSERT_TRUE(backend) << backend.error().message;
        m_backend = std::move(*backend);
        auto model = loadModel("preset:llama-3.2-1b");
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
    }
    std::int64_t freeBytes() const { return m_backend->device().memoryBytes; }
    HeadMap full() const { return HeadMap(m_model->shape(), HeadKind::Retrieval, 64, 256); }

    std::shared_ptr<Backend> m_backend;
    std::shared_ptr<const Model> m_model;
};

TEST_F(GpuMemory, PeakIsWeightsCacheAndWorkspace)
{
    const std::int64_t before = freeBytes();
    auto device = uploadModel(m_model, m_backend);
    ASSERT_TRUE(device) << device.error().message;
    auto session = Session::create(*device, full(), {.maxContext = 65536});
    ASSERT_TRUE(session) << session.error().message;
    std::vector<int> tokens(9000);
    std::iota(tokens.begin(), tokens.end(), 100);
    std::int64_t least = freeBytes();
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE((*session)->run(tokens));
        ASSERT_TRUE((*session)->continueGreedily(std::vector<int>{7}, 4));
        least = std::min(least, freeBytes());
    }
    const std::int64_t planned = m_model->config.weightBytes() + (*session)->kvBytesAllocated() + (*session)->workspaceBytes();
    const double ratio = static_cast<double>(before - least) / static_cast<double>(planned);
    fmt::print("peak {} bytes, planned {} (weights {}, KV {}, workspace {}): {:.4f}\n", before - least, planned,
               m_model->config.weightBytes(), (*session)->kvBytesAllocated(), (*session)->workspaceBytes(), ratio);
    EXPECT_GT(ratio, 0.97);
    EXPECT_LT(ratio, 1.03);
    session->reset();
    device->reset();
    EXPECT_NEAR(static_cast<double>(freeBytes()), static_cast<double>(before), 64e6) << "memory that did not come back";
}

TEST_F(GpuMemory, WhatDoesNotFitIsRefusedWithTheContextThatDoes)
{
    auto device = uploadModel(m_model, m_backend);
    ASSERT_TRUE(device) << device.error().message;
    const auto refused = Session::create(*device, full(), {.maxContext = std::int64_t{1} << 30});
    ASSERT_FALSE(refused);
    fmt::print("{}\n", refused.error().message);
    EXPECT_NE(refused.error().message.find("choose a context of at most"), std::string::npos);
    auto small = Session::create(*device, full(), {.maxContext = 512});
    ASSERT_TRUE(small) << small.error().message;
    EXPECT_TRUE((*small)->run(std::vector<int>{1, 2, 3}));
}

} // namespace
} // namespace zigzag::test
