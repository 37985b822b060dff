// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/file_content.h"

#include "engine/base/files.h"
#include "engine/base/gzip.h"
#include "engine/base/json_input.h"
#include "engine/base/printable.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace zigzag {
namespace {

constexpr std::size_t beginningBytes = 256 << 10;

struct Signature {
    std::string_view bytes;
    FileContent content;
};
constexpr std::array signatures = {
    Signature{"\x1f\x8b", FileContent::Gzip},
    Signature{"PK\x03\x04", FileContent::Zip},
    Signature{"GGUF", FileContent::Gguf},
    Signature{"\x7f"
              "ELF",
              FileContent::Program},
    Signature{"\x89PNG", FileContent::Picture},
    Signature{"\xff\xd8\xff", FileContent::Picture},
    Signature{"%PDF-", FileContent::Pdf},
    Signature{"\xff\xfe", FileContent::Utf16},
    Signature{"\xfe\xff", FileContent::Utf16},
};

/// What the format of this program's own files is called.
struct Format {
    std::string_view name;
    FileContent content;
};
constexpr std::array formats = {
    Format{"zigzag-head-map", FileContent::HeadMap},      Format{"zigzag-head-scores", FileContent::HeadScores},
    Format{"zigzag-trace", FileContent::ZigzagTrace},     Format{"zigzag-bench", FileContent::Bench},
    Format{"zigzag-prediction", FileContent::Prediction}, Format{"zigzag-machine-profile", FileContent::MachineProfile},
    Format{"zigzag-answers", FileContent::Answers},       Format{"zigzag-session", FileContent::Session},
};

/// Keys that a kind of file has on its first level.
constexpr std::array keys = {
    Format{"traceEvents", FileContent::ChromeTrace},         Format{"model_type", FileContent::ModelConfig},
    Format{"architectures", FileContent::ModelConfig},       Format{"num_hidden_layers", FileContent::ModelConfig},
    Format{"added_tokens", FileContent::Tokenizer},          Format{"pre_tokenizer", FileContent::Tokenizer},
    Format{"tokenizer_class", FileContent::TokenizerConfig}, Format{"added_tokens_decoder", FileContent::TokenizerConfig},
    Format{"add_bos_token", FileContent::TokenizerConfig},   Format{"weight_map", FileContent::WeightIndex},
};

/// "3-14": a head of Retrieval_Head.
bool isHeadKey(std::string_view key)
{
    const auto isNumber
        = [](std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; };
    const std::size_t dash = key.find('-');
    return dash != std::string_view::npos && isNumber(key.substr(0, dash)) && isNumber(key.substr(dash + 1));
}

/// Looks at the first level of a document, and of an array of objects at the first object's keys, until it knows what it is. The
/// document may end anywhere.
class FirstKeys final : public nlohmann::json_sax<json::Value>
{
public:
    std::optional<FileContent> found;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t &) override { return true; }
    bool binary(binary_t &) override { return true; }
    bool string(string_t &text) override { return m_depth != 1 || m_isArray || m_key != "format" || decide(ofFormat(text)); }
    bool start_object(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override
    {
        m_isArray = m_isArray || m_depth == 0;
        return enter();
    }
    bool end_array() override { return leave(); }
    bool key(string_t &name) override
    {
        if (m_isArray)
            return m_depth != 2 || name != "ph" || decide(FileContent::ChromeTrace);
        if (m_depth != 1)
            return true;
        m_key = name;
        if (isHeadKey(name))
            return decide(FileContent::RetrievalHead);
        const auto known = std::find_if(keys.begin(), keys.end(), [&](const Format &each) { return each.name == name; });
        if (known != keys.end())
            return decide(known->content);
        m_isGeneration = m_isGeneration || name == "bos_token_id" || name == "eos_token_id" || name == "do_sample";
        return true;
    }
    bool parse_error(std::size_t, const std::string &, const json::Value::exception &) override { return false; }

    FileContent result() const { return found.value_or(m_isGeneration ? FileContent::GenerationConfig : FileContent::OtherJson); }

private:
    static std::optional<FileContent> ofFormat(std::string_view name)
    {
        const auto known = std::find_if(formats.begin(), formats.end(), [&](const Format &each) { return each.name == name; });
        if (known != formats.end())
            return known->content;
        return name.starts_with("zigzag-") ? std::optional(FileContent::OtherZigzag) : std::nullopt;
    }
    bool decide(std::optional<FileContent> content)
    {
        found = content;
        return !content;
    }
    bool enter() { return ++m_depth <= json::deepestNesting; }
    bool leave()
    {
        --m_depth;
        return !(m_isArray && m_depth == 1); // an array's first member tells
    }

    int m_depth = 0;
    bool m_isArray = false, m_isGeneration = false;
    std::string m_key;
};

bool isGate(std::string_view cell)
{
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    return end == cell.data() + cell.size() && (error == std::errc{} || error == std::errc::result_out_of_range);
}

/// Whether the first line's first cell is a number.
bool looksLikeGates(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return isGate(text.substr(0, std::min(text.find_first_of("\t\r\n"), text.size())));
}

bool isSafetensors(std::string_view bytes)
{
    constexpr std::size_t prefix = 8;
    if (bytes.size() <= prefix || bytes[prefix] != '{')
        return false;
    std::uint64_t length = 0;
    for (std::size_t i = prefix; i-- > 0;)
        length = length << 8 | static_cast<unsigned char>(bytes[i]);
    return length >= 2 && length <= 100'000'000;
}

/// Whether it is characters to read: control characters that no text has are not.
bool isText(std::string_view bytes)
{
    constexpr std::size_t enough = 4096;
    for (std::string_view rest = bytes.substr(0, enough); !rest.empty();) {
        const auto first = static_cast<unsigned char>(rest[0]);
        if (first < 0x20 && first != '\t' && first != '\n' && first != '\r' && first != '\f' && first != 0x1b)
            return false;
        std::size_t length = utf8Length(rest);
        if (length == 0 && rest.size() < 4 && bytes.size() > enough)
            return true; // a character that the sample cuts
        if (length == 0)
            return false;
        rest.remove_prefix(length);
    }
    return true;
}

std::string_view adviceFor(FileContent content)
{
    switch (content) {
    case FileContent::Empty:
        return "write or fetch it anew";
    case FileContent::HeadMap:
        return "give it where a map is asked for, or open it in the window";
    case FileContent::HeadScores:
    case FileContent::RetrievalHead:
    case FileContent::Gates:
        return "zigzag assign makes a map of it";
    case FileContent::ZigzagTrace:
    case FileContent::ChromeTrace:
    case FileContent::Bench:
    case FileContent::Prediction:
        return "zigzag compare and the window read it";
    case FileContent::Answers:
        return "zigzag compare reads it, beside another one, and the window opens it";
    case FileContent::MachineProfile:
        return "zigzag predict --profile reads it";
    case FileContent::Session:
        return "open it in the window, or see what is in it with zigzag info";
    case FileContent::ModelConfig:
    case FileContent::Tokenizer:
    case FileContent::TokenizerConfig:
    case FileContent::GenerationConfig:
    case FileContent::WeightIndex:
    case FileContent::Safetensors:
        return "the folder that it lies in is the model: give that where a model is asked for";
    case FileContent::Gguf:
        return "it is a model: give it where one is asked for";
    case FileContent::Gzip:
        return "unpack it with gunzip first";
    case FileContent::Zip:
        return "unpack it and give the file that it holds";
    case FileContent::Utf16:
        return "save it as UTF-8";
    default:
        return {};
    }
}

} // namespace

