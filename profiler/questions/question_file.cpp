// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/question_file.h"

#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "profiler/questions/files_below.h"
#include "profiler/questions/question_readers.h"
#include "profiler/questions/question_records.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

using questions::Format;
using questions::Record;

constexpr std::uint64_t mostBytes = 1ull << 30;
constexpr std::size_t mostQuestions = 100'000, beginningBytes = 256 << 10;

std::array<Format, 7> formats()
{
    return {questions::longBenchV2(), questions::longBench(),     questions::ruler(),       questions::mrcr(),
            questions::kvpress(),     questions::infiniteBench(), questions::ownQuestions()};
}

std::string allFormats()
{
    std::string text;
    for (const Format &format : formats())
        text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", format.name, format.keys);
    return text;
}

/// Of a file that is no JSON.
tl::unexpected<Error> noJson(const fs::path &file, std::string_view text)
{
    constexpr std::string_view wanted = "lines of JSON with questions";
    if (text.starts_with("PAR1"))
        return badInput(fmt::format("{}: this is a Parquet file, not {}; write it as such first: "
                                    "datasets.Dataset.from_parquet(FILE).to_json(OUT)",
                                    file.string(), wanted));
    return wrongContent(file.string(), {contentOf(text.substr(0, beginningBytes)), false}, wanted);
}

std::string keysOf(const json::Value &record)
{
    constexpr std::size_t most = 8;
    std::string text;
    std::size_t count = 0;
    for (const auto &[key, value] : record.items())
        if (++count <= most)
            text += fmt::format("{}{}", text.empty() ? "" : ", ", printable(key, 40));
    return count > most ? text + ", ..." : text.empty() ? "nothing" : text;
}

/// One file, as it is read.
class Reading
{
public:
    Reading(const fs::path &file, std::string_view text)
        : m_file(file)
        , m_name(file.string())
        , m_cutter(text, m_name)
    { }

    /// Finds out what it is, by its first record.
    Result<void> open(std::string_view text)
    {
        ZIGZAG_TRY(first, m_cutter.next());
        if (!first)
            return badInput(fmt::format("{}: there is no question in it; write or fetch it anew", m_name));
        ZIGZAG_TRY(record, parsed(*first));
        const auto known = formats();
        const auto *format = std::find_if(known.begin(), known.end(), [&](const Format &each) { return each.isOf(record); });
        if (format == known.end()) {
            const FileContent content = contentOf(text.substr(0, beginningBytes));
            if (content != FileContent::OtherJson && content != FileContent::Empty)
                return wrongContent(m_name, {content, false}, "questions");
            return badInput(fmt::format("{}: line {}: questions of an unknown kind: it has {}; understood are {}", m_name,
                                        first->line, keysOf(record), allFormats()));
        }
        ZIGZAG_TRY(reader, format->open(m_file));
        m_reader = std::move(reader);
        m_result.format = format->name;
        return take(record, *first);
    }

    /// The rest, after `open`.
    Result<QuestionFile> read()
    {
        while (true) {
            ZIGZAG_TRY(next, m_cutter.next());
            if (!next)
                break;
            ZIGZAG_TRY(record, parsed(*next));
            ZIGZAG_CHECK(take(record, *next));
        }
        if (m_unanswered > 0)
            questions::addNote(m_result.notes,
                               fmt::format("{} question{} without an answer, the first in line {}, {} left out", m_unanswered,
                                           m_unanswered == 1 ? "" : "s", m_firstUnanswered, m_unanswered == 1 ? "is" : "are"));
        if (m_repeated > 0)
            questions::addNote(m_result.notes,
                               fmt::format("{} id{} stood twice: the questions are called by their lines", m_repeated,
                                           m_repeated == 1 ? "" : "s"));
        if (m_result.questions.empty())
            return badInput(fmt::format("{}: no question is left to ask: {}", m_name,
                                        m_result.notes.empty() ? std::string("there is none") : m_result.notes.front()));
        return std::move(m_result);
    }

private:
    std::string where(std::size_t line) const { return fmt::format("{}: line {}", m_name, line); }

    Result<json::Value> parsed(const Record &record) const
    {
        ZIGZAG_TRY(value, json::parse(record.text, where(record.line)));
        if (!value.is_object())
            return badInput(fmt::format("{}: an object of JSON was expected; mend or remove it", where(record.line)));
        return std::move(value);
    }

    Result<void> take(const json::Value &value, const Record &record)
    {
        ZIGZAG_TRY(question, m_reader(value, where(record.line), m_result.notes));
        if (!question)
            return {};
        if (question->prompt.empty() && question->messages.empty())
            return badInput(fmt::format("{}: there is nothing to ask; write a prompt", where(record.line)));
        if (question->references.empty()) {
            m_firstUnanswered = m_unanswered++ == 0 ? record.line : m_firstUnanswered;
            return {};
        }
        if (m_result.questions.size() == mostQuestions)
            return badInput(fmt::format("{}: more than {} questions; give a part of them", where(record.line), mostQuestions));
        ZIGZAG_CHECK(nameApart(*question, record.line));
        m_result.questions.push_back(std::move(*question));
        return {};
    }

