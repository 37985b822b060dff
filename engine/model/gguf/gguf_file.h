// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/gguf/gguf_type.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zigzag {

/// Many values of one type; numbers are read one by one, as the file has them.
class GgufArray
{
public:
    std::size_t size() const { return m_size; }
    bool hasStrings() const { return m_kind == Kind::String; }
    /// Of an array of strings.
    std::string_view text(std::size_t i) const { return m_texts[i]; }
    /// An integer or a boolean; absent for other types and beyond 63 bits.
    std::optional<std::int64_t> integer(std::size_t i) const;
    /// Any number, integers too; 0 for other types.
    double number(std::size_t i) const;

private:
    friend class GgufParser;
    enum class Kind : std::uint8_t { Unsigned, Signed, Float, String };

    Kind m_kind = Kind::Unsigned;
    std::size_t m_size = 0, m_width = 1; ///< bytes of a number
    const std::byte *m_numbers = nullptr;
    std::vector<std::string_view> m_texts;
};

/// A value of the metadata; its type is the file's.
using GgufValue = std::variant<std::uint64_t, std::int64_t, float, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
    const GgufType *type = nullptr; ///< null where the number stands for none
    std::uint32_t typeNumber = 0;
    std::vector<std::int64_t> shape; ///< as in Hugging Face's files: rows first, the reverse of the order in the file
    const std::byte *data = nullptr; ///< null where the file ends before it (GgufData::MayLack)
    std::size_t bytes = 0; ///< 0 for types that are not read
    std::size_t file = 0; ///< of a split model

    std::string typeName() const;
};

/// Whether a file that ends before the data of its tensors is one: what is known of a model without its weights is in front of
/// it.
enum class GgufData { Needed, MayLack };

/// A model in GGUF's format (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3: one file, or all files
/// of a split one, mapped into memory. Everything that the file says of sizes and places is checked before use: lengths,
/// counts, types, alignment, shapes, offsets, and that no two tensors overlap.
class GgufFile
{
public:
    /// Of a split model any of its files will do.
    static Result<GgufFile> open(const std::filesystem::path &file, GgufData data = GgufData::Needed);

    /// Null where the metadata has no such key.
    const GgufValue *find(std::string_view key) const;
    const std::map<std::string_view, GgufValue> &metadata() const { return m_metadata; }
    /// A value as its bytes lie in the file, behind the number of its type: for who writes it again. Empty where there is no such
    /// key.
    std::span<const std::byte> stored(std::string_view key) const;
    /// Null where there is no such tensor.
    const GgufTensor *findTensor(std::string_view name) const;
    const std::map<std::string_view, GgufTensor> &tensors() const { return m_tensors; }

    /// The first file, which has the metadata.
    const std::filesystem::path &path() const { return m_files.front(); }
    /// The file that a tensor is in, for errors; the first where it is in none.
    std::string fileOf(std::string_view tensor) const;
    std::vector<std::shared_ptr<const void>> owners() const { return m_owners; }
    /// Bytes of all tensors as stored.
    std::int64_t tensorBytes() const;
    /// Tensors whose data the files do not hold, or not to its end.
    int lackingTensors() const;

private:
    Result<void> add(const std::filesystem::path &file);
    Result<void> addParts(std::int64_t count);

    GgufData m_needed = GgufData::Needed;

    std::vector<std::filesystem::path> m_files;
    std::vector<std::shared_ptr<const void>> m_owners;
    std::map<std::string_view, GgufValue> m_metadata;
    std::map<std::string_view, std::span<const std::byte>> m_stored; ///< of the metadata, with their types
    std::map<std::string_view, GgufTensor> m_tensors;
};

} // namespace zigzag
