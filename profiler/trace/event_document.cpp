// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/event_document.h"

#include <fmt/format.h>
#include <optional>
#include <vector>

namespace zigzag {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Builds one value from a parser's events.
class Tree
{
public:
    json::Value root;

    bool isOpen() const { return !m_open.empty(); }
    std::size_t depth() const { return m_open.size(); }
    void key(std::string &name) { m_key = std::move(name); }
    const std::string &lastKey() const { return m_key; }
    void enter(json::Value container) { m_open.push_back(put(std::move(container))); }
    void leave() { m_open.pop_back(); }
    json::Value *put(json::Value value)
    {
        if (m_open.empty()) {
            root = std::move(value);
            return &root;
        }
        json::Value &parent = *m_open.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return &parent.back();
        }
        return &(parent[m_key] = std::move(value));
    }

private:
    std::vector<json::Value *> m_open; // what is open stays where it is: nothing is added beside it before it closes
    std::string m_key;
};

class Reader final : public nlohmann::json_sax<json::Value>
{
public:
    explicit Reader(const std::function<Result<void>(const json::Value &)> &take)
        : m_take(take)
    { }

    EventDocument document;
    std::optional<Error> refusal; ///< of the one who takes the events
    std::optional<std::size_t> faultAt; ///< where the text is no JSON, from 1
    bool nestsTooDeep = false, isOutOfRange = false;

    bool null() override { return value(nullptr); }
    bool boolean(bool flag) override { return value(flag); }
    bool number_integer(number_integer_t number) override { return value(number); }
    bool number_unsigned(number_unsigned_t number) override { return value(number); }
    bool number_float(number_float_t number, const string_t &) override { return value(number); }
    bool string(string_t &text) override { return value(std::move(text)); }
    bool binary(binary_t &) override { return false; } // not in JSON text
    bool key(string_t &name) override
    {
        tree().key(name);
        return true;
    }
    bool start_object(std::size_t) override { return enter(json::Value::object()); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override
    {
        const bool isDocument = !m_inEvents && !m_hasRoot;
        const bool isMember = !m_inEvents && m_rest.depth() == 1 && m_rest.root.is_object() && m_rest.lastKey() == "traceEvents";
        if (!isDocument && !isMember)
            return enter(json::Value::array());
        m_hasRoot = m_inEvents = document.hasEvents = true;
        m_isBare = isDocument;
        return true;
    }
    bool end_array() override
    {
        if (!m_inEvents || m_event.isOpen())
            return leave();
        m_inEvents = false;
        return true;
    }
    bool parse_error(std::size_t byte, const std::string &, const json::Value::exception &error) override
    {
        faultAt = byte;
        isOutOfRange = dynamic_cast<const json::Value::parse_error *>(&error) == nullptr;
        return false;
    }

    /// The array that is the document, not yet closed.
    bool isInBareArray() const { return m_inEvents && m_isBare; }
    bool isInEvent() const { return m_event.isOpen(); }
    void finish() { document.rest = std::move(m_rest.root); }

private:
    Tree &tree() { return m_inEvents ? m_event : m_rest; }
    bool enter(json::Value container)
    {
        nestsTooDeep = m_rest.depth() + m_event.depth() >= json::deepestNesting;
        if (nestsTooDeep)
            return false;
        m_hasRoot = true;
        tree().enter(std::move(container));
        return true;
    }
    bool leave()
    {
        tree().leave();
        return !m_inEvents || m_event.isOpen() || give();
    }
    bool value(json::Value single)
    {
        m_hasRoot = true;
        tree().put(std::move(single));
        return !m_inEvents || m_event.isOpen() || give();
    }
    bool give()
    {
        if (auto taken = m_take(m_event.root); !taken)
            refusal = std::move(taken.error());
        m_event.root = {};
        return !refusal;
    }

    const std::function<Result<void>(const json::Value &)> &m_take;
    Tree m_rest, m_event;
    bool m_hasRoot = false, m_inEvents = false, m_isBare = false;
};

/// An array with a comma before its bracket, as programs write it that stop at any time, without both.
std::string_view withoutTrailingComma(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos || text[first] != '[')
        return text;
    const auto trimmed = [](std::string_view part) { return part.substr(0, part.find_last_not_of(blanks) + 1); };
    std::string_view inside = trimmed(text);
    if (inside.ends_with(']'))
        inside = trimmed(inside.substr(0, inside.size() - 1));
    return inside.ends_with(',') ? inside.substr(0, inside.size() - 1) : text;
}

} // namespace

Result<EventDocument> readEventDocument(std::string_view text, const std::string &where,
                                        const std::function<Result<void>(const json::Value &)> &take)
{
    const std::string_view whole = withoutTrailingComma(text);
    Reader reader(take);
    const bool isWhole = json::Value::sax_parse(whole, &reader);
    if (reader.refusal)
        return tl::unexpected(*reader.refusal);
    if (reader.nestsTooDeep)
        return badInput(fmt::format("{}: brackets nest deeper than {} levels; this is not a file of the expected kind", where,
                                    json::deepestNesting));
    if (reader.isOutOfRange)
        return badInput(fmt::format("{}: not valid JSON, a number is out of range; write or fetch it anew", where));
    if (!isWhole) {
        const std::size_t at = reader.faultAt.value_or(1);
        if (at <= whole.size() || !reader.isInBareArray())
            return badInput(fmt::format("{}: {}", where, json::syntaxFault(whole, at)));
        reader.document.isUnclosed = true;
        reader.document.isCut = reader.isInEvent();
    }
    reader.finish();
    return std::move(reader.document);
}

} // namespace zigzag
