// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/side_files.h"

#include "engine/base/json_input.h"
#include "engine/model/end_tokens.h"
#include "engine/model/family.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

using json::Value;

namespace {

Result<Value> parseObject(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(document, json::parse(text, where));
    if (!document.is_object())
        return badInput(fmt::format("{}: a JSON object was expected, not {}; fetch the file anew", where, document.type_name()));
    return document;
}

Result<std::optional<bool>> flagIn(const Value &config, std::string_view key, const std::string &where)
{
    ZIGZAG_TRY(flag, json::booleanOr(config, key, false, where));
    return json::find(config, key) ? std::optional(flag) : std::nullopt;
}

/// A special token by itself, or with its properties as an object.
Result<std::string> tokenIn(const Value &config, std::string_view key, const std::string &where)
{
    const Value *token = json::find(config, key);
    if (token && token->is_object())
        return json::stringOr(*token, "content", "", where);
    return json::stringOr(config, key, "", where);
}

/// "chat_template": a text, or several with names.
Result<std::string> chatTemplateIn(const Value &config, const std::string &where)
{
    const Value *given = json::find(config, "chat_template");
    if (!given || !given->is_array())
        return json::stringOr(config, "chat_template", "", where);
    for (const Value &one : *given)
        if (const Value *name = json::find(one, "name"); name && *name == "default")
            return json::stringIn(one, "template", where);
    return std::string();
}

/// The tokens that a chat template may name.
Result<std::vector<std::pair<std::string, std::string>>> namedTokensIn(const Value &config, const std::string &where)
{
    std::vector<std::pair<std::string, std::string>> named;
    for (const char *name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
        ZIGZAG_TRY(token, tokenIn(config, name, where));
        if (!token.empty())
            named.emplace_back(name, std::move(token));
    }
    return named;
}

bool isLlamaTokenizer(const TokenizerConfig &config, const Family &family)
{
    if (config.className.empty())
        return family.llamaTokenizer;
    return config.className == "LlamaTokenizer" || config.className == "LlamaTokenizerFast"
        || config.className == "CodeLlamaTokenizer" || config.className == "CodeLlamaTokenizerFast";
}

} // namespace

Result<std::vector<int>> parseGenerationConfig(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(config, parseObject(text, where));
    return readEndTokens(config, where);
}

Result<TokenizerConfig> parseTokenizerConfig(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(config, parseObject(text, where));
    ZIGZAG_TRY(className, json::stringOr(config, "tokenizer_class", "", where));
    ZIGZAG_TRY(addBegin, flagIn(config, "add_bos_token", where));
    ZIGZAG_TRY(addEnd, flagIn(config, "add_eos_token", where));
    ZIGZAG_TRY(begin, tokenIn(config, "bos_token", where));
    ZIGZAG_TRY(end, tokenIn(config, "eos_token", where));
    ZIGZAG_TRY(chatTemplate, chatTemplateIn(config, where));
    ZIGZAG_TRY(named, namedTokensIn(config, where));
    return TokenizerConfig{std::move(className),    addBegin,        addEnd, std::move(begin), std::move(end),
                           std::move(chatTemplate), std::move(named)};
}

void applyTokenizerConfig(Tokenizer &tokenizer, const TokenizerConfig &config, const Family &family,
                          std::vector<std::string> &notes, const std::string &where)
{
    if (!isLlamaTokenizer(config, family))
        return;
    const std::string begin = config.beginToken.empty() ? "<s>" : config.beginToken,
                      end = config.endToken.empty() ? "</s>" : config.endToken; // the class's own
    if (tokenizer.hasTemplate()) {
        // The text between decides nothing: one of its own tokens may be the same.
        const std::vector<int> plain = tokenizer.encode("a", false), whole = tokenizer.encode("a", true);
        const auto noteConflict = [&](std::string_view key, std::optional<bool> asked, bool isThere) {
            if (asked && *asked != isThere)
                notes.push_back(fmt::format("{}: {} is {}, but the template of tokenizer.json has its way, as in transformers 5",
                                            where, key, *asked));
        };
        const bool grows = whole.size() > plain.size();
        noteConflict("add_bos_token", config.addBegin, grows && tokenizer.idOf(begin) == whole.front());
        noteConflict("add_eos_token", config.addEnd, grows && tokenizer.idOf(end) == whole.back());
        return;
    }
    if (config.addBegin != true && config.addEnd != true)
        return;
    std::vector<std::string> added;
    const auto idsOf = [&](bool asked, const std::string &token) {
        std::vector<int> ids;
        if (const auto id = tokenizer.idOf(token); asked && id) {
            ids.push_back(*id);
            added.push_back(json::printable(token));
        } else if (asked) {
            notes.push_back(fmt::format("{}: tokenizer.json has no token \"{}\" to add to texts; none is added", where,
                                        json::printable(token)));
        }
        return ids;
    };
    // Who names one of the two gets the other as the class has it.
    std::vector<int> before = idsOf(config.addBegin.value_or(true), begin), after = idsOf(config.addEnd.value_or(false), end);
    if (added.empty())
        return;
    tokenizer.surround(std::move(before), std::move(after));
    notes.push_back(
        fmt::format("{}: add_bos_token and add_eos_token put {} around every text, as in transformers 4: tokenizer.json "
                    "has no template",
                    where, fmt::join(added, " and ")));
}

} // namespace zigzag
