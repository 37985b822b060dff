// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/quantized_tensors.h"

#include "engine/model/tensor_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

using Shape = std::vector<std::int64_t>;

/// "X." of "X.weight".
std::string moduleOf(const PlannedTensor &planned)
{
    constexpr std::string_view weight = "weight";
    return planned.name.ends_with(weight) ? planned.name.substr(0, planned.name.size() - weight.size()) : planned.name + '.';
}

std::int64_t storedRowsOf(const PlannedTensor &planned)
{
    return planned.storedRows > 0 ? planned.storedRows : planned.rows;
}

std::int64_t partsOf(std::int64_t count, std::int64_t part)
{
    return (count + part - 1) / part;
}

/// Scales are stored in types of whole floats.
bool isFloats(const StoredTensor &stored)
{
    return stored.type && stored.type != DType::F8;
}

/// How many numbers share a scale by the shape that scales have beside a matrix, [0, 0] where none fits.
std::array<std::int64_t, 2> sharedBy(const Shape &scales, std::int64_t rows, std::int64_t columns,
                                     const Quantization &quantization)
{
    const std::int64_t blockRows = quantization.blockRows, blockColumns = quantization.blockColumns;
    if (blockRows > 0 && scales == Shape{partsOf(rows, blockRows), partsOf(columns, blockColumns)})
        return {blockRows, blockColumns};
    if (std::all_of(scales.begin(), scales.end(), [](std::int64_t extent) { return extent == 1; }))
        return {rows, columns};
    if (scales == Shape{rows} || scales == Shape{rows, 1})
        return {1, columns};
    return {0, 0};
}

/// A tensor of words or floats with its shape.
Result<const StoredTensor *> findPart(const Checkpoint &checkpoint, const std::string &name, const Shape &shape, bool isWords)
{
    const std::string where = checkpoint.fileOf(name);
    const StoredTensor *stored = checkpoint.find(name);
    if (!stored)
        return badInput(fmt::format(
            "{}: tensor \"{}\" is missing, which belongs to a matrix of AWQ or GPTQ; fetch the missing files", where, name));
    if (isWords ? stored->typeName != "I32" : !isFloats(*stored))
        return badInput(fmt::format("{}: tensor \"{}\" has type {}, and {} is read; fetch the file anew", where, name,
                                    stored->typeName.substr(0, 20), isWords ? "I32" : "F16"));
    std::int64_t bytes = isWords ? 4 : bytesOf(*stored->type);
    for (const std::int64_t extent : shape)
        bytes *= extent; // of a config's sizes, which are bounded
    if (stored->shape != shape || std::cmp_not_equal(stored->bytes, bytes))
        return badInput(
            fmt::format("{}: tensor \"{}\" has shape [{}], but config.json implies [{}]; the two are not of one model", where,
                        name, fmt::join(stored->shape, ", "), fmt::join(shape, ", ")));
    return stored;
}

std::uint32_t wordAt(const StoredTensor &tensor, std::int64_t index)
{
    std::uint32_t word = 0;
    std::memcpy(&word, tensor.data + index * 4, sizeof word);
    return word;
}

float floatAt(const StoredTensor &tensor, std::int64_t index)
{
    float value = 0;
    decodeNumbers(*tensor.type, tensor.data + index * bytesOf(*tensor.type), 1, &value);
    return value;
}

/// Which four bits of a word AutoAWQ puts column i of eight into: its kernels take even and odd ones apart.
constexpr std::array<int, 8> awqPlaces = {0, 4, 1, 5, 2, 6, 3, 7};

int placeOf(const GroupedMatrix &matrix, std::int64_t row)
{
    const auto within = static_cast<std::size_t>(row % 8);
    return 4 * (matrix.isAwq ? awqPlaces[within] : static_cast<int>(within));
}

int storedZero(const GroupedMatrix &matrix, std::int64_t row, std::int64_t group)
{
    return static_cast<int>(wordAt(*matrix.zeros, group * (matrix.storedRows / 8) + row / 8) >> placeOf(matrix, row) & 15);
}

