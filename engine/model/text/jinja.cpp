// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/jinja.h"

#include "engine/base/printable.h"
#include "engine/model/text/jinja_syntax.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <optional>

namespace zigzag {

namespace jinja {

namespace {

constexpr std::size_t largestTemplate = 1 << 20, largestText = 64 << 20; ///< bytes
constexpr std::size_t mostSteps = 2'000'000;
constexpr int mostCalls = 32;
constexpr std::int64_t longestRange = 1 << 20;

std::string today(const std::string &form)
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    localtime_r(&now, &parts);
    std::string text(256, '\0');
    text.resize(std::strftime(text.data(), text.size(), form.c_str(), &parts));
    return text;
}

class Interpreter
{
public:
    explicit Interpreter(const Value &names)
        : m_scopes(2)
    {
        for (const auto &item : names.items())
            m_scopes.front()[item.key()] = item.value();
    }

    std::string run(const std::vector<Statement> &statements)
    {
        std::string out;
        runAll(statements, out);
        return out;
    }

private:
    using Kind = Expression::Kind;
    using Scope = std::map<std::string, Value>;
    enum class Flow { On, Break, Continue };

    void step(std::size_t count = 1)
    {
        m_steps += count;
        if (m_steps > mostSteps)
            throw Fault{"it takes too many steps"};
    }

    /// What making or copying a value costs, counted as steps, so that neither time nor memory grows beyond them.
    void pay(const Value &value)
    {
        if (value.is_string())
            step(value.get_ref<const std::string &>().size() / 256);
        if (!value.is_structured())
            return;
        step(value.size());
        for (const Value &each : value)
            pay(each);
    }
    Value paid(Value value)
    {
        pay(value);
        return value;
    }

    Flow runAll(const std::vector<Statement> &statements, std::string &out)
    {
        for (const Statement &statement : statements)
            if (const Flow flow = runOne(statement, out); flow != Flow::On)
                return flow;
        return Flow::On;
    }

    Flow runOne(const Statement &statement, std::string &out)
    {
        step();
        switch (statement.kind) {
        case Statement::Kind::Text:
            write(statement.text, out);
            break;
        case Statement::Kind::Output:
            write(textOf(value(statement.expressions[0])), out);
            break;
        case Statement::Kind::If:
            for (std::size_t i = 0; i < statement.bodies.size(); ++i)
                if (i >= statement.expressions.size() || isTrue(value(statement.expressions[i])))
                    return runAll(statement.bodies[i], out);
            break;
        case Statement::Kind::For:
            runLoop(statement, out);
            break;
        case Statement::Kind::Set:
            set(statement);
            break;
        case Statement::Kind::Macro:
            m_macros[statement.names[0]] = &statement;
            break;
        case Statement::Kind::Block:
            return runAll(statement.bodies[0], out);
        case Statement::Kind::Break:
            return Flow::Break;
        case Statement::Kind::Continue:
            return Flow::Continue;
        }
        return Flow::On;
    }

    static void write(const std::string &text, std::string &out)
    {
        if (text.size() > largestText - std::min(largestText, out.size()))
            throw Fault{"it writes too much"};
        out += text;
    }

    void set(const Statement &statement)
    {
        Value given;
        if (statement.bodies.empty()) {
            given = value(statement.expressions[0]);
        } else {
            std::string text;
            runAll(statement.bodies[0], text);
            given = std::move(text);
        }
        if (statement.names.size() == 1) {
            m_scopes.back()[statement.names[0]] = std::move(given);
            return;
        }
        for (auto scope = m_scopes.rbegin(); scope != m_scopes.rend(); ++scope)
            if (const auto found = scope->find(statement.names[0]); found != scope->end() && found->second.is_object()) {
                found->second[statement.names[1]] = std::move(given);
                return;
            }
        throw Fault{fmt::format("{} is no namespace", statement.names[0])};
    }

    /// The names of a loop's item in the scope that is on top.
    void bind(const Statement &loop, const Value &item)
    {
        if (loop.names.size() == 1) {
            m_scopes.back()[loop.names[0]] = item;
            return;
        }
        if (!item.is_array() || item.size() != loop.names.size())
            throw Fault{fmt::format("an item of a loop has not {} parts", loop.names.size())};
        for (std::size_t i = 0; i < loop.names.size(); ++i)
            m_scopes.back()[loop.names[i]] = item[i];
    }

