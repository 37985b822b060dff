// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/collectives.h"

#include "engine/cuda/exchange_launches.h"
#include "engine/cuda/nccl.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>

namespace zigzag::gpu {

namespace {

/// Numbers that a rank sends in one call of an exchange.
constexpr std::int64_t exchangeCapacity = 256 << 10;

LaunchOn onStreamOf(const Device &device)
{
    return {device.stream(), device.limits().computeCapability >= 90};
}

class DeviceGroup : public CollectiveGroup
{
public:
    explicit DeviceGroup(std::vector<RankDevice *> ranks)
        : m_ranks(std::move(ranks))
        , m_communicators(m_ranks.size())
    {
        for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
            m_members.push_back(std::make_unique<Member>(*this, rank));
            m_devices.push_back(m_ranks[rank]->flushed().index());
        }
    }
    ~DeviceGroup() override
    {
        for (const Nccl::Communicator communicator : m_communicators)
            if (communicator)
                m_nccl->destroy(communicator);
        if (m_stopped)
            cudaFreeHost(m_stopped);
    }

    Result<void> start()
    {
        ZIGZAG_TRY(nccl, Nccl::open());
        m_nccl = nccl;
        ZIGZAG_CHECK(m_nccl->join(m_devices, m_communicators));
        const char *const asked = std::getenv("ZIGZAG_COLLECTIVES");
        m_onlyNccl = asked && std::string_view(asked) == "nccl";
        void *stopped = nullptr;
        if (const cudaError_t status = cudaHostAlloc(&stopped, sizeof(int), cudaHostAllocPortable | cudaHostAllocMapped))
            return failed(fmt::format("page-locked memory: {}", textOf(status)));
        m_stopped = static_cast<int *>(stopped);
        *m_stopped = 0;
        ZIGZAG_CHECK(openMemory());
        return onFirst();
    }

    Collective &of(int rank) override { return *m_members[static_cast<std::size_t>(rank)]; }

    void abort() override
    {
        m_isAborted = true;
        *static_cast<volatile int *>(m_stopped) = 1;
        for (Nccl::Communicator &communicator : m_communicators)
            if (communicator)
                m_nccl->abort(std::exchange(communicator, nullptr));
    }

    Result<void> restart() override
    {
        *m_stopped = 0;
        ZIGZAG_CHECK(m_nccl->join(m_devices, m_communicators));
        for (const auto &member : m_members)
            ZIGZAG_CHECK(member->clearMemory());
        m_isAborted = false;
        return onFirst();
    }

private:
    class Member : public Collective
    {
    public:
        Member(DeviceGroup &group, std::size_t rank)
            : m_group(group)
            , m_rank(rank)
        { }

        void sum(const SumArgs &args) override
        {
            Device &device = m_group.m_ranks[m_rank]->flushed();
            if (m_group.m_isAborted)
                return;
            if (args.type == DType::F32 && args.count <= exchangeCapacity && !m_group.m_onlyNccl) {
                ExchangeArgs kernel = exchange();
                kernel.part = static_cast<const float *>(args.part);
                kernel.out = args.out;
                kernel.residual = args.residual;
                kernel.count = args.count;
                device.check(launchExchangeSum(kernel, onStreamOf(device)), "a sum over GPUs");
                return;
            }
            const int result = m_group.m_nccl->sum(args.part, static_cast<std::size_t>(args.count), args.type,
                                                   m_group.m_communicators[m_rank], device.stream());
            device.check(result == 0 ? cudaSuccess : cudaErrorUnknown, "NCCL's sum over GPUs");
            device.check(launchAddParts(args.type, {args.part, args.out, args.residual, args.count}, onStreamOf(device)),
                         "a sum over GPUs");
        }

        void gather(const GatherArgs &args) override
        {
            Device &device = m_group.m_ranks[m_rank]->flushed();
            if (m_group.m_isAborted)
                return;
            const std::int64_t most = args.rows * *std::max_element(args.widths.begin(), args.widths.end());
            for (std::int64_t done = 0; done < most; done += exchangeCapacity) {
                ExchangeArgs kernel = exchange();
                kernel.part = args.part;
                kernel.out = args.out;
                kernel.count = std::min(exchangeCapacity, most - done);
                for (std::size_t rank = 0; rank < args.widths.size(); ++rank) {
                    kernel.widths[rank] = args.widths[rank];
                    kernel.offsets[rank] = kernel.pitch;
                    kernel.pitch += args.widths[rank];
                    kernel.first[rank] = done;
                    kernel.counts[rank] = std::min(kernel.count, args.rows * args.widths[rank] - done);
                }
                device.check(launchExchangeGather(kernel, onStreamOf(device)), "the logits of several GPUs");
            }
        }

