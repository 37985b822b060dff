// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/exports/engine_checks.h"

#include "engine/base/files.h"
#include "engine/base/json_input.h"
#include "engine/model/resources.h"

#include <algorithm>
#include <fmt/format.h>
#include <system_error>

namespace zigzag {

namespace {

constexpr std::size_t mostChecks = 10000;
constexpr std::int64_t mostTokens = 1 << 20;

Result<EngineCheck> parseCheck(const json::Value &entry, const std::string &source)
{
    EngineCheck check;
    ZIGZAG_TRY(format, json::stringIn(entry, "format", source));
    ZIGZAG_TRY(engine, json::stringIn(entry, "engine", source));
    ZIGZAG_TRY(version, json::stringIn(entry, "version", source));
    ZIGZAG_TRY(model, json::stringIn(entry, "model", source));
    ZIGZAG_TRY(date, json::stringIn(entry, "date", source));
    ZIGZAG_TRY(tokens, json::integerIn(entry, "tokens", 1, mostTokens, source));
    ZIGZAG_TRY(equal, json::integerIn(entry, "equal", 0, tokens, source));
    ZIGZAG_TRY(difference, json::numberIn(entry, "logprob_difference", 0, 1e9, source));
    check.format = json::printable(format);
    check.engine = json::printable(engine);
    check.version = json::printable(version);
    check.model = json::printable(model);
    check.date = json::printable(date);
    check.tokens = static_cast<int>(tokens);
    check.equal = static_cast<int>(equal);
    check.logprobDifference = difference;
    if (json::find(entry, "reference")) {
        ZIGZAG_TRY(reference, json::stringIn(entry, "reference", source));
        check.reference = json::printable(reference);
    }
    return check;
}

} // namespace

Result<std::vector<EngineCheck>> parseEngineChecks(std::string_view text, const std::string &source)
{
    ZIGZAG_TRY(document, json::parse(text, source));
    ZIGZAG_TRY(entries, json::arrayIn(document, "checked", source));
    if (entries->size() > mostChecks)
        return badInput(fmt::format("{}: {} checks are more than {}: is it the file that ./dev check-engines writes?", source,
                                    entries->size(), mostChecks));
    std::vector<EngineCheck> checks;
    for (const json::Value &entry : *entries) {
        if (json::find(entry, "not_tried") || json::find(entry, "failed"))
            continue;
        ZIGZAG_TRY(check, parseCheck(entry, source));
        checks.push_back(std::move(check));
    }
    return checks;
}

Result<std::vector<EngineCheck>> engineChecks()
{
    const std::filesystem::path file = resourceFolder() / "checked" / "engines.json";
    if (std::error_code error; !std::filesystem::exists(file, error))
        return std::vector<EngineCheck>{};
    ZIGZAG_TRY(text, readTextFile(file, 1u << 20));
    return parseEngineChecks(text, file.string());
}

std::string checkedText(const std::vector<EngineCheck> &checks, std::string_view format)
{
    // One engine may have run the format for several models: the one that came out worst speaks for it.
    std::vector<const EngineCheck *> worst;
    for (const EngineCheck &check : checks) {
        if (check.format != format)
            continue;
        const auto same = std::find_if(worst.begin(), worst.end(), [&](const EngineCheck *other) {
            return other->engine == check.engine && other->version == check.version;
        });
        if (same == worst.end())
            worst.push_back(&check);
        else if (std::pair((*same)->equal - (*same)->tokens, -(*same)->logprobDifference)
                 > std::pair(check.equal - check.tokens, -check.logprobDifference))
            *same = &check;
    }
    std::string text;
    for (const EngineCheck *check : worst)
        text += fmt::format("{}{} {} ({}: {} of {} greedy tokens as {}, log-probabilities up to {:.1e} apart)",
                            text.empty() ? "" : ", ", check->engine, check->version, check->date, check->equal, check->tokens,
                            check->reference, check->logprobDifference);
    return text.empty() ? text : "run by " + text;
}

} // namespace zigzag
