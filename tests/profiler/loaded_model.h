// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/session.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <memory>

namespace zigzag::test {

/// A small random model on the CPU backend.
class LoadedModel : public testing::Test
{
protected:
    void SetUp() override { load({}); }

    void load(const TinyModel &shape)
    {
        writeTinyModel(m_folder.path(), shape);
        auto loaded = loadModel(m_folder.path().string());
        ASSERT_TRUE(loaded) << loaded.error().message;
        model = *loaded;
        auto created = createBackend("cpu");
        ASSERT_TRUE(created) << created.error().message;
        backend = std::move(*created);
        auto uploaded = uploadModel(model, backend);
        ASSERT_TRUE(uploaded) << uploaded.error().message;
        device = *uploaded;
    }

    HeadMap map(HeadKind kind, int sink = 4, int recent = 16) const { return HeadMap(model->shape(), kind, sink, recent); }
    HeadMap mixedMap() const
    {
        HeadMap mixed = map(HeadKind::Retrieval);
        mixed.set(0, 1, HeadKind::Streaming);
        mixed.setLayer(1, HeadKind::Streaming);
        return mixed;
    }

    std::shared_ptr<const Model> model;
    std::shared_ptr<Backend> backend;
    std::shared_ptr<DeviceModel> device;

private:
    TempFolder m_folder;
};

} // namespace zigzag::test
