// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/safetensors.h"

#include "engine/base/json_input.h"
#include "engine/model/mapped_file.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace zigzag {

namespace {

using json::Value;

constexpr std::uint64_t longestHeader = 100'000'000; // the limit of the format's own library

std::optional<DType> typeOf(std::string_view name)
{
    if (name == "F32")
        return DType::F32;
    if (name == "F16")
        return DType::F16;
    if (name == "BF16")
        return DType::BF16;
    if (name == "F8_E4M3")
        return DType::F8;
    return {};
}

Result<StoredTensor> readTensor(const Value &entry, std::span<const std::byte> data, const std::string &where)
{
    StoredTensor tensor;
    ZIGZAG_TRY(typeName, json::stringIn(entry, "dtype", where));
    tensor.typeName = typeName;
    tensor.type = typeOf(typeName);
    ZIGZAG_TRY(shape, json::arrayIn(entry, "shape", where));
    ZIGZAG_TRY(offsets, json::arrayIn(entry, "data_offsets", where));
    if (offsets->size() != 2)
        return badInput(fmt::format("{}: \"data_offsets\" must be two numbers; fetch the file anew", where));
    const auto size = static_cast<std::int64_t>(data.size());
    ZIGZAG_TRY(begin, json::asInteger((*offsets)[0], "an offset", 0, INT64_MAX, where));
    ZIGZAG_TRY(end, json::asInteger((*offsets)[1], "an offset", 0, INT64_MAX, where));
    if (begin > end || end > size)
        return badInput(
            fmt::format("{}: offsets {} to {} lie outside the file's {} bytes of data; it is truncated or damaged, fetch it anew",
                        where, begin, end, size));
    std::int64_t elements = 1;
    for (const Value &dimension : *shape) {
        ZIGZAG_TRY(extent, json::asInteger(dimension, "a dimension", 0, INT64_MAX, where));
        if (__builtin_mul_overflow(elements, extent, &elements))
            return badInput(fmt::format("{}: the shape has more elements than any file can hold; fetch the file anew", where));
        tensor.shape.push_back(extent);
    }
    // A foreign type may pack several elements into a byte; it is refused where it is needed.
    std::int64_t bytes = end - begin;
    if (tensor.type && (__builtin_mul_overflow(elements, bytesOf(*tensor.type), &bytes) || bytes != end - begin))
        return badInput(
            fmt::format("{}: the shape does not fill the {} bytes between its offsets; fetch the file anew", where, end - begin));
    tensor.data = data.data() + begin;
    tensor.bytes = static_cast<std::size_t>(end - begin);
    return tensor;
}

Result<void> refuseOverlap(const SafetensorsFile &file, const std::string &where)
{
    struct Extent {
        const std::byte *begin, *end;
        const std::string *name;
    };
    std::vector<Extent> extents;
    for (const auto &[name, tensor] : file.tensors)
        if (tensor.bytes > 0)
            extents.push_back({tensor.data, tensor.data + tensor.bytes, &name});
    std::sort(extents.begin(), extents.end(), [](const Extent &a, const Extent &b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < extents.size(); ++i)
        if (extents[i].begin < extents[i - 1].end)
            return badInput(fmt::format("{}: tensors \"{}\" and \"{}\" overlap; the file is damaged, fetch it anew", where,
                                        json::printable(*extents[i - 1].name), json::printable(*extents[i].name)));
    return {};
}

} // namespace

Result<SafetensorsFile> openSafetensors(const std::filesystem::path &path)
{
    const std::string where = path.string();
    ZIGZAG_TRY(mapped, MappedFile::open(path));
    const std::span<const std::byte> bytes = mapped.bytes;
    constexpr std::size_t prefix = sizeof(std::uint64_t);
    std::uint64_t headerLength = 0; // little-endian, as every machine that this runs on
    if (bytes.size() >= prefix)
        std::memcpy(&headerLength, bytes.data(), prefix);
    if (bytes.size() < prefix || headerLength > bytes.size() - prefix)
        return badInput(fmt::format(
            "{}: the header's length {} exceeds the file's {} bytes; it is truncated or not safetensors, fetch it anew", where,
            headerLength, bytes.size()));
    if (headerLength > longestHeader)
        return badInput(fmt::format("{}: the header's length {} exceeds {} bytes; this is not a safetensors file", where,
                                    headerLength, longestHeader));
    const auto length = static_cast<std::size_t>(headerLength);
    ZIGZAG_TRY(header, json::parse({reinterpret_cast<const char *>(bytes.data()) + prefix, length}, where + ", header"));
    if (!header.is_object())
        return badInput(
            fmt::format("{}: the header must be a JSON object, not {}; fetch the file anew", where, header.type_name()));
    SafetensorsFile file;
    file.owner = mapped.owner;
    for (const auto &[name, entry] : header.items()) {
        if (name == "__metadata__")
            continue;
        const std::string place = fmt::format("{}, tensor \"{}\"", where, json::printable(name));
        ZIGZAG_TRY(tensor, readTensor(entry, bytes.subspan(prefix + length), place));
        file.tensors.emplace(name, tensor);
    }
    ZIGZAG_CHECK(refuseOverlap(file, where));
    return file;
}

} // namespace zigzag
