// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/cuda_matrix.h"

#include <algorithm>
#include <cassert>

namespace zigzag::gpu {

std::vector<WeightType> CudaMatrix::types()
{
    std::vector<WeightType> types = {DType::F32, DType::F16, DType::BF16};
    const auto add = [&](WeightType type) {
        if (heldBlocks(type))
            types.push_back(type);
    };
    add(DType::F8);
    for (std::size_t block = 0; block < blockShapes.size(); ++block)
        add(static_cast<BlockType>(block));
    return types;
}

Result<std::unique_ptr<CudaMatrix>> CudaMatrix::load(Device &device, Loader &loader, const TensorView &weights)
{
    auto matrix = std::make_unique<CudaMatrix>();
    matrix->rows = weights.rows;
    matrix->columns = weights.columns;
    if (const auto held = heldBlocks(weights.type)) {
        ZIGZAG_CHECK(checkBlocks(weights));
        matrix->layout.emplace(*held, weights.rows, weights.columns);
        ZIGZAG_TRY(memory, device.allocate(static_cast<std::size_t>(matrix->layout->bytes())));
        matrix->m_memory = std::move(memory);
        matrix->layOut(loader, weights);
        return matrix;
    }
    assert(weights.type.plain()); // other blocks are decoded before they get here (uploadModel)
    matrix->type = weights.type.plain().value_or(DType::F32);
    ZIGZAG_TRY(memory, device.allocate(static_cast<std::size_t>(weights.bytes())));
    matrix->m_memory = std::move(memory);
    loader.copy(matrix->m_memory->data(), weights.data, static_cast<std::size_t>(weights.bytes()));
    return matrix;
}

void CudaMatrix::layOut(Loader &loader, const TensorView &weights)
{
    constexpr std::int64_t pieceBytes = 16 << 20;
    const std::int64_t piece = std::clamp<std::int64_t>(pieceBytes / layout->tileCodes, 1, layout->tiles);
    std::vector<std::byte> codes(static_cast<std::size_t>(piece * layout->tileCodes)),
        params(static_cast<std::size_t>(piece * layout->tileParams));
    auto *to = m_memory->as<std::byte>();
    for (std::int64_t first = 0; first < layout->tiles; first += piece) {
        const std::int64_t count = std::min(piece, layout->tiles - first);
        layOutBlocks(weights, *layout, first, count, codes.data(), params.data());
        loader.copy(to + first * layout->tileCodes, codes.data(), static_cast<std::size_t>(count * layout->tileCodes));
        loader.copy(to + layout->codeBytes() + first * layout->tileParams, params.data(),
                    static_cast<std::size_t>(count * layout->tileParams));
    }
}

ExpertList expertList(std::span<const std::unique_ptr<Matrix>> matrices)
{
    ExpertList list;
    list.rows = matrices[0]->rows;
    list.columns = matrices[0]->columns;
    for (std::size_t e = 0; e < std::min<std::size_t>(matrices.size(), maxExperts); ++e) {
        const auto &matrix = static_cast<const CudaMatrix &>(*matrices[e]);
        list.add(static_cast<int>(e), matrix.data(), matrix.layout ? std::optional(matrix.layout->held) : std::nullopt);
    }
    return list;
}

bool CudaMatrix::isAlike(const CudaMatrix &other) const
{
    if (layout.has_value() != other.layout.has_value())
        return false;
    return layout ? layout->held == other.layout->held && activations == other.activations : type == other.type;
}

} // namespace zigzag::gpu