    void runLoop(const Statement &loop, std::string &out)
    {
        std::vector<Value> items = itemsOf(value(loop.expressions[0]));
        if (loop.expressions.size() > 1) {
            std::vector<Value> kept;
            for (Value &item : items) {
                step();
                m_scopes.emplace_back();
                bind(loop, item);
                const bool fits = isTrue(value(loop.expressions[1]));
                m_scopes.pop_back();
                if (fits)
                    kept.push_back(std::move(item));
            }
            items = std::move(kept);
        }
        if (items.empty() && loop.bodies.size() > 1)
            runAll(loop.bodies[1], out);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto left = static_cast<std::int64_t>(items.size() - i), index = static_cast<std::int64_t>(i);
            m_scopes.emplace_back();
            Value place = {{"index", index + 1},
                           {"index0", index},
                           {"revindex", left},
                           {"revindex0", left - 1},
                           {"first", i == 0},
                           {"last", left == 1},
                           {"length", static_cast<std::int64_t>(items.size())}};
            if (i > 0)
                place["previtem"] = items[i - 1];
            if (left > 1)
                place["nextitem"] = items[i + 1];
            m_scopes.back()["loop"] = std::move(place);
            bind(loop, items[i]);
            const Flow flow = runAll(loop.bodies[0], out);
            m_scopes.pop_back();
            if (flow == Flow::Break)
                break;
        }
    }

    const Value *find(const std::string &name) const
    {
        for (auto scope = m_scopes.rbegin(); scope != m_scopes.rend(); ++scope)
            if (const auto found = scope->find(name); found != scope->end())
                return &found->second;
        return nullptr;
    }

    /// Where a value lies that need not be made, so that a list of messages is not copied for each look at one of them.
    const Value *place(const Expression &expression)
    {
        if (expression.kind == Kind::Name)
            return find(expression.text);
        if (expression.kind != Kind::Attribute && expression.kind != Kind::Item)
            return nullptr;
        const Value *of = place(expression.parts[0]);
        if (!of)
            return nullptr;
        const Value index = expression.kind == Kind::Attribute ? Value(expression.text) : value(expression.parts[1]);
        if (of->is_object() && index.is_string()) {
            const auto found = of->find(index.get_ref<const std::string &>());
            return found == of->end() ? nullptr : &*found;
        }
        if (!of->is_array() || !index.is_number_integer())
            return nullptr;
        const auto at = index.get<std::int64_t>(), size = static_cast<std::int64_t>(of->size());
        const std::int64_t from = at < 0 ? at + size : at;
        return from < 0 || from >= size ? nullptr : &(*of)[static_cast<std::size_t>(from)];
    }

    Value value(const Expression &expression)
    {
        step();
        const auto part = [&](std::size_t i) { return value(expression.parts[i]); };
        if (const Value *there = place(expression)) {
            pay(*there);
            return *there;
        }
        switch (expression.kind) {
        case Kind::Literal:
            return expression.literal;
        case Kind::Name:
            return undefined();
        case Kind::Attribute:
            return itemOf(part(0), expression.text);
        case Kind::Item:
            return itemOf(part(0), part(1));
        case Kind::Slice:
            return sliceOf(part(0), part(1), part(2), part(3));
        case Kind::Call:
            return call(expression);
        case Kind::Filter:
            return applyFilter(expression.text, part(0), argumentsOf(expression), namedOf(expression));
        case Kind::Test:
            if (expression.parts[0].kind == Kind::Name && isFunction(expression.parts[0].text))
                return expression.text == "defined";
            return holds(expression.text, part(0), argumentsOf(expression));
        case Kind::Not:
            return !isTrue(part(0));
        case Kind::Negative:
            return binary("-", 0, part(0));
        case Kind::Binary:
            return paid(checked(binary(expression.text, part(0), part(1))));
        case Kind::And: {
            Value left = part(0);
            return isTrue(left) ? part(1) : left;
        }
        case Kind::Or: {
            Value left = part(0);
            return isTrue(left) ? left : part(1);
        }
        case Kind::Choice:
            return isTrue(part(1)) ? part(0) : part(2);
        case Kind::List: {
            Value list = Value::array();
            for (std::size_t i = 0; i < expression.parts.size(); ++i)
                list.push_back(part(i));
            return paid(std::move(list));
        }
        case Kind::Dictionary: {
            Value object = Value::object();
            for (std::size_t i = 0; i + 1 < expression.parts.size(); i += 2)
                object[textOf(part(i))] = part(i + 1);
            return paid(std::move(object));
        }
        }
        return undefined();
    }