        void clear(float *numbers, std::int64_t count) override
        {
            Device &device = m_group.m_ranks[m_rank]->flushed();
            device.check(cudaMemsetAsync(numbers, 0, static_cast<std::size_t>(count) * sizeof(float), device.stream()),
                         "a sum's start");
        }

        /// The words of an exchange, and its state behind them.
        Result<void> allocate()
        {
            Device &device = m_group.m_ranks[m_rank]->flushed();
            const std::size_t words = 2 * m_group.m_ranks.size() * exchangeCapacity * sizeof(std::uint64_t);
            ZIGZAG_TRY(memory, device.allocate(words + stateBytes));
            m_memory = std::move(memory);
            m_state = reinterpret_cast<std::uint32_t *>(m_memory->as<std::byte>() + words);
            return clearMemory();
        }

        Result<void> clearMemory()
        {
            Device &device = m_group.m_ranks[m_rank]->flushed();
            if (const int status = cudaSetDevice(device.index()); status != cudaSuccess)
                return failed(textOf(status));
            device.check(cudaMemsetAsync(m_memory->data(), 0, m_memory->bytes(), device.stream()), "the memory of an exchange");
            return device.synchronize();
        }

        std::uint64_t *words() const { return m_memory->as<std::uint64_t>(); }

    private:
        static constexpr std::size_t stateBytes = 64;

        ExchangeArgs exchange() const
        {
            ExchangeArgs args = {};
            for (std::size_t rank = 0; rank < m_group.m_members.size(); ++rank)
                args.words[rank] = m_group.m_members[rank]->words();
            args.state = m_state;
            args.stopped = m_group.m_stopped;
            args.capacity = exchangeCapacity;
            args.rank = static_cast<int>(m_rank);
            args.ranks = static_cast<int>(m_group.m_ranks.size());
            args.phases = exchangeSends | exchangeTakes;
            return args;
        }

        DeviceGroup &m_group;
        std::size_t m_rank;
        std::unique_ptr<Buffer> m_memory;
        std::uint32_t *m_state = nullptr;
    };

    /// The memory that the others write into.
    Result<void> openMemory()
    {
        for (const int from : m_devices)
            for (const int to : m_devices) {
                int can = 1;
                if (from != to && (cudaDeviceCanAccessPeer(&can, from, to) != cudaSuccess || can == 0))
                    return failed(fmt::format(
                        "GPUs {} and {} cannot reach each other's memory: choose GPUs that are joined by NVLink, or by "
                        "a PCIe switch, with CUDA_VISIBLE_DEVICES",
                        from, to));
            }
        for (std::size_t rank = 0; rank < m_devices.size(); ++rank) {
            if (const int status = cudaSetDevice(m_devices[rank]); status != cudaSuccess)
                return failed(textOf(status));
            for (const int peer : m_devices) {
                const int status = peer == m_devices[rank] ? cudaSuccess : cudaDeviceEnablePeerAccess(peer, 0);
                if (status == cudaErrorPeerAccessAlreadyEnabled)
                    cudaGetLastError();
                else if (status != cudaSuccess)
                    return failed(textOf(status));
            }
            ZIGZAG_CHECK(m_members[rank]->allocate());
        }
        return {};
    }

    /// The calling thread goes on with the first rank's device.
    Result<void> onFirst() const
    {
        if (const int status = cudaSetDevice(m_devices.front()); status != cudaSuccess)
            return failed(textOf(status));
        return {};
    }

    std::vector<RankDevice *> m_ranks;
    std::vector<int> m_devices; // [ranks]
    const Nccl *m_nccl = nullptr;
    std::vector<Nccl::Communicator> m_communicators; // [ranks], null once aborted
    bool m_onlyNccl = false;
    int *m_stopped = nullptr; ///< in page-locked memory, which every device reads
    std::atomic<bool> m_isAborted{false};
    std::vector<std::unique_ptr<Member>> m_members; // [ranks]
};

} // namespace

Result<std::unique_ptr<CollectiveGroup>> joinDevices(std::vector<RankDevice *> ranks)
{
    if (ranks.size() > mostExchanging)
        return failed(fmt::format("{} GPUs: {} is the most: give fewer", ranks.size(), mostExchanging));
    auto group = std::make_unique<DeviceGroup>(std::move(ranks));
    ZIGZAG_CHECK(group->start());
    return std::unique_ptr<CollectiveGroup>(std::move(group));
}

} // namespace zigzag::gpu
