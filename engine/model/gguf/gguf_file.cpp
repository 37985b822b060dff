// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_file.h"

#include "engine/base/files.h"
#include "engine/base/printable.h"
#include "engine/model/mapped_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <type_traits>

namespace zigzag {

namespace fs = std::filesystem;

namespace {

// The numbers that stand for types of metadata.
enum ValueType : std::uint32_t {
    UInt8,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    Float32,
    Bool,
    String,
    Array,
    UInt64,
    Int64,
    Float64,
    valueTypes
};

/// Bytes of a number of the type; 0 for strings and arrays.
constexpr std::array<std::size_t, valueTypes> widths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

template <class T> T loadAs(const std::byte *from)
{
    T value{};
    std::memcpy(&value, from, sizeof value); // little-endian, as every machine that this runs on
    return value;
}

std::uint64_t loadUnsigned(const std::byte *from, std::size_t width)
{
    std::uint64_t value = 0;
    std::memcpy(&value, from, width);
    return value;
}

std::int64_t loadSigned(const std::byte *from, std::size_t width)
{
    const auto shift = static_cast<unsigned int>(64 - 8 * width);
    return static_cast<std::int64_t>(loadUnsigned(from, width) << shift) >> shift;
}

constexpr auto suffixPattern = "-{:05}-of-{:05}.gguf"; // as the tool that splits them names them

} // namespace

std::optional<std::int64_t> GgufArray::integer(std::size_t i) const
{
    const std::byte *from = m_numbers + i * m_width;
    if (m_kind == Kind::Signed)
        return loadSigned(from, m_width);
    const std::uint64_t value = m_kind == Kind::Unsigned ? loadUnsigned(from, m_width) : UINT64_MAX;
    return value > INT64_MAX ? std::nullopt : std::optional(static_cast<std::int64_t>(value));
}

double GgufArray::number(std::size_t i) const
{
    const std::byte *from = m_numbers + i * m_width;
    if (m_kind == Kind::Float)
        return m_width == 4 ? static_cast<double>(loadAs<float>(from)) : loadAs<double>(from);
    return hasStrings() ? 0 : static_cast<double>(integer(i).value_or(INT64_MAX));
}

std::string GgufTensor::typeName() const
{
    return type ? std::string(type->name) : fmt::format("number {}", typeNumber);
}

/// Reads one file from front to back; nothing is read or counted that its bytes do not hold.
class GgufParser
{
public:
    GgufParser(std::span<const std::byte> bytes, std::string where)
        : m_bytes(bytes)
        , m_where(std::move(where))
    { }

    Result<void> readHeader();
    Result<void> readMetadata(std::map<std::string_view, GgufValue> &metadata,
                              std::map<std::string_view, std::span<const std::byte>> &stored);
    Result<void> readTensors(std::map<std::string_view, GgufTensor> &tensors, std::size_t file, GgufData data);

private:
    struct Extent {
        std::uint64_t begin, end;
        std::string_view name;
    };

    std::uint64_t left() const { return m_bytes.size() - m_position; }
    tl::unexpected<Error> damaged(std::string_view what) const
    {
        return badInput(fmt::format("{}: {}; the file is truncated or damaged, fetch it anew", m_where, what));
    }
    template <class T> Result<T> take(std::string_view what);
    Result<std::string_view> takeText(std::string_view what);
    Result<GgufValue> takeValue(std::string_view key);
    Result<GgufArray> takeArray(std::string_view key);
    Result<GgufTensor> takeTensor(std::string_view name, std::uint64_t &offset);
    Result<void> place(GgufTensor &tensor, std::uint64_t offset, std::uint64_t begin, std::string_view name);
    Result<void> takeAlignment(const std::map<std::string_view, GgufValue> &metadata);
    Result<void> refuseOverlap();