/// Input features in another order than that of the groups are what GPTQ calls desc_act.
Result<void> checkOrder(const Checkpoint &checkpoint, const GroupedMatrix &matrix, const std::string &name)
{
    const std::int64_t columns = matrix.planned.columns;
    ZIGZAG_TRY(groups, findPart(checkpoint, name, {columns}, true));
    for (std::int64_t i = 0; i < columns; ++i)
        if (wordAt(*groups, i) != static_cast<std::uint32_t>(i / matrix.groupSize))
            return badInput(
                fmt::format("{}: tensor \"{}\" has input features of one group apart from each other (desc_act), which "
                            "is not read; use a model that was quantised without desc_act",
                            checkpoint.fileOf(name), name));
    return {};
}

} // namespace

Result<StoredScales> readScales(const Checkpoint &checkpoint, const Quantization &quantization, const PlannedTensor &planned,
                                std::set<std::string> &names)
{
    const std::string module = moduleOf(planned), where = checkpoint.fileOf(planned.name);
    const std::string inverse = module + "weight_scale_inv", direct = module + "weight_scale";
    const StoredTensor *const both[] = {checkpoint.find(inverse), checkpoint.find(direct)};
    if (!both[0] == !both[1])
        return badInput(fmt::format("{}: tensor \"{}\" is in FP8, and there {} \"{}\" {} \"{}\" beside it; fetch the model anew",
                                    where, planned.name, both[0] ? "are both" : "is neither", inverse, both[0] ? "and" : "nor",
                                    direct));
    const StoredTensor &stored = both[0] ? *both[0] : *both[1];
    const std::string &name = both[0] ? inverse : direct;
    const std::int64_t rows = storedRowsOf(planned), columns = planned.columns;
    const auto [rowsPerScale, columnsPerScale] = sharedBy(stored.shape, rows, columns, quantization);
    if (!isFloats(stored) || rowsPerScale == 0)
        return badInput(fmt::format(
            "{}: tensor \"{}\" is {} [{}], and scales of [{}, {}] are floats for all, one a row, or one a "
            "block of weight_block_size; the two are not of one model",
            checkpoint.fileOf(name), name, stored.typeName.substr(0, 20), fmt::join(stored.shape, ", "), rows, columns));
    StoredScales scales{{}, rowsPerScale, columnsPerScale};
    const std::int64_t perRow = partsOf(columns, columnsPerScale);
    const auto add = [&](std::int64_t row) { // of scales
        for (std::int64_t i = 0; i < perRow; ++i)
            scales.numbers.push_back(floatAt(stored, row * perRow + i));
    };
    if (planned.storedFrom % rowsPerScale == 0 && !planned.isInPieces()) {
        for (std::int64_t row = 0; row < partsOf(planned.rows, rowsPerScale); ++row)
            add(planned.storedFrom / rowsPerScale + row);
    } else { // a matrix that begins within a block, or lies in pieces, has its scales row by row
        scales.rowsPerScale = 1;
        for (std::int64_t row = 0; row < planned.rows; ++row)
            add(planned.storedRow(row) / rowsPerScale);
    }
    for (const float scale : scales.numbers)
        if (!std::isfinite(scale))
            return badInput(fmt::format("{}: tensor \"{}\" has a scale that is no number; fetch the file anew",
                                        checkpoint.fileOf(name), name));
    names.insert(name);
    return scales;
}

