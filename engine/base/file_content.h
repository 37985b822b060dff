// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

/// What a file is, judged by its content alone.
enum class FileContent {
    Empty, ///< nothing, or blanks alone
    HeadMap,
    HeadScores,
    RetrievalHead, ///< scores as Retrieval_Head writes them
    Gates, ///< tab-separated numbers, as DuoAttention writes them
    ZigzagTrace,
    ChromeTrace,
    Bench,
    Prediction,
    Answers, ///< to questions, as `eval` keeps them
    MachineProfile,
    Session, ///< its first line
    OtherZigzag, ///< of this program, and none of these
    ModelConfig,
    Tokenizer,
    TokenizerConfig,
    GenerationConfig,
    WeightIndex,
    OtherJson,
    Text,
    Utf16,
    Gzip,
    Zip, ///< also what torch.save writes
    Safetensors,
    Gguf,
    Program,
    Picture,
    Pdf,
    Binary, ///< none of these
};

/// `beginning` may be all of it. JSON is judged by its first keys: a document of our own that was written by another program with
/// its "format" far behind may be OtherJson.
FileContent contentOf(std::string_view beginning);

struct FileKind {
    FileContent content = FileContent::Empty; ///< of a gzip file: of what it holds
    bool isGzip = false;
};
/// Reads the beginning of a file.
Result<FileKind> kindOfFile(const std::filesystem::path &file);

bool isTrace(FileContent content);
bool isHeadScores(FileContent content);
bool isReadable(FileContent content); ///< text in UTF-8 of any kind, JSON too

/// "a model's config.json", "gzip-compressed data", …
std::string_view nameOf(FileContent content);

/// "FILE: this is a model's config.json, not head scores; open its folder as a model". `wanted` with its article.
tl::unexpected<Error> wrongContent(const std::string &where, const FileKind &found, std::string_view wanted);

} // namespace zigzag
