// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/generate_both.h"

#include "engine/base/printable.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace zigzag {

namespace {

using nlohmann::ordered_json;

/// A token between quotation marks, on one line: of half a character its bytes.
std::string quoted(const std::string &bytes, int token)
{
    if (bytes.empty())
        return fmt::format("token {}", token);
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t length = utf8Length(std::string_view(bytes).substr(at));
        const auto byte = static_cast<unsigned char>(bytes[at]);
        if (byte == '\n')
            text += "\\n";
        else if (length == 0 || byte < 0x20 || byte == 0x7f)
            text += fmt::format("\\x{:02x}", byte);
        else
            text.append(bytes, at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return '"' + text + '"';
}

std::string shareText(double probability)
{
    return fmt::format("{:.1f} %", 100 * probability);
}

ordered_json likelyJson(const std::vector<jobs::LikelyToken> &likeliest)
{
    auto all = ordered_json::array();
    for (const jobs::LikelyToken &each : likeliest)
        all.push_back({{"id", each.token}, {"text", each.bytes}, {"probability", each.probability}});
    return all;
}

ordered_json tokenJson(const jobs::AnsweredToken &token)
{
    ordered_json json = {{"id", token.token},
                         {"text", token.bytes},
                         {"probability", token.probability},
                         {"likeliest", likelyJson(token.likeliest)},
                         {"other_probability", nullptr},
                         {"other_likeliest", likelyJson(token.othersLikeliest)}};
    if (token.othersProbability)
        json["other_probability"] = *token.othersProbability;
    return json;
}

} // namespace

std::string sideBySideText(const jobs::SideBySide &both)
{
    std::string out;
    for (const jobs::MapAnswer &answer : both.answers)
        fmt::format_to(std::back_inserter(out), "{}, {} tokens{}:\n{}\n\n", answer.name, answer.tokens.size(),
                       answer.end == jobs::MapAnswer::End::None ? ", stopped" : "", answer.text());
    if (!both.parting)
        return out + "Both say the same tokens.\n";
    fmt::format_to(std::back_inserter(out), "They part at token {}:\n", *both.parting + 1);
    for (std::size_t side = 0; side < 2; ++side) {
        const jobs::AnsweredToken &token = *both.partingToken(side);
        fmt::format_to(std::back_inserter(out), "  {} says {}{} with {}, to which {} gives {}\n", both.answers[side].name,
                       quoted(token.bytes, token.token), token.isEnd ? ", its end," : "", shareText(token.probability),
                       both.answers[1 - side].name, shareText(token.othersProbability.value_or(0)));
    }
    return out;
}

ordered_json sideBySideJson(const jobs::SideBySide &both)
{
    ordered_json json = {{"prompt_tokens", both.promptTokens}, {"parting", nullptr}, {"answers", ordered_json::array()}};
    if (both.parting)
        json["parting"] = *both.parting;
    for (const jobs::MapAnswer &answer : both.answers) {
        ordered_json tokens = ordered_json::array();
        for (const jobs::AnsweredToken &token : answer.tokens)
            tokens.push_back(tokenJson(token));
        ordered_json one = {{"map", answer.name}, {"text", answer.text()}, {"finish_reason", nullptr}, {"tokens", tokens}};
        if (answer.end != jobs::MapAnswer::End::None)
            one["finish_reason"] = answer.end == jobs::MapAnswer::End::Stop ? "stop" : "length";
        json["answers"].push_back(std::move(one));
    }
    return json;
}

} // namespace zigzag