    /// By its own id where that is its alone, else by its line.
    Result<void> nameApart(Question &question, std::size_t line)
    {
        const auto take = [&](const std::string &id) { return !id.empty() && m_ids.emplace(question.task, id).second; };
        if (take(question.id))
            return {};
        m_repeated += question.id.empty() ? 0 : 1;
        for (const std::string &id : {std::to_string(line), fmt::format("line {}", line)})
            if (take(id)) {
                question.id = id;
                return {};
            }
        return badInput(fmt::format("{}: another question has the id \"line {}\"; give each its own", where(line), line));
    }

    const fs::path &m_file;
    std::string m_name;
    questions::RecordCutter m_cutter;
    questions::RecordReader m_reader;
    QuestionFile m_result;
    std::set<std::pair<std::string, std::string>> m_ids; ///< with their tasks
    std::size_t m_unanswered = 0, m_firstUnanswered = 0, m_repeated = 0;
};

/// `unknown`: filled with the reason where the file holds no questions that can be asked; without it that is an error.
Result<QuestionFile> readFile(const fs::path &file, std::uint64_t limit, std::string *unknown)
{
    ZIGZAG_TRY(text, readTextFile(file, limit));
    const auto refuse = [&](const Error &error) -> Result<QuestionFile> {
        if (!unknown)
            return tl::unexpected(error);
        *unknown = error.message;
        return QuestionFile{};
    };
    const std::size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first != std::string::npos && text[first] != '{' && text[first] != '[')
        return refuse(noJson(file, text).value());
    ZIGZAG_CHECK(questions::checkUtf8(text, file.string()));
    Reading reading(file, text);
    if (const auto opened = reading.open(text); !opened)
        return refuse(opened.error());
    return reading.read();
}

/// The same task may stand in several files, with the same ids: then the file's name tells them apart.
Result<void> add(QuestionFile &all, QuestionFile &&part, const std::string &name,
                 std::set<std::pair<std::string, std::string>> &ids)
{
    if (all.questions.size() + part.questions.size() > mostQuestions)
        return badInput(fmt::format("{}: with it there are more than {} questions; give fewer files", name, mostQuestions));
    if (all.format.find(part.format) == std::string::npos)
        all.format += (all.format.empty() ? "" : ", ") + part.format;
    for (Question &question : part.questions) {
        if (!ids.emplace(question.task, question.id).second) {
            question.id = fmt::format("{}:{}", name, question.id);
            if (!ids.emplace(question.task, question.id).second)
                return badInput(
                    fmt::format("{}: another question has the id \"{}\" already; give each its own", name, question.id));
        }
        all.questions.push_back(std::move(question));
    }
    for (const std::string &note : part.notes)
        questions::addNote(all.notes, fmt::format("{}: {}", name, note));
    return {};
}

Result<QuestionFile> readFolder(const fs::path &folder)
{
    ZIGZAG_TRY(files, questions::filesBelow(folder));
    QuestionFile all;
    std::set<std::pair<std::string, std::string>> ids;
    std::uint64_t bytes = 0;
    std::size_t others = 0;
    for (const fs::path &file : files) {
        const std::string ending = file.extension().string();
        if (ending != ".json" && ending != ".jsonl") {
            ++others;
            continue;
        }
        std::error_code ignored;
        const std::uint64_t size = fs::file_size(file, ignored);
        std::string unknown;
        ZIGZAG_TRY(part, readFile(file, mostBytes - std::min(bytes, mostBytes), &unknown));
        bytes += ignored ? 0 : size;
        const std::string name = printable(file.lexically_relative(folder).string());
        if (!unknown.empty())
            questions::addNote(all.notes, unknown);
        else
            ZIGZAG_CHECK(add(all, std::move(part), name, ids));
    }
    if (others > 0)
        questions::addNote(all.notes,
                           fmt::format("{} file{} that end{} neither in .json nor in .jsonl {} left out", others,
                                       others == 1 ? "" : "s", others == 1 ? "s" : "", others == 1 ? "is" : "are"));
    if (all.questions.empty())
        return badInput(fmt::format("{}: no file of this folder has questions{}{}", folder.string(),
                                    all.notes.empty() ? "; give one that has" : ": ",
                                    all.notes.empty() ? "" : all.notes.front()));
    return all;
}

} // namespace

Result<QuestionFile> readQuestions(const std::filesystem::path &path)
{
    std::error_code ignored;
    return fs::is_directory(path, ignored) ? readFolder(path) : readFile(path, mostBytes, nullptr);
}

} // namespace zigzag
