// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/map_io.h"
#include "engine/run/device_model.h"
#include "engine/run/session.h"
#include "tests/paths.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zigzag::test {

/// The float32 values of a .npy file.
inline std::vector<float> readNpy(const std::filesystem::path &path)
{
    std::ifstream file(path, std::ios::binary);
    std::string start(10, '\0');
    file.read(start.data(), 10);
    if (!file || start.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
        ADD_FAILURE() << "not a version 1.0 .npy file: " << path;
        return {};
    }
    std::string header(static_cast<unsigned char>(start[8]) + 256u * static_cast<unsigned char>(start[9]), '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    EXPECT_NE(header.find("'<f4'"), std::string::npos) << header;
    EXPECT_NE(header.find("'fortran_order': False"), std::string::npos) << header;
    const std::string data{std::istreambuf_iterator<char>(file), {}};
    std::vector<float> values(data.size() / sizeof(float));
    std::memcpy(values.data(), data.data(), values.size() * sizeof(float));
    return values;
}

/// One folder of tests/fixtures/goldens (written by make_goldens.py): a random model and what transformers makes of it.
struct Golden {
    std::string name, family, rope, dtype;
    double tolerance = 0; ///< largest difference allowed, as a share of the largest logit

    std::filesystem::path folder() const { return std::filesystem::path(sourceDir()) / "tests/fixtures/goldens" / name; }
    bool isFloat32() const { return dtype == "float32"; }

    std::vector<int> tokens() const
    {
        std::ifstream file(folder() / "tokens.txt");
        return {std::istream_iterator<int>(file), {}};
    }

    /// full, mixed or streaming: [tokens, vocabulary].
    std::vector<float> logits(const std::string &which) const { return readNpy(folder() / (which + ".npy")); }
};

inline std::vector<Golden> goldens()
{
    std::ifstream file(std::filesystem::path(sourceDir()) / "tests/fixtures/goldens/manifest.json");
    const auto manifest = nlohmann::json::parse(file); // outlives the loop over a part of it
    std::vector<Golden> all;
    for (const auto &f : manifest.at("fixtures"))
        all.push_back({f.at("name"), f.at("family"), f.at("rope"), f.at("dtype"), f.at("tolerance")});
    EXPECT_GE(all.size(), 20u);
    return all;
}

/// Largest |a - b|, as a share of the largest |b|; NaN anywhere gives infinity.
inline double relativeDifference(const std::vector<float> &a, const std::vector<float> &b)
{
    if (a.size() != b.size() || b.empty())
        return INFINITY;
    double most = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(double{a[i]} - double{b[i]});
        if (!(difference < INFINITY))
            return INFINITY;
        most = std::max(most, difference);
        largest = std::max(largest, std::abs(double{b[i]}));
    }
    return most / largest;
}

/// The backend that these tests run on: cpu, or what the environment names (`./dev gpu-test` names cuda).
inline std::string backendUnderTest()
{
    const char *name = std::getenv("ZIGZAG_TEST_BACKEND");
    return name ? name : "cpu";
}

/// A fixture's model on the backend under test, ready for sessions.
class GoldenModel
{
public:
    explicit GoldenModel(const Golden &golden)
        : m_tokens(golden.tokens())
    {
        auto model = loadModel(golden.folder().string());
        auto backend = createBackend(backendUnderTest());
        if (!model || !backend) {
            ADD_FAILURE() << (model ? backend.error().message : model.error().message);
            return;
        }
        m_model = *model;
        auto device = uploadModel(m_model, std::move(*backend));
        if (device)
            m_device = *device;
        else
            ADD_FAILURE() << device.error().message;
        auto mixed = readHeadMap(golden.folder() / "map.json");
        if (mixed)
            m_mixed = *mixed;
        else
            ADD_FAILURE() << mixed.error().message;
    }
    explicit operator bool() const { return m_device && m_mixed.layers() > 0; }

    const Model &model() const { return *m_model; }
    const std::shared_ptr<DeviceModel> &device() const { return m_device; }
    const std::vector<int> &tokens() const { return m_tokens; }
    /// Whether a map decides anything: not where the file gives every layer a window.
    bool isMappable() const
    {
        const auto &windows = m_model->config.fileWindows;
        return windows.empty() || std::find(windows.begin(), windows.end(), 0) != windows.end();
    }
    /// full, mixed (the fixture's map) or streaming.
    HeadMap map(const std::string &which) const
    {
        HeadMap map = which == "mixed" ? m_mixed : m_mixed.withEvery(which == "full" ? HeadKind::Retrieval : HeadKind::Streaming);
        map.setModel(m_model->shape());
        return map;
    }

    std::unique_ptr<Session> session(const HeadMap &map, std::int64_t chunk, MixedMode mode = MixedMode::Fused) const
    {
        const auto context = static_cast<std::int64_t>(m_tokens.size());
        auto created = Session::create(m_device, map, {.maxContext = context, .chunk = chunk, .mixed = mode});
        if (!created) {
            ADD_FAILURE() << created.error().message;
            return nullptr;
        }
        return std::move(*created);
    }

    /// Logits of every token; empty when the run failed.
    std::vector<float> run(const HeadMap &map, std::int64_t chunk, MixedMode mode = MixedMode::Fused) const
    {
        const auto running = session(map, chunk, mode);
        if (!running)
            return {};
        auto logits = running->run(m_tokens, Session::Logits::All);
        if (!logits) {
            ADD_FAILURE() << logits.error().message;
            return {};
        }
        return std::move(*logits);
    }

private:
    std::vector<int> m_tokens;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<DeviceModel> m_device;
    HeadMap m_mixed;
};

} // namespace zigzag::test
