// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/gguf_writer.h"

#include "engine/base/files.h"

#include <bit>
#include <cstring>

namespace zigzag {

namespace {

static_assert(std::endian::native == std::endian::little);

// The numbers that stand for types of metadata.
constexpr std::uint32_t uint32Type = 4, float32Type = 6, boolType = 7, stringType = 8, arrayType = 9;

template <class T> std::string bytesOf(T value)
{
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

std::string stringOf(std::string_view text)
{
    return bytesOf(std::uint64_t{text.size()}).append(text);
}

std::string_view charactersOf(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::size_t padding(std::uint64_t size, std::size_t alignment)
{
    return static_cast<std::size_t>((alignment - size % alignment) % alignment);
}

} // namespace

void GgufWriter::text(std::string_view key, std::string_view value)
{
    const std::string bytes = bytesOf(stringType) + stringOf(value);
    stored(key, std::as_bytes(std::span(bytes)));
}

void GgufWriter::integer(std::string_view key, std::uint32_t value)
{
    const std::string bytes = bytesOf(uint32Type) + bytesOf(value);
    stored(key, std::as_bytes(std::span(bytes)));
}

void GgufWriter::number(std::string_view key, float value)
{
    const std::string bytes = bytesOf(float32Type) + bytesOf(value);
    stored(key, std::as_bytes(std::span(bytes)));
}

void GgufWriter::flags(std::string_view key, const std::vector<bool> &values)
{
    std::string bytes = bytesOf(arrayType) + bytesOf(boolType) + bytesOf(std::uint64_t{values.size()});
    for (const bool value : values)
        bytes += value ? '\1' : '\0';
    stored(key, std::as_bytes(std::span(bytes)));
}

void GgufWriter::stored(std::string_view key, std::span<const std::byte> value)
{
    m_metadata.append(stringOf(key)).append(charactersOf(value));
    ++m_values;
}

void GgufWriter::tensor(std::string_view name, std::span<const std::int64_t> shape, std::uint32_t type,
                        std::span<const std::byte> data)
{
    m_tensors += stringOf(name) + bytesOf(static_cast<std::uint32_t>(shape.size()));
    const std::vector<std::int64_t> columnsFirst(shape.rbegin(), shape.rend());
    for (const std::int64_t extent : columnsFirst)
        m_tensors += bytesOf(static_cast<std::uint64_t>(extent));
    m_tensors += bytesOf(type) + bytesOf(m_place);
    m_place += data.size() + padding(data.size(), alignment);
    m_data.push_back(data);
}

Result<void> GgufWriter::write(const std::filesystem::path &file) const
{
    constexpr std::uint32_t version = 3;
    std::string head
        = "GGUF" + bytesOf(version) + bytesOf(std::uint64_t{m_data.size()}) + bytesOf(m_values) + m_metadata + m_tensors;
    head.append(padding(head.size(), alignment), '\0');
    ZIGZAG_TRY(out, AtomicFile::create(file));
    ZIGZAG_CHECK(out.write(head));
    for (const std::span<const std::byte> data : m_data) {
        ZIGZAG_CHECK(out.write(charactersOf(data)));
        ZIGZAG_CHECK(out.write(std::string(padding(data.size(), alignment), '\0')));
    }
    return out.commit();
}

} // namespace zigzag