Result<std::optional<GroupedMatrix>> findGrouped(const Checkpoint &checkpoint, const Quantization &quantization,
                                                 const PlannedTensor &planned, std::set<std::string> &names)
{
    using Form = Quantization::Form;
    const std::string module = moduleOf(planned);
    const bool isGrouped = quantization.form == Form::Awq || quantization.form == Form::Gptq;
    if (!isGrouped || !checkpoint.find(module + "qweight"))
        return std::nullopt;
    GroupedMatrix matrix{.planned = planned};
    matrix.isAwq = quantization.form == Form::Awq;
    matrix.zeroLess = quantization.zerosLessOne ? 1 : 0;
    matrix.storedRows = storedRowsOf(planned);
    const std::int64_t columns = planned.columns, rows = matrix.storedRows;
    matrix.groupSize = quantization.groupSize > 0 ? quantization.groupSize : columns;
    constexpr std::int64_t block = WeightType(BlockType::Int4).blockLength();
    if (rows % 8 != 0 || columns % block != 0 || columns % matrix.groupSize != 0)
        return badInput(
            fmt::format("{}: tensor \"{}qweight\" is of a matrix of {} rows of {} numbers, which are no whole number of "
                        "words of 8 and of groups of {}; use another form of the model",
                        checkpoint.fileOf(module + "qweight"), module, rows, columns, std::max(block, matrix.groupSize)));
    const std::int64_t groups = columns / matrix.groupSize;
    ZIGZAG_TRY(
        codes,
        findPart(checkpoint, module + "qweight", matrix.isAwq ? Shape{columns, rows / 8} : Shape{columns / 8, rows}, true));
    ZIGZAG_TRY(zeros, findPart(checkpoint, module + "qzeros", {groups, rows / 8}, true));
    ZIGZAG_TRY(scales, findPart(checkpoint, module + "scales", {groups, rows}, false));
    matrix.codes = codes, matrix.zeros = zeros, matrix.scales = scales;
    if (!matrix.isAwq && checkpoint.find(module + "g_idx")) {
        ZIGZAG_CHECK(checkOrder(checkpoint, matrix, module + "g_idx"));
        names.insert(module + "g_idx");
    }
    for (const char *part : {"qweight", "qzeros", "scales"})
        names.insert(module + part);
    return matrix;
}

Result<void> checkNumbers(const GroupedMatrix &matrix, const std::string &where)
{
    const std::string module = moduleOf(matrix.planned);
    const std::int64_t rows = matrix.storedRows, count = matrix.planned.columns / matrix.groupSize * rows;
    for (std::int64_t i = 0; i < count; ++i) {
        const float scale = floatAt(*matrix.scales, i);
        if (!std::isfinite(scale) || (matrix.scales->type != DType::F16 && f16ToFloat(floatToF16(scale)) != scale))
            return badInput(fmt::format("{}: tensor \"{}scales\" has {}, which is no number of float16; use the model as it was "
                                        "made, with scales in float16",
                                        where, module, scale));
        // A zero of nothing, less one, has no four bits: what programs make of the 15 that is left there differs.
        if (matrix.zeroLess > 0 && storedZero(matrix, i % rows, i / rows) == 15)
            return badInput(fmt::format("{}: tensor \"{}qzeros\" has a 15, which programs read as a zero of 0 or of 16; use a "
                                        "model in the layout gptq_v2",
                                        where, module));
    }
    return {};
}

void repack(const GroupedMatrix &matrix, std::int64_t begin, std::int64_t end, std::byte *to)
{
    constexpr std::int64_t length = WeightType(BlockType::Int4).blockLength(), bytes = WeightType(BlockType::Int4).blockBytes();
    const std::int64_t all = matrix.storedRows, blocks = matrix.planned.columns / length;
    // Rows of the files are columns here: a block of some rows at a time, whose lines stay in the first-level cache.
    for (std::int64_t block = 0; block < blocks; ++block)
        for (std::int64_t r = begin; r < end; ++r) {
            const std::int64_t row = matrix.planned.storedRow(r), first = block * length, group = first / matrix.groupSize;
            const int place = placeOf(matrix, row);
            const auto codeAt = [&](std::int64_t column) {
                return matrix.isAwq ? wordAt(*matrix.codes, column * (all / 8) + row / 8) >> place & 15
                                    : wordAt(*matrix.codes, column / 8 * all + row) >> (4 * (column % 8)) & 15;
            };
            std::byte *out = to + (r * blocks + block) * bytes;
            const std::uint16_t scale = floatToF16(floatAt(*matrix.scales, group * all + row));
            std::memcpy(out, &scale, sizeof scale);
            out[2] = static_cast<std::byte>(storedZero(matrix, row, group) + matrix.zeroLess);
            out[3] = std::byte{0};
            for (std::int64_t i = 0; i < length / 2; ++i)
                out[4 + i] = static_cast<std::byte>(codeAt(first + i) | codeAt(first + i + length / 2) << 4);
        }
}

} // namespace zigzag
