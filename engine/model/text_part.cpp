// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/text_part.h"

#include "engine/model/family.h"
#include "engine/model/refused_types.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

using json::Value;

namespace {

/// Keys outside that hold for the text part where it does not say them itself.
constexpr std::string_view sharedKeys[] = {"dtype", "torch_dtype", "eos_token_id", "quantization_config"};

} // namespace

Result<void> takeTextPart(Value &config, std::vector<std::string> &notes, const std::string &where)
{
    if (const Value *text = json::find(config, "text_config"); !text || text->empty())
        return {};
    ZIGZAG_TRY(outer, json::stringIn(config, "model_type", where));
    ZIGZAG_TRY(found, json::objectIn(config, "text_config", where));
    Value text = *found;
    ZIGZAG_TRY(inner, json::stringIn(text, "model_type", where + ", text_config"));
    const Family *family = findFamily(inner);
    if (findFamily(outer) && outer != inner)
        return badInput(fmt::format("{}: text_config is that of a {}, and a {} has none; correct the config", where,
                                    json::printable(inner), outer));
    if (!family || std::find(family->outerTypes.begin(), family->outerTypes.end(), outer) == family->outerTypes.end())
        return refusedType(outer, where);
    const bool saysType = json::find(text, "dtype") || json::find(text, "torch_dtype");
    for (const std::string_view key : sharedKeys) {
        const Value *value = json::find(config, key);
        if (value && !json::find(text, key) && !(saysType && key.ends_with("dtype")))
            text[std::string(key)] = *value;
    }
    if (const Value *tied = json::find(config, "tie_word_embeddings")) // the head is outside
        text["tie_word_embeddings"] = *tied;
    notes.push_back(fmt::format("{}: of this {} the text part alone is run: it sees no images", where, outer));
    Value alone = std::move(text); // which was a part of what it replaces
    config = std::move(alone);
    return {};
}

} // namespace zigzag
