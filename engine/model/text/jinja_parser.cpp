// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text/jinja_syntax.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace zigzag::jinja {

namespace {

using Kind = Expression::Kind;

constexpr int deepest = 64; ///< brackets, signs and blocks within each other

Expression make(Kind kind, std::string text, std::vector<Expression> parts)
{
    Expression made;
    made.kind = kind;
    made.text = std::move(text);
    made.parts = std::move(parts);
    return made;
}

Expression literal(Value value)
{
    Expression made;
    made.literal = std::move(value);
    return made;
}

/// The inside of one tag.
class Reader
{
public:
    explicit Reader(std::string_view text)
        : m_tokens(tokensOf(text))
    { }

    bool atEnd() const { return peek().kind == Token::Kind::End; }
    bool isSign(std::string_view sign) const { return peek().kind == Token::Kind::Sign && peek().text == sign; }
    bool isWord(std::string_view word) const { return peek().kind == Token::Kind::Name && peek().text == word; }
    bool take(std::string_view text)
    {
        const bool is = isSign(text) || isWord(text);
        m_at += is ? 1 : 0;
        return is;
    }
    void expect(std::string_view text)
    {
        if (!take(text))
            throw Fault{fmt::format("\"{}\" was expected before \"{}\"", text, peek().text)};
    }
    void expectEnd()
    {
        if (!atEnd())
            throw Fault{fmt::format("\"{}\" was not expected", peek().text)};
    }
    std::string name()
    {
        if (peek().kind != Token::Kind::Name)
            throw Fault{fmt::format("a name was expected before \"{}\"", peek().text)};
        return m_tokens[m_at++].text;
    }
    /// A loop's iterable ends before its own "if".
    Expression expression(bool withChoice = true)
    {
        const Depth depth(*this);
        Expression value = either();
        while (withChoice && take("if")) {
            Expression condition = either();
            Expression otherwise = take("else") ? expression() : literal(undefined());
            value = make(Kind::Choice, "", {std::move(value), std::move(condition), std::move(otherwise)});
        }
        return value;
    }

private:
    struct Depth {
        explicit Depth(Reader &of)
            : reader(of)
        {
            if (++reader.m_depth > deepest)
                throw Fault{"an expression nests too deeply"};
        }
        ~Depth() { --reader.m_depth; }
        Reader &reader;
    };

    const Token &peek() const { return m_tokens[m_at]; }

