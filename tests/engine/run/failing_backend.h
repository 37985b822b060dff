// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace zigzag::test {

/// The CPU backend behind the manners of a device that works beside the host: an op that fails says so at the next
/// `synchronize` alone, once; a step can be recorded; and the limits are what a test says.
class FailingBackend : public Backend
{
public:
    explicit FailingBackend(std::unique_ptr<Backend> real)
        : m_real(std::move(real))
    { }

    int opsUntilFailure = -1; ///< so many ops still succeed; negative: all do
    bool downloadFails = false; ///< the next one
    std::string called = "failing";
    std::optional<DeviceInfo> info; ///< instead of the real one's
    bool records = false; ///< whether `record` gives recordings
    std::function<void(int op)> onRecorded; ///< hears of each op that is recorded
    int recordings = 0;
    std::int64_t allocated = 0; ///< bytes, ever

    std::string_view name() const override { return called; }
    DeviceInfo device() const override { return info.value_or(m_real->device()); }
    DType activationType(DType type) const override { return m_real->activationType(type); }

    Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override
    {
        allocated += static_cast<std::int64_t>(bytes);
        return m_real->allocate(bytes);
    }
    void upload(Buffer &to, std::size_t offset, const void *from, std::size_t bytes) override
    {
        m_real->upload(to, offset, from, bytes);
    }
    void download(void *to, const void *from, std::size_t bytes) override
    {
        if (std::exchange(downloadFails, false))
            m_failed = true;
        else
            m_real->download(to, from, bytes);
    }
    Result<std::unique_ptr<Matrix>> prepare(const TensorView &weights) override { return m_real->prepare(weights); }

    void embed(const EmbedArgs &args) override { run(&Backend::embed, args); }
    void rmsNorm(const RmsNormArgs &args) override { run(&Backend::rmsNorm, args); }
    void matmul(const MatmulArgs &args) override { run(&Backend::matmul, args); }
    void ropeAppend(const RopeAppendArgs &args) override { run(&Backend::ropeAppend, args); }
    void attention(const AttentionArgs &args) override { run(&Backend::attention, args); }
    void commit(const CommitArgs &args) override { run(&Backend::commit, args); }
    void swiGlu(const SwiGluArgs &args) override { run(&Backend::swiGlu, args); }
    void copyHeads(const CopyHeadsArgs &args) override { run(&Backend::copyHeads, args); }
    void nextToken(const NextTokenArgs &args) override { run(&Backend::nextToken, args); }

    void wait() override { m_real->wait(); }
    Result<void> synchronize() override
    {
        if (std::exchange(m_failed, false))
            return failed("the device failed");
        return m_real->synchronize();
    }

    std::unique_ptr<Recording> record(const std::function<void()> &body) override
    {
        if (!records)
            return nullptr;
        ++recordings;
        m_recorded = 0;
        body();
        return std::make_unique<Replay>(*this, body, *std::exchange(m_recorded, std::nullopt));
    }
    GradientOps *gradients() override { return m_real->gradients(); }

private:
    /// Runs the body again, of which only what was recorded is let through.
    class Replay : public Recording
    {
    public:
        Replay(FailingBackend &backend, std::function<void()> body, int ops)
            : m_backend(backend)
            , m_body(std::move(body))
            , m_ops(ops)
        { }
        void replay() override
        {
            m_backend.m_letThrough = m_ops;
            m_body();
            m_backend.m_letThrough = std::numeric_limits<int>::max();
        }

    private:
        FailingBackend &m_backend;
        std::function<void()> m_body;
        int m_ops;
    };

    template <class Args> void run(void (Backend::*op)(const Args &), const Args &args)
    {
        if (m_recorded) {
            if (onRecorded)
                onRecorded(*m_recorded);
            ++*m_recorded;
            return;
        }
        if (m_letThrough-- <= 0)
            return;
        if (opsUntilFailure == 0)
            m_failed = true;
        if (opsUntilFailure >= 0)
            --opsUntilFailure;
        if (!m_failed)
            ((*m_real).*op)(args);
    }

    std::unique_ptr<Backend> m_real;
    bool m_failed = false;
    std::optional<int> m_recorded; ///< ops so far, while one is recorded
    int m_letThrough = std::numeric_limits<int>::max();
};

} // namespace zigzag::test