    bool isFunction(const std::string &name) const
    {
        static constexpr std::array<std::string_view, 5> known
            = {"strftime_now", "raise_exception", "range", "namespace", "dict"};
        return !find(name) && (m_macros.count(name) > 0 || std::find(known.begin(), known.end(), name) != known.end());
    }

    static Value checked(Value value)
    {
        if ((value.is_string() && value.get_ref<const std::string &>().size() > largestText)
            || (value.is_array() && value.size() > mostSteps))
            throw Fault{"a value grows too large"};
        return value;
    }

    std::vector<Value> argumentsOf(const Expression &expression)
    {
        std::vector<Value> arguments;
        for (std::size_t i = 1; i < expression.parts.size(); ++i)
            arguments.push_back(value(expression.parts[i]));
        return arguments;
    }

    Value namedOf(const Expression &expression)
    {
        Value named = Value::object();
        for (const auto &[name, part] : expression.named)
            named[name] = value(part);
        return named;
    }

    Value call(const Expression &expression)
    {
        const Expression &callee = expression.parts[0];
        const std::vector<Value> arguments = argumentsOf(expression);
        if (callee.kind == Kind::Attribute)
            return paid(checked(callMethod(value(callee.parts[0]), callee.text, arguments)));
        if (callee.kind != Kind::Name)
            throw Fault{"only functions that have a name can be called"};
        if (const auto macro = m_macros.find(callee.text); macro != m_macros.end())
            return callMacro(*macro->second, arguments, namedOf(expression));
        if (callee.text == "namespace" || callee.text == "dict")
            return namedOf(expression);
        const Value first = arguments.empty() ? Value(nullptr) : arguments[0];
        if (callee.text == "raise_exception")
            throw Fault{fmt::format("it refuses these messages: {}", textOf(first))};
        if (callee.text == "strftime_now")
            return today(textOf(first));
        if (callee.text == "range" && first.is_number_integer()) {
            const bool hasBoth = arguments.size() > 1 && arguments[1].is_number_integer();
            const std::int64_t from = hasBoth ? first.get<std::int64_t>() : 0,
                               to = hasBoth ? arguments[1].get<std::int64_t>() : first.get<std::int64_t>();
            if (from < -longestRange || to > longestRange)
                throw Fault{"a range is too long"};
            Value numbers = Value::array();
            for (std::int64_t i = from; i < to; ++i)
                numbers.push_back(i);
            return numbers;
        }
        throw Fault{fmt::format("there is no function \"{}\"", callee.text)};
    }

    /// A macro sees what the template sees outside of loops, and its parameters.
    Value callMacro(const Statement &macro, const std::vector<Value> &arguments, const Value &named)
    {
        if (++m_calls > mostCalls)
            throw Fault{"macros call each other too deeply"};
        Scope own;
        for (std::size_t i = 1; i < macro.names.size(); ++i) {
            const std::string &name = macro.names[i];
            own[name] = i <= arguments.size() ? arguments[i - 1]
                : named.contains(name)        ? named[name]
                                              : value(macro.expressions[i - 1]);
        }
        std::vector<Scope> outside(std::make_move_iterator(m_scopes.begin() + 2), std::make_move_iterator(m_scopes.end()));
        m_scopes.resize(2);
        m_scopes.push_back(std::move(own));
        std::string out;
        runAll(macro.bodies[0], out);
        m_scopes.resize(2);
        m_scopes.insert(m_scopes.end(), std::make_move_iterator(outside.begin()), std::make_move_iterator(outside.end()));
        --m_calls;
        return out;
    }

    std::vector<Scope> m_scopes; ///< what is given, the template's own, then one for each loop
    std::map<std::string, const Statement *> m_macros;
    std::size_t m_steps = 0;
    int m_calls = 0;
};

} // namespace

} // namespace jinja

Result<std::string> renderJinja(std::string_view text, const nlohmann::ordered_json &names)
{
    if (text.size() > jinja::largestTemplate)
        return badInput(fmt::format("the chat template has more than {} bytes", jinja::largestTemplate));
    try {
        const std::vector<jinja::Statement> statements = jinja::parseTemplate(text);
        return jinja::Interpreter(names).run(statements);
    } catch (const jinja::Fault &fault) {
        return badInput("the chat template: " + printable(fault.what, 300));
    } catch (const nlohmann::json::exception &) {
        return badInput("the chat template: it uses a value as something that it is not");
    }
}

} // namespace zigzag