    std::span<const std::byte> m_bytes;
    std::string m_where;
    std::uint64_t m_position = 0;
    std::uint64_t m_tensorCount = 0, m_valueCount = 0, m_alignment = 32;
    std::vector<Extent> m_extents;
};

template <class T> Result<T> GgufParser::take(std::string_view what)
{
    if (left() < sizeof(T))
        return damaged(fmt::format("it ends within {}", what));
    const T value = loadAs<T>(m_bytes.data() + m_position);
    m_position += sizeof(T);
    return value;
}

Result<std::string_view> GgufParser::takeText(std::string_view what)
{
    ZIGZAG_TRY(length, take<std::uint64_t>(what));
    if (length > left())
        return damaged(fmt::format("the {} bytes of {} go beyond its end", length, what));
    const std::string_view text(reinterpret_cast<const char *>(m_bytes.data()) + m_position, static_cast<std::size_t>(length));
    m_position += length;
    return text;
}

Result<void> GgufParser::readHeader()
{
    if (m_bytes.size() < 4 || std::memcmp(m_bytes.data(), "GGUF", 4) != 0)
        return badInput(fmt::format("{}: this is no GGUF file, as its first bytes say; fetch it anew", m_where));
    m_position = 4;
    ZIGZAG_TRY(version, take<std::uint32_t>("its version"));
    if (version != 2 && version != 3) {
        const bool isBigEndian = version == 0x02000000 || version == 0x03000000;
        return badInput(
            fmt::format("{}: {} is not read, only versions 2 and 3 are; convert the model anew", m_where,
                        isBigEndian ? std::string("GGUF for big-endian machines") : fmt::format("version {} of GGUF", version)));
    }
    ZIGZAG_TRY(tensors, take<std::uint64_t>("its count of tensors"));
    ZIGZAG_TRY(values, take<std::uint64_t>("its count of metadata"));
    // The least that each of them takes: the length of a name, a type and a byte; a rank, a dimension, a type and an offset.
    constexpr std::uint64_t leastValue = 8 + 4 + 1, leastTensor = 8 + 4 + 8 + 4 + 8;
    if (tensors > left() / leastTensor || values > left() / leastValue)
        return damaged(
            fmt::format("{} tensors and {} values of metadata do not fit into its {} bytes", tensors, values, m_bytes.size()));
    m_tensorCount = tensors;
    m_valueCount = values;
    return {};
}

Result<GgufArray> GgufParser::takeArray(std::string_view key)
{
    const std::string what = fmt::format("\"{}\"", printable(key));
    ZIGZAG_TRY(type, take<std::uint32_t>(what));
    ZIGZAG_TRY(count, take<std::uint64_t>(what));
    if (type >= valueTypes || type == Array)
        return damaged(fmt::format("{} is an array of a type that GGUF does not have ({})", what, type));
    const std::size_t width = widths[type];
    if (count > left() / (type == String ? sizeof(std::uint64_t) : width))
        return damaged(fmt::format("the {} values of {} go beyond its end", count, what));
    GgufArray array;
    array.m_size = static_cast<std::size_t>(count);
    array.m_width = width;
    array.m_numbers = m_bytes.data() + m_position;
    using Kind = GgufArray::Kind;
    array.m_kind = type == String                                                             ? Kind::String
        : type == Float32 || type == Float64                                                  ? Kind::Float
        : type == UInt8 || type == UInt16 || type == UInt32 || type == UInt64 || type == Bool ? Kind::Unsigned
                                                                                              : Kind::Signed;
    if (type == String) {
        array.m_texts.reserve(array.m_size);
        for (std::size_t i = 0; i < array.m_size; ++i) {
            ZIGZAG_TRY(text, takeText(what));
            array.m_texts.push_back(text);
        }
    }
    m_position += count * width;
    return array;
}

Result<GgufValue> GgufParser::takeValue(std::string_view key)
{
    const std::string what = fmt::format("\"{}\"", printable(key));
    ZIGZAG_TRY(type, take<std::uint32_t>(what));
    if (type == String) {
        ZIGZAG_TRY(text, takeText(what));
        return GgufValue(text);
    }
    if (type == Array) {
        ZIGZAG_TRY(array, takeArray(key));
        return GgufValue(std::move(array));
    }
    if (type >= valueTypes)
        return damaged(fmt::format("{} is of a type that GGUF does not have ({})", what, type));
    const std::size_t width = widths[type];
    if (width > left())
        return damaged(fmt::format("it ends within {}", what));
    const std::byte *from = m_bytes.data() + m_position;
    m_position += width;
    switch (type) {
    case Float32:
        return GgufValue(loadAs<float>(from));
    case Float64:
        return GgufValue(loadAs<double>(from));
    case Bool:
        return GgufValue(*from != std::byte{0});
    case Int8:
    case Int16:
    case Int32:
    case Int64:
        return GgufValue(loadSigned(from, width));
    default:
        return GgufValue(loadUnsigned(from, width));
    }
}

Result<void> GgufParser::takeAlignment(const std::map<std::string_view, GgufValue> &metadata)
{
    const auto found = metadata.find("general.alignment");
    if (found == metadata.end())
        return {};
    constexpr std::uint64_t most = 1 << 20;
    const auto *alignment = std::get_if<std::uint64_t>(&found->second);
    if (!alignment || *alignment == 0 || *alignment > most || (*alignment & (*alignment - 1)) != 0)
        return damaged("general.alignment is not a power of two");
    m_alignment = *alignment;
    return {};
}

Result<void> GgufParser::readMetadata(std::map<std::string_view, GgufValue> &metadata,
                                      std::map<std::string_view, std::span<const std::byte>> &stored)
{
    for (std::uint64_t i = 0; i < m_valueCount; ++i) {
        ZIGZAG_TRY(key, takeText("a key of its metadata"));
        const std::uint64_t begin = m_position;
        ZIGZAG_TRY(value, takeValue(key));
        stored.emplace(key, m_bytes.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(m_position - begin)));
        if (!metadata.emplace(key, std::move(value)).second)
            return damaged(fmt::format("\"{}\" is there twice", printable(key)));
    }
    return takeAlignment(metadata);
}

