// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/needle_grammar.h"

#include "engine/base/json_input.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {
namespace {

/// Not std::uniform_int_distribution: its algorithm, and so the questions behind a seed, differs between standard libraries.
std::uint64_t below(std::uint64_t count, std::mt19937_64 &random)
{
    return random() % count;
}

const std::string &choice(const std::vector<std::string> &of, std::mt19937_64 &random)
{
    return of[below(of.size(), random)];
}

/// Reads the grammar, remembering the first thing that is wrong; later reads then do nothing.
class Reader
{
public:
    explicit Reader(std::string where)
        : m_where(std::move(where))
    { }

    const json::Value *member(const json::Value &object, const char *key)
    {
        const auto found = object.is_object() ? object.find(key) : object.end();
        if (found == object.end() || !object.is_object()) {
            fail(fmt::format("has no \"{}\"", key));
            return nullptr;
        }
        return &*found;
    }
    std::string text(const json::Value &object, const char *key)
    {
        const json::Value *value = member(object, key);
        if (value && !value->is_string())
            fail(fmt::format("\"{}\" is not a text", key));
        return value && value->is_string() ? value->get<std::string>() : std::string();
    }
    std::int64_t integer(const json::Value &object, const char *key, std::int64_t least, std::int64_t most)
    {
        const json::Value *value = member(object, key);
        if (value && value->is_number_integer())
            if (const auto number = value->get<std::int64_t>(); number >= least && number <= most)
                return number;
        fail(fmt::format("\"{}\" is not a whole number from {} to {}", key, least, most));
        return least;
    }
    std::vector<std::string> texts(const json::Value &list, const std::string &key)
    {
        std::vector<std::string> out;
        if (list.is_array())
            for (const json::Value &entry : list)
                if (entry.is_string() && !entry.get_ref<const std::string &>().empty())
                    out.push_back(entry.get<std::string>());
        if (!list.is_array() || list.empty() || out.size() != list.size())
            fail(fmt::format("\"{}\" is not a list of texts", key));
        return out;
    }
    void fail(const std::string &what)
    {
        if (m_error.empty())
            m_error = fmt::format("{} {}: restore the file that came with the program", m_where, what);
    }
    const std::string &error() const { return m_error; }

private:
    std::string m_where, m_error;
};

/// How often `slot` stands in `text`; every other slot must be in `words`.
int countSlot(Reader &reader, const std::string &text, std::string_view slot, const NeedleGrammar &grammar)
{
    int count = 0;
    fillSlots(text, [&](std::string_view name) {
        if (name == slot)
            ++count;
        else if (name != "name" && !grammar.words.contains(name))
            reader.fail(fmt::format("has the slot {{{}}} that nothing fills", name));
        return std::string_view();
    });
    return count;
}

} // namespace

std::string NeedleGrammar::sentence(std::mt19937_64 &random) const
{
    return fillSlots(choice(templates, random),
                     [&](std::string_view slot) -> const std::string & { return choice(words.find(slot)->second, random); });
}

std::string NeedleGrammar::heldOutKey(std::mt19937_64 &random) const
{
    std::uint64_t keys = 1;
    for (int i = 0; i < digits; ++i)
        keys *= 10;
    const std::uint64_t heldOut = (keys - residue + modulus - 1) / modulus;
    return fmt::format("{:0{}}", residue + modulus * below(heldOut, random), digits);
}

Result<NeedleGrammar> parseNeedleGrammar(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    if (!root.is_object())
        return badInput(fmt::format("{} is not a JSON object: restore the file that came with the program", where));
    Reader reader(where);
    if (reader.text(root, "format") != "zigzag-needle-task")
        reader.fail("is no \"zigzag-needle-task\"");
    const json::Value *version = reader.member(root, "version");
    if (version && *version != 1)
        reader.fail(fmt::format("has version {}, and this program reads version 1", version->dump()));
    NeedleGrammar grammar;
    grammar.needle = reader.text(root, "needle");
    grammar.question = reader.text(root, "question");
    grammar.answerEnd = reader.text(root, "answer_end");
    grammar.digits = static_cast<int>(reader.integer(root, "digits", 1, 18));
    if (const json::Value *names = reader.member(root, "names")) {
        grammar.names = reader.texts(*names, "names");
        grammar.name = grammar.names.empty() ? std::string() : grammar.names.front();
    }
    if (const json::Value *heldOut = reader.member(root, "held_out")) {
        grammar.modulus = static_cast<std::uint64_t>(reader.integer(*heldOut, "modulus", 1, 1'000'000));
        grammar.residue
            = static_cast<std::uint64_t>(reader.integer(*heldOut, "residue", 0, static_cast<std::int64_t>(grammar.modulus) - 1));
        std::uint64_t keys = 1;
        for (int i = 0; i < grammar.digits; ++i)
            keys *= 10;
        if (grammar.residue >= keys)
            reader.fail("holds out no key of its digits");
    }
    if (const json::Value *filler = reader.member(root, "filler")) {
        if (const json::Value *templates = reader.member(*filler, "templates"))
            grammar.templates = reader.texts(*templates, "templates");
        if (const json::Value *words = reader.member(*filler, "words")) {
            if (!words->is_object())
                reader.fail("\"words\" is not an object");
            else
                for (const auto &[key, list] : words->items())
                    grammar.words.emplace(key, reader.texts(list, key));
        }
    }
    for (const std::string &sentence : grammar.templates)
        if (countSlot(reader, sentence, "name", grammar) != 0
            || std::any_of(sentence.begin(), sentence.end(), [](char c) { return c >= '0' && c <= '9'; }))
            reader.fail(fmt::format("has filler that could be taken for a needle: \"{}\"", sentence));
    if (countSlot(reader, grammar.needle, "key", grammar) != 1)
        reader.fail("\"needle\" does not have {key} exactly once");
    if (countSlot(reader, grammar.question, "name", grammar) < 1)
        reader.fail("\"question\" does not have {name}");
    if (!reader.error().empty())
        return badInput(reader.error());
    return grammar;
}

} // namespace zigzag