    Expression either()
    {
        Expression left = both();
        while (take("or"))
            left = make(Kind::Or, "", {std::move(left), both()});
        return left;
    }
    Expression both()
    {
        Expression left = inverted();
        while (take("and"))
            left = make(Kind::And, "", {std::move(left), inverted()});
        return left;
    }
    Expression inverted()
    {
        const Depth depth(*this);
        return take("not") ? make(Kind::Not, "", {inverted()}) : comparison();
    }
    std::optional<std::string> comparisonSign()
    {
        for (const char *sign : {"==", "!=", "<=", ">=", "<", ">", "in"})
            if (take(sign))
                return sign;
        if (isWord("not") && m_tokens[m_at + 1].text == "in") {
            m_at += 2;
            return "not in";
        }
        return {};
    }
    Expression comparison()
    {
        Expression left = sum();
        std::optional<Expression> whole;
        while (const auto sign = comparisonSign()) {
            Expression right = sum();
            Expression one = make(Kind::Binary, *sign, {std::move(left), right});
            whole = whole ? make(Kind::And, "", {std::move(*whole), std::move(one)}) : std::move(one);
            left = std::move(right); // a < b < c
        }
        return whole ? std::move(*whole) : std::move(left);
    }
    Expression sum()
    {
        Expression left = joined();
        while (isSign("+") || isSign("-")) {
            std::string sign = m_tokens[m_at++].text;
            left = make(Kind::Binary, std::move(sign), {std::move(left), joined()});
        }
        return left;
    }
    Expression joined()
    {
        Expression left = product();
        while (take("~"))
            left = make(Kind::Binary, "~", {std::move(left), product()});
        return left;
    }
    Expression product()
    {
        Expression left = signedValue();
        while (isSign("*") || isSign("/") || isSign("//") || isSign("%")) {
            std::string sign = m_tokens[m_at++].text;
            left = make(Kind::Binary, std::move(sign), {std::move(left), signedValue()});
        }
        return left;
    }
    /// Filters and tests belong to all of what a sign stands before.
    Expression signedValue()
    {
        const Depth depth(*this);
        Expression value = take("-") ? make(Kind::Negative, "", {signedValue()}) : take("+") ? signedValue() : postfix(primary());
        for (;;) {
            if (take("|")) {
                std::string filter = name();
                value = make(Kind::Filter, std::move(filter), {std::move(value)});
                if (take("("))
                    arguments(value);
            } else if (isWord("is")) {
                value = test(std::move(value));
            } else if (isSign("(")) {
                value = postfix(std::move(value));
            } else {
                return value;
            }
        }
    }
    Expression test(Expression value)
    {
        expect("is");
        const bool isNegated = take("not");
        Expression made = make(Kind::Test, name(), {std::move(value)});
        if (take("(")) {
            arguments(made);
        } else {
            // "is divisibleby 3": a value right behind is the test's
            static constexpr std::array<std::string_view, 7> others = {"else", "or", "and", "if", "is", "in", "not"};
            const bool isName
                = peek().kind == Token::Kind::Name && std::find(others.begin(), others.end(), peek().text) == others.end();
            if (isName || peek().kind == Token::Kind::Text || peek().kind == Token::Kind::Number)
                made.parts.push_back(postfix(primary()));
        }
        return isNegated ? make(Kind::Not, "", {std::move(made)}) : made;
    }
    void arguments(Expression &call)
    {
        while (!take(")")) {
            if (peek().kind == Token::Kind::Name && m_tokens[m_at + 1].text == "="
                && m_tokens[m_at + 1].kind == Token::Kind::Sign) {
                std::string key = name();
                ++m_at;
                call.named.push_back({std::move(key), expression()});
            } else {
                call.parts.push_back(expression());
            }
            if (!isSign(")"))
                expect(",");
        }
    }
    Expression postfix(Expression value)
    {
        for (;;) {
            if (take(".")) {
                value = make(Kind::Attribute, name(), {std::move(value)});
            } else if (take("[")) {
                value = subscript(std::move(value));
            } else if (take("(")) {
                value = make(Kind::Call, "", {std::move(value)});
                arguments(value);
            } else {
                return value;
            }
        }
    }
    Expression subscript(Expression of)
    {
        std::vector<Expression> bounds;
        bool isSlice = false;
        Expression bound = literal(undefined());
        while (!take("]")) {
            if (take(":")) {
                isSlice = true;
                bounds.push_back(std::move(bound));
                bound = literal(undefined());
            } else {
                bound = expression();
                if (!isSign(":") && !isSign("]"))
                    expect("]");
            }
        }
        bounds.push_back(std::move(bound));
        if (!isSlice)
            return make(Kind::Item, "", {std::move(of), std::move(bounds.front())});
        if (bounds.size() > 3)
            throw Fault{"a slice has more than three parts"};
        while (bounds.size() < 3)
            bounds.push_back(literal(undefined()));
        bounds.insert(bounds.begin(), std::move(of));
        return make(Kind::Slice, "", std::move(bounds));
    }
    Expression primary()
    {
        const Token token = peek();
        ++m_at;
        switch (token.kind) {
        case Token::Kind::Number:
            return literal(token.number);
        case Token::Kind::Text: {
            std::string text = token.text;
            while (peek().kind == Token::Kind::Text)
                text += m_tokens[m_at++].text;
            return literal(std::move(text));
        }
        case Token::Kind::Name:
            if (token.text == "true" || token.text == "True")
                return literal(true);
            if (token.text == "false" || token.text == "False")
                return literal(false);
            if (token.text == "none" || token.text == "None")
                return literal(nullptr);
            return make(Kind::Name, token.text, {});
        case Token::Kind::Sign:
            return bracket(token.text);
        case Token::Kind::End:
            break;
        }
        --m_at;
        throw Fault{"a value is missing at the end of a tag"};
    }
    Expression bracket(const std::string &sign)
    {
        if (sign != "(" && sign != "[" && sign != "{")
            throw Fault{fmt::format("a value was expected before \"{}\"", sign)};
        const bool isDictionary = sign == "{";
        const std::string closing = sign == "(" ? ")" : sign == "[" ? "]" : "}";
        Expression made = make(isDictionary ? Kind::Dictionary : Kind::List, "", {});
        bool isList = sign != "("; // one value in round brackets is that value
        while (!take(closing)) {
            made.parts.push_back(expression());
            if (isDictionary) {
                expect(":");
                made.parts.push_back(expression());
            }
            if (!isSign(closing)) {
                expect(",");
                isList = true;
            }
        }
        if (!isList && made.parts.size() == 1) {
            Expression only = std::move(made.parts.front());
            return only;
        }
        return made;
    }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_depth = 0;
};

/// Statements from pieces.
class Parser
{
public:
    explicit Parser(std::vector<Piece> pieces)
        : m_pieces(std::move(pieces))
    { }

    std::vector<Statement> whole()
    {
        std::string end;
        std::vector<Statement> statements = body({}, end);
        return statements;
    }

private:
    using Words = std::vector<std::string_view>;

