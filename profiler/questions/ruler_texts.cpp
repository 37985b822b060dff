// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/ruler_texts.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "engine/base/printable.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

constexpr std::uint64_t largestResource = 4u << 20;

tl::unexpected<Error> broken(const std::string &where, const std::string &what)
{
    return badInput(fmt::format("{} {}: restore the file that came with the program", where, what));
}

Result<std::vector<std::string>> textsIn(const json::Value &object, std::string_view key, const std::string &where)
{
    ZIGZAG_TRY(list, json::arrayIn(object, key, where));
    std::vector<std::string> texts;
    for (const json::Value &entry : *list)
        if (entry.is_string() && !entry.get_ref<const std::string &>().empty())
            texts.push_back(entry.get<std::string>());
    if (texts.empty() || texts.size() != list->size())
        return broken(where, fmt::format("has no list of texts \"{}\"", key));
    return texts;
}

Result<RulerInstruction> instructionIn(const json::Value &task, const std::string &suffix, const std::string &where)
{
    RulerInstruction read;
    ZIGZAG_TRY(prompt, json::stringIn(task, "prompt" + suffix, where));
    ZIGZAG_TRY(answer, json::stringIn(task, "answer" + suffix, where));
    ZIGZAG_TRY(tokens, json::integerIn(task, "answer_tokens", 1, 4096, where));
    if (prompt.find("{context}") == prompt.npos)
        return broken(where, "has a prompt without {context}");
    return RulerInstruction{std::move(prompt), std::move(answer), static_cast<int>(tokens)};
}

/// Every slot of every sentence must have words.
Result<void> readEssay(const json::Value &essay, RulerTexts &texts, const std::string &where)
{
    ZIGZAG_TRY(templates, textsIn(essay, "templates", where));
    ZIGZAG_TRY(words, json::objectIn(essay, "words", where));
    for (const auto &[slot, list] : words->items()) {
        ZIGZAG_TRY(choices, textsIn(*words, slot, where));
        texts.essayWords.emplace(slot, std::move(choices));
    }
    for (const std::string &sentence : templates)
        for (std::size_t at = sentence.find('{'); at != sentence.npos; at = sentence.find('{', at + 1)) {
            const std::size_t end = std::min(sentence.find('}', at), sentence.size());
            if (texts.essayWords.find(std::string_view(sentence).substr(at + 1, end - at - 1)) == texts.essayWords.end())
                return broken(where, fmt::format("has a slot that nothing fills: \"{}\"", json::printable(sentence)));
        }
    texts.essay = std::move(templates);
    return {};
}

Result<void> readTasks(RulerTexts &texts, const std::filesystem::path &file)
{
    const std::string where = file.string();
    ZIGZAG_TRY(content, readTextFile(file, largestResource));
    ZIGZAG_TRY(root, json::parse(content, where));
    ZIGZAG_CHECK(json::checkFormat(root, "zigzag-ruler-tasks", 1, where));
    const struct {
        const char *task, *suffix;
        RulerInstruction RulerTexts::*instruction;
    } tasks[] = {{"niah", "", &RulerTexts::needles},      {"niah", "_of_one", &RulerTexts::oneNeedle},
                 {"vt", "", &RulerTexts::tracking},       {"cwe", "", &RulerTexts::commonWords},
                 {"fwe", "", &RulerTexts::frequentWords}, {"qa", "", &RulerTexts::documents}};
    for (const auto &task : tasks) {
        ZIGZAG_TRY(object, json::objectIn(root, task.task, where));
        ZIGZAG_TRY(instruction, instructionIn(*object, task.suffix, where));
        texts.*task.instruction = std::move(instruction);
    }
    ZIGZAG_TRY(needle, json::stringIn(root["niah"], "needle", where));
    ZIGZAG_TRY(document, json::stringIn(root["qa"], "document", where));
    ZIGZAG_TRY(noise, json::stringIn(root, "noise", where));
    ZIGZAG_TRY(essay, json::objectIn(root, "essay", where));
    if (noise.empty() || needle.find("{key}") == needle.npos || needle.find("{value}") == needle.npos)
        return broken(where, "has no needle with {key} and {value}, or no noise");
    texts.needle = std::move(needle);
    texts.document = std::move(document);
    texts.noise = std::move(noise);
    return readEssay(*essay, texts, where);
}

