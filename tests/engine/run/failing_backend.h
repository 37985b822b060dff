// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

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
    std::optional<Capabilities> can; ///< instead of those of a device beside the host
    bool records = false; ///< whether `record` gives recordings
    std::function<void(int op)> onRecorded; ///< hears of each op that is recorded
    int recordings = 0;
    std::int64_t allocated = 0; ///< bytes, ever

    std::string_view name() const override { return called; }
    DeviceInfo device() const override { return info.value_or(m_real->device()); }
    Capabilities capabilities() const override
    {
        Capabilities real = m_real->capabilities();
        real.onProcessor = false;
        real.recordsSteps = records;
        return can.value_or(std::move(real));
    }
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
    void softCap(const SoftCapArgs &args) override { run(&Backend::softCap, args); }
    void copyHeads(const CopyHeadsArgs &args) override { run(&Backend::copyHeads, args); }
    void experts(const ExpertsArgs &args) override { run(&Backend::experts, args); }
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
        m_recorded.emplace();
        body();
        return std::make_unique<Replay>(*std::exchange(m_recorded, std::nullopt));
    }
    GradientOps *gradients() override { return m_real->gradients(); }

private:
    using Launches = std::vector<std::function<void()>>;

    class Replay : public Recording
    {
    public:
        explicit Replay(Launches launches)
            : m_launches(std::move(launches))
        { }
        void replay() override
        {
            for (const auto &launch : m_launches)
                launch();
        }

    private:
        Launches m_launches;
    };

    /// The arguments of a launch, with what their spans show, for as long as the recording lives.
    template <class Args> static auto kept(const Args &args)
    {
        return [args] { return args; };
    }
    template <class Args, class Element> static auto keptWith(const Args &args, std::span<const Element> Args::*shown)
    {
        return [args, shown, elements = std::vector<Element>((args.*shown).begin(), (args.*shown).end())] {
            Args copy = args;
            copy.*shown = elements;
            return copy;
        };
    }
    static auto kept(const MatmulArgs &args) { return keptWith(args, &MatmulArgs::products); }
    static auto kept(const RopeAppendArgs &args) { return keptWith(args, &RopeAppendArgs::heads); }
    static auto kept(const CommitArgs &args) { return keptWith(args, &CommitArgs::heads); }
    static auto kept(const CopyHeadsArgs &args) { return keptWith(args, &CopyHeadsArgs::heads); }
    static auto kept(const AttentionArgs &args)
    {
        return [whole = keptWith(args, &AttentionArgs::heads),
                selected = std::vector<int>(args.selected.begin(), args.selected.end())] {
            AttentionArgs copy = whole();
            copy.selected = selected;
            return copy;
        };
    }

    template <class Args> void run(void (Backend::*op)(const Args &), const Args &args)
    {
        if (m_recorded) {
            if (onRecorded)
                onRecorded(static_cast<int>(m_recorded->size()));
            m_recorded->push_back([this, op, keep = kept(args)] { ((*m_real).*op)(keep()); });
            return;
        }
        if (opsUntilFailure == 0)
            m_failed = true;
        if (opsUntilFailure >= 0)
            --opsUntilFailure;
        if (!m_failed)
            ((*m_real).*op)(args);
    }

    std::unique_ptr<Backend> m_real;
    bool m_failed = false;
    std::optional<Launches> m_recorded; ///< so far, while a step is recorded
};

} // namespace zigzag::test