Result<GgufTensor> GgufParser::takeTensor(std::string_view name, std::uint64_t &offset)
{
    const std::string what = fmt::format("tensor \"{}\"", printable(name));
    constexpr std::uint32_t mostDimensions = 4;
    ZIGZAG_TRY(dimensions, take<std::uint32_t>(what));
    if (dimensions < 1 || dimensions > mostDimensions)
        return damaged(fmt::format("{} has {} dimensions", what, dimensions));
    GgufTensor tensor;
    std::int64_t numbers = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
        ZIGZAG_TRY(extent, take<std::uint64_t>(what));
        if (extent < 1 || extent > INT64_MAX || __builtin_mul_overflow(numbers, static_cast<std::int64_t>(extent), &numbers))
            return damaged(fmt::format("{} has a shape that no file can hold", what));
        tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(extent));
    }
    ZIGZAG_TRY(type, take<std::uint32_t>(what));
    ZIGZAG_TRY(place, take<std::uint64_t>(what));
    offset = place;
    tensor.typeNumber = type;
    tensor.type = findGgufType(type);
    if (!tensor.type || !tensor.type->isRead())
        return tensor; // refused where it is needed; how many bytes it takes is not known here
    std::int64_t bytes = 0;
    if (tensor.shape.back() % tensor.type->stored->blockLength() != 0)
        return damaged(fmt::format("{} has rows of {} numbers, which are no whole blocks of {}", what, tensor.shape.back(),
                                   tensor.type->name));
    if (__builtin_mul_overflow(numbers / tensor.type->stored->blockLength(), tensor.type->stored->blockBytes(), &bytes))
        return damaged(fmt::format("{} has a shape that no file can hold", what));
    tensor.bytes = static_cast<std::size_t>(bytes);
    return tensor;
}