/// Lines of lower-case letters below a line [kind]; those with # are remarks.
Result<void> readWords(RulerTexts &texts, const std::filesystem::path &file)
{
    const std::string where = file.string();
    ZIGZAG_TRY(content, readTextFile(file, largestResource));
    std::vector<std::string> *kind = nullptr;
    std::vector<std::string> verbs;
    for (std::size_t at = 0; at < content.size();) {
        const std::size_t end = std::min(content.find('\n', at), content.size());
        const std::string line = content.substr(at, end - at);
        at = end + 1;
        if (line.empty() || line.front() == '#')
            continue;
        if (line.front() == '[') {
            kind = line == "[adjectives]" ? &texts.adjectives : line == "[nouns]" ? &texts.nouns : &verbs;
            continue;
        }
        if (!kind || !std::all_of(line.begin(), line.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
            return broken(where, fmt::format("has a line that is no word: \"{}\"", json::printable(line)));
        kind->push_back(line);
    }
    texts.words = texts.nouns;
    texts.words.insert(texts.words.end(), texts.adjectives.begin(), texts.adjectives.end());
    texts.words.insert(texts.words.end(), verbs.begin(), verbs.end());
    std::sort(texts.words.begin(), texts.words.end());
    texts.words.erase(std::unique(texts.words.begin(), texts.words.end()), texts.words.end());
    if (texts.adjectives.size() < 100 || texts.nouns.size() < 100 || texts.words.size() < 1000)
        return broken(where, "has too few words");
    return {};
}

bool isSpace(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

} // namespace

Result<RulerTexts> RulerTexts::load()
{
    RulerTexts texts;
    ZIGZAG_CHECK(readTasks(texts, resourceFolder() / "tasks" / "ruler.json"));
    ZIGZAG_CHECK(readWords(texts, resourceFolder() / "tasks" / "words.txt"));
    return texts;
}

std::string filled(std::string_view text, std::initializer_list<std::pair<std::string_view, std::string_view>> slots)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t open = std::min(text.find('{', at), text.size());
        const std::size_t close = text.find('}', open);
        out.append(text.substr(at, open - at));
        if (close == text.npos)
            return out.append(text.substr(open));
        const std::string_view name = text.substr(open + 1, close - open - 1);
        const auto *slot = std::find_if(slots.begin(), slots.end(), [&](const auto &entry) { return entry.first == name; });
        out.append(slot == slots.end() ? text.substr(open, close + 1 - open) : slot->second);
        at = close + 1;
    }
    return out;
}

std::vector<std::size_t> RulerRandom::places(std::size_t count, std::size_t among)
{
    std::vector<std::size_t> chosen;
    while (chosen.size() < std::min(count, among)) {
        const std::size_t place = below(among);
        const auto before = std::lower_bound(chosen.begin(), chosen.end(), place);
        if (before == chosen.end() || *before != place)
            chosen.insert(before, place);
    }
    return chosen;
}

std::string RulerRandom::letters(int count, char first)
{
    std::string word;
    for (int i = 0; i < count; ++i)
        word += static_cast<char>(first + static_cast<char>(below(26)));
    return word;
}

/// FNV-1a over the part's name, then the finaliser of SplitMix64 over both numbers, so that neighbouring places share nothing.
std::uint64_t seedOf(std::uint64_t seed, std::string_view part, std::uint64_t place)
{
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : part)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    for (const std::uint64_t number : {seed, place}) {
        hash += number + 0x9e3779b97f4a7c15u;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
        hash ^= hash >> 31;
    }
    return hash;
}

RulerEssay::RulerEssay(const RulerTexts &texts, const std::vector<std::string> &theirs, std::uint64_t seed)
    : m_texts(texts)
    , m_theirs(theirs)
    , m_random(seed)
{ }

const std::string &RulerEssay::sentence(std::size_t index)
{
    if (!m_theirs.empty())
        return m_theirs[index % m_theirs.size()];
    while (m_made.size() <= index) {
        const std::string &pattern = m_random.of(m_texts.essay);
        std::string made;
        for (std::size_t at = 0; at < pattern.size();) {
            const std::size_t open = std::min(pattern.find('{', at), pattern.size());
            made.append(pattern, at, open - at);
            if (open == pattern.size())
                break;
            const std::size_t close = pattern.find('}', open);
            made += m_random.of(m_texts.essayWords.find(std::string_view(pattern).substr(open + 1, close - open - 1))->second);
            at = close + 1;
        }
        if (made.front() >= 'a' && made.front() <= 'z')
            made.front() = static_cast<char>(made.front() - 'a' + 'A');
        m_made.push_back(std::move(made));
    }
    return m_made[index];
}

Result<std::vector<std::string>> readHaystack(const std::filesystem::path &file)
{
    constexpr std::size_t longest = 2000;
    ZIGZAG_TRY(content, readTextFile(file, 64u << 20));
    std::vector<std::string> sentences;
    std::string current;
    const auto finish = [&] {
        if (!current.empty() && current.back() == ' ')
            current.pop_back();
        if (!current.empty())
            sentences.push_back(std::move(current));
        current.clear();
    };
    for (std::size_t at = 0; at < content.size();) {
        const std::size_t length = utf8Length(std::string_view(content).substr(at));
        if (length == 0)
            return badInput(fmt::format("{} is not text in UTF-8 (byte {}): save it as such", file.string(), at));
        if (isSpace(content[at])) {
            const std::size_t mark = current.find_last_not_of("\"')]");
            const bool ends = mark != current.npos && std::string_view(".!?").find(current[mark]) != std::string_view::npos;
            while (at < content.size() && isSpace(content[at]))
                ++at;
            if (ends && at < content.size() && !(content[at] >= 'a' && content[at] <= 'z'))
                finish();
            else if (!current.empty() && at < content.size())
                current += ' ';
            continue;
        }
        if (current.size() + length > longest)
            finish();
        current.append(content, at, length);
        at += length;
    }
    finish();
    if (sentences.empty())
        return badInput(fmt::format("{} has no text in it: give a file to hide needles in", file.string()));
    return sentences;
}

} // namespace zigzag