FileContent contentOf(std::string_view beginning)
{
    for (const Signature &signature : signatures)
        if (beginning.starts_with(signature.bytes))
            return signature.content;
    if (isSafetensors(beginning))
        return FileContent::Safetensors;
    std::string_view text = beginning;
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return FileContent::Empty;
    if (text[first] == '{' || text[first] == '[') {
        FirstKeys reader;
        json::Value::sax_parse(text, &reader, json::Value::input_format_t::json, false);
        return reader.result();
    }
    if (!isText(text))
        return FileContent::Binary;
    return looksLikeGates(text) ? FileContent::Gates : FileContent::Text;
}

Result<FileKind> kindOfFile(const std::filesystem::path &file)
{
    ZIGZAG_TRY(beginning, readBeginning(file, beginningBytes));
    if (!isGzip(beginning))
        return FileKind{contentOf(beginning), false};
    const std::string inside = gunzipBeginning(beginning, beginningBytes);
    return FileKind{inside.empty() ? FileContent::Gzip : contentOf(inside), true};
}

bool isTrace(FileContent content)
{
    return content == FileContent::ZigzagTrace || content == FileContent::ChromeTrace;
}

bool isHeadScores(FileContent content)
{
    return content == FileContent::HeadScores || content == FileContent::RetrievalHead || content == FileContent::Gates;
}

bool isReadable(FileContent content)
{
    return content != FileContent::Empty && content <= FileContent::Text;
}

std::string_view nameOf(FileContent content)
{
    switch (content) {
    case FileContent::Empty:
        return "an empty file";
    case FileContent::HeadMap:
        return "a head map";
    case FileContent::HeadScores:
    case FileContent::RetrievalHead:
        return "head scores";
    case FileContent::Gates:
        return "a table of numbers, as head scores are";
    case FileContent::ZigzagTrace:
        return "a trace";
    case FileContent::ChromeTrace:
        return "a Chrome trace";
    case FileContent::Bench:
        return "a file of zigzag bench";
    case FileContent::Prediction:
        return "a file of zigzag predict";
    case FileContent::Answers:
        return "a record of questions and answers";
    case FileContent::MachineProfile:
        return "a machine profile";
    case FileContent::Session:
        return "a session";
    case FileContent::OtherZigzag:
        return "another kind of file of this program";
    case FileContent::ModelConfig:
        return "a model's config.json";
    case FileContent::Tokenizer:
        return "a tokenizer.json";
    case FileContent::TokenizerConfig:
        return "a tokenizer_config.json";
    case FileContent::GenerationConfig:
        return "a generation_config.json";
    case FileContent::WeightIndex:
        return "the index of a model's weights";
    case FileContent::OtherJson:
        return "JSON of an unknown kind";
    case FileContent::Text:
        return "plain text";
    case FileContent::Utf16:
        return "text in UTF-16";
    case FileContent::Gzip:
        return "gzip-compressed data";
    case FileContent::Zip:
        return "a zip archive (torch.save writes these too)";
    case FileContent::Safetensors:
        return "a safetensors file of weights";
    case FileContent::Gguf:
        return "a GGUF model";
    case FileContent::Program:
        return "a program";
    case FileContent::Picture:
        return "a picture";
    case FileContent::Pdf:
        return "a PDF document";
    case FileContent::Binary:
        return "binary data";
    }
    return "an unknown file";
}

tl::unexpected<Error> wrongContent(const std::string &where, const FileKind &found, std::string_view wanted)
{
    const std::string_view advice = adviceFor(found.content);
    const bool packed = found.isGzip && found.content != FileContent::Gzip;
    return badInput(fmt::format("{}: this is {}{}, not {}; {}", where, nameOf(found.content), packed ? ", gzip-compressed" : "",
                                wanted, advice.empty() ? fmt::format("give {}", wanted) : std::string(advice)));
}

} // namespace zigzag