    /// Statements up to a tag that begins with one of these words, which is left in `m_tag`.
    std::vector<Statement> body(const Words &ends, std::string &end)
    {
        if (++m_depth > deepest)
            throw Fault{"blocks nest too deeply"};
        std::vector<Statement> statements;
        for (; m_at < m_pieces.size(); ++m_at) {
            Piece &piece = m_pieces[m_at];
            if (piece.kind == Piece::Kind::Text) {
                Statement text;
                text.text = std::move(piece.text);
                statements.push_back(std::move(text));
                continue;
            }
            Reader reader(piece.text);
            if (piece.kind == Piece::Kind::Output) {
                Statement output;
                output.kind = Statement::Kind::Output;
                output.expressions.push_back(reader.expression());
                reader.expectEnd();
                statements.push_back(std::move(output));
                continue;
            }
            std::string word = reader.name();
            if (std::find(ends.begin(), ends.end(), word) != ends.end()) {
                end = std::move(word);
                m_tag = std::move(reader);
                ++m_at;
                --m_depth;
                return statements;
            }
            ++m_at;
            statements.push_back(statement(word, reader));
            --m_at;
        }
        if (!ends.empty())
            throw Fault{fmt::format("a block has no {}", ends.back())};
        --m_depth;
        return statements;
    }

    /// `m_at` is behind its tag, and then behind its last one.
    Statement statement(const std::string &word, Reader &reader)
    {
        if (word == "if")
            return condition(reader);
        if (word == "for")
            return loop(reader);
        if (word == "set")
            return assignment(reader);
        if (word == "macro")
            return macro(reader);
        Statement made;
        if (word == "break" || word == "continue") {
            made.kind = word == "break" ? Statement::Kind::Break : Statement::Kind::Continue;
        } else if (word == "generation") { // transformers' mark around what a model wrote
            made.kind = Statement::Kind::Block;
            std::string end;
            made.bodies.push_back(body({"endgeneration"}, end));
            return made;
        } else {
            throw Fault{fmt::format("\"{}\" is a tag that is not supported", word)};
        }
        reader.expectEnd();
        return made;
    }

    Statement condition(Reader &reader)
    {
        Statement made;
        made.kind = Statement::Kind::If;
        made.expressions.push_back(reader.expression());
        reader.expectEnd();
        for (std::string end; end != "endif";) {
            const bool isElse = end == "else";
            made.bodies.push_back(isElse ? body({"endif"}, end) : body({"elif", "else", "endif"}, end));
            if (end == "elif")
                made.expressions.push_back(m_tag->expression());
            m_tag->expectEnd();
        }
        return made;
    }

    Statement loop(Reader &reader)
    {
        Statement made;
        made.kind = Statement::Kind::For;
        const bool isBracketed = reader.take("(");
        do
            made.names.push_back(reader.name());
        while (reader.take(","));
        if (isBracketed)
            reader.expect(")");
        reader.expect("in");
        made.expressions.push_back(reader.expression(false));
        if (reader.take("if"))
            made.expressions.push_back(reader.expression());
        reader.expectEnd();
        std::string end;
        made.bodies.push_back(body({"else", "endfor"}, end));
        if (end == "else")
            made.bodies.push_back(body({"endfor"}, end));
        return made;
    }

    Statement assignment(Reader &reader)
    {
        Statement made;
        made.kind = Statement::Kind::Set;
        made.names.push_back(reader.name());
        if (reader.take("."))
            made.names.push_back(reader.name());
        if (reader.take("=")) {
            made.expressions.push_back(reader.expression());
            if (reader.isSign(",")) { // a tuple without brackets
                Expression list = make(Kind::List, "", {std::move(made.expressions.back())});
                while (reader.take(","))
                    list.parts.push_back(reader.expression());
                made.expressions.back() = std::move(list);
            }
            reader.expectEnd();
            return made;
        }
        reader.expectEnd();
        std::string end;
        made.bodies.push_back(body({"endset"}, end));
        return made;
    }

    Statement macro(Reader &reader)
    {
        Statement made;
        made.kind = Statement::Kind::Macro;
        made.names.push_back(reader.name());
        reader.expect("(");
        while (!reader.take(")")) {
            made.names.push_back(reader.name());
            made.expressions.push_back(reader.take("=") ? reader.expression() : literal(undefined()));
            if (!reader.isSign(")"))
                reader.expect(",");
        }
        reader.expectEnd();
        std::string end;
        made.bodies.push_back(body({"endmacro"}, end));
        return made;
    }

    std::vector<Piece> m_pieces;
    std::size_t m_at = 0;
    int m_depth = 0;
    std::optional<Reader> m_tag; ///< the inside, behind its word, of the tag that ended the last body
};

} // namespace

std::vector<Statement> parseTemplate(std::string_view text)
{
    return Parser(cutTemplate(text)).whole();
}

} // namespace zigzag::jinja