Result<void> GgufParser::place(GgufTensor &tensor, std::uint64_t offset, std::uint64_t begin, std::string_view name)
{
    const std::uint64_t size = m_bytes.size() - begin;
    if (offset % m_alignment != 0)
        return damaged(fmt::format("tensor \"{}\" is not aligned to {} bytes", printable(name), m_alignment));
    if (offset > size || tensor.bytes > size - offset)
        return damaged(fmt::format("the {} bytes of tensor \"{}\" at {} lie outside its {} bytes of data", tensor.bytes,
                                   printable(name), offset, size));
    tensor.data = m_bytes.data() + begin + offset;
    if (tensor.bytes > 0)
        m_extents.push_back({offset, offset + tensor.bytes, name});
    return {};
}

Result<void> GgufParser::refuseOverlap()
{
    std::sort(m_extents.begin(), m_extents.end(), [](const Extent &a, const Extent &b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < m_extents.size(); ++i)
        if (m_extents[i].begin < m_extents[i - 1].end)
            return damaged(
                fmt::format("tensors \"{}\" and \"{}\" overlap", printable(m_extents[i - 1].name), printable(m_extents[i].name)));
    return {};
}

Result<void> GgufParser::readTensors(std::map<std::string_view, GgufTensor> &tensors, std::size_t file, GgufData data)
{
    struct Placed {
        GgufTensor *tensor;
        std::uint64_t offset;
        std::string_view name;
    };
    std::vector<Placed> placed;
    for (std::uint64_t i = 0; i < m_tensorCount; ++i) {
        ZIGZAG_TRY(name, takeText("a tensor's name"));
        std::uint64_t offset = 0;
        ZIGZAG_TRY(tensor, takeTensor(name, offset));
        tensor.file = file;
        const auto [where, isNew] = tensors.emplace(name, std::move(tensor));
        if (!isNew)
            return damaged(fmt::format("tensor \"{}\" is there twice", printable(name)));
        placed.push_back({&where->second, offset, name});
    }
    // A file without tensors may end where their data would begin.
    const std::uint64_t begin = (m_position + m_alignment - 1) / m_alignment * m_alignment;
    const bool mayLack = data == GgufData::MayLack;
    if (!placed.empty() && begin > m_bytes.size() && !mayLack)
        return damaged("it ends before the data of its tensors");
    const std::uint64_t size = m_bytes.size() - std::min<std::uint64_t>(begin, m_bytes.size());
    for (const Placed &each : placed) {
        const bool isThere = each.offset <= size && each.tensor->bytes <= size - each.offset;
        if (isThere || !mayLack)
            ZIGZAG_CHECK(place(*each.tensor, each.offset, begin, each.name));
    }
    return refuseOverlap();
}

std::span<const std::byte> GgufFile::stored(std::string_view key) const
{
    const auto found = m_stored.find(key);
    return found == m_stored.end() ? std::span<const std::byte>() : found->second;
}

Result<void> GgufFile::add(const fs::path &file)
{
    ZIGZAG_TRY(mapped, MappedFile::open(file));
    GgufParser parser(mapped.bytes, file.string());
    std::map<std::string_view, GgufValue> ofPart; // a later file has only its number to say
    std::map<std::string_view, std::span<const std::byte>> storedOfPart;
    const bool isFirst = m_files.empty();
    m_owners.push_back(mapped.owner);
    m_files.push_back(file);
    ZIGZAG_CHECK(parser.readHeader());
    ZIGZAG_CHECK(parser.readMetadata(isFirst ? m_metadata : ofPart, isFirst ? m_stored : storedOfPart));
    return parser.readTensors(m_tensors, m_files.size() - 1, m_needed);
}

namespace {

/// split.count of a file of a split model, 1 of another; `number` becomes split.no.
std::uint64_t partsOf(const GgufFile &file, std::uint64_t &number)
{
    const auto read = [&](std::string_view key, std::uint64_t fallback) {
        const GgufValue *value = file.find(key);
        const auto *whole = value ? std::get_if<std::uint64_t>(value) : nullptr;
        return whole ? *whole : fallback;
    };
    number = read("split.no", 0);
    return std::max<std::uint64_t>(1, read("split.count", 1));
}

} // namespace

Result<void> GgufFile::addParts(std::int64_t count)
{
    const std::string name = path().filename().string(), suffix = fmt::format(suffixPattern, 1, count);
    const std::string stem = name.substr(0, name.size() - suffix.size());
    for (std::int64_t i = 2; i <= count; ++i) {
        const fs::path part = path().parent_path() / (stem + fmt::format(suffixPattern, i, count));
        if (!isThere(part))
            return badInput(fmt::format("{}: file {} of the {} of this model is missing; download it into this folder",
                                        part.string(), i, count));
        ZIGZAG_CHECK(add(part));
    }
    const GgufValue *all = find("split.tensors.count");
    const auto *expected = all ? std::get_if<std::int64_t>(all) : nullptr;
    if (expected && *expected != std::ssize(m_tensors))
        return badInput(
            fmt::format("{}: its files have {} tensors and should have {}; they are not of one model, fetch them anew",
                        path().string(), m_tensors.size(), *expected));
    return {};
}

Result<GgufFile> GgufFile::open(const fs::path &given, GgufData data)
{
    GgufFile file;
    file.m_needed = data;
    ZIGZAG_CHECK(file.add(given));
    std::uint64_t number = 0;
    const std::uint64_t count = partsOf(file, number);
    if (count == 1)
        return file;
    constexpr std::uint64_t mostParts = 1000;
    const std::string name = given.filename().string(),
                      suffix
        = count > mostParts || number >= count ? std::string("?") : fmt::format(suffixPattern, number + 1, count);
    if (!name.ends_with(suffix))
        return badInput(fmt::format("{}: this is file {} of the {} of a split model, but its name does not end in {}; give the "
                                    "files the names that they were published under",
                                    given.string(), number + 1, count, suffix));
    if (number > 0) {
        const std::string stem = name.substr(0, name.size() - suffix.size());
        const fs::path first = given.parent_path() / (stem + fmt::format(suffixPattern, 1, count));
        if (!isThere(first))
            return badInput(fmt::format("{}: the first of the {} files of this model is missing; download it into this folder",
                                        first.string(), count));
        file = GgufFile();
        file.m_needed = data;
        ZIGZAG_CHECK(file.add(first));
        std::uint64_t firstNumber = 0;
        if (partsOf(file, firstNumber) != count || firstNumber != 0)
            return badInput(
                fmt::format("{}: this is not the first of {} files, as its name says; fetch it anew", first.string(), count));
    }
    ZIGZAG_CHECK(file.addParts(static_cast<std::int64_t>(count)));
    return file;
}

const GgufValue *GgufFile::find(std::string_view key) const
{
    const auto found = m_metadata.find(key);
    return found == m_metadata.end() ? nullptr : &found->second;
}

const GgufTensor *GgufFile::findTensor(std::string_view name) const
{
    const auto found = m_tensors.find(name);
    return found == m_tensors.end() ? nullptr : &found->second;
}

std::string GgufFile::fileOf(std::string_view tensor) const
{
    const GgufTensor *found = findTensor(tensor);
    return m_files[found ? found->file : 0].string();
}

int GgufFile::lackingTensors() const
{
    return static_cast<int>(
        std::count_if(m_tensors.begin(), m_tensors.end(), [](const auto &each) { return each.second.data == nullptr; }));
}

std::int64_t GgufFile::tensorBytes() const
{
    std::int64_t sum = 0;
    for (const auto &[name, tensor] : m_tensors)
        sum += static_cast<std::int64_t>(tensor.bytes);
    return sum;
}

} // namespace zigzag
