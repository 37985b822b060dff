// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/json_input.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

TEST(JsonInput, HostileTextIsRefusedInOneLine)
{
    const std::string deep(1 << 20, '['), deepObject = [] {
        std::string text;
        for (int i = 0; i < 1000; ++i)
            text += "{\"a\":";
        return text;
    }();
    for (const std::string &text :
         {std::string(), std::string(" \n"), deep, deepObject, std::string("{\"a\": NaN}"), std::string("{\"a\": 1e999}"),
          std::string("{\"a\": \"\xff\"}"), std::string("{"), std::string("[1] 2"), std::string("\0", 1)}) {
        const auto parsed = json::parse(text, "file.json");
        ASSERT_FALSE(parsed) << text.substr(0, 20);
        EXPECT_EQ(parsed.error().kind, ErrorKind::BadInput);
        EXPECT_EQ(parsed.error().message.rfind("file.json: ", 0), 0u) << parsed.error().message;
        EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
    }
    EXPECT_TRUE(json::parse(
        "{\"brackets in text\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", "file.json"));
}

TEST(JsonInput, WhatIsWrongIsNamed)
{
    const auto fault = [](const char *text) { return json::parse(text, "f").error().message; };
    EXPECT_EQ(fault("{\"a\": [1, 2"), "f: not valid JSON: it is cut off after 11 bytes; write or fetch it whole");
    EXPECT_NE(fault("{\"limit\": [0.0, Infinity]}").find("Infinity at byte"), std::string::npos)
        << fault("{\"a\": [0.0, Infinity]}");
    EXPECT_NE(fault("{\"limit\": -Infinity}").find("-Infinity at byte"), std::string::npos) << fault("{\"limit\": -Infinity}");
    EXPECT_NE(fault("{\"limit\": NaN}").find("NaN at byte"), std::string::npos);
    EXPECT_EQ(fault("{\"a\": x}"), "f: not valid JSON at byte 7 of 8; write or fetch it anew");
}

TEST(JsonInput, MembersAreCheckedForTypeAndBounds)
{
    const auto document = json::parse(
        R"({"i": 5, "negative": -1, "huge": 18446744073709551615, "f": 1.5, "s": "x", "b": true, "n": null, "l": [], "o": {}})",
        "w");
    ASSERT_TRUE(document);
    EXPECT_EQ(json::integerIn(*document, "i", 0, 5, "w").value(), 5);
    for (const char *key : {"negative", "huge", "f", "s", "b", "n", "l", "o", "absent"})
        EXPECT_FALSE(json::integerIn(*document, key, 0, INT64_MAX, "w")) << key;
    EXPECT_EQ(json::integerOr(*document, "n", 7, 0, 10, "w").value(), 7);
    EXPECT_EQ(json::numberIn(*document, "f", 0, 2, "w").value(), 1.5);
    EXPECT_EQ(json::numberIn(*document, "i", 0, 5, "w").value(), 5.0);
    EXPECT_FALSE(json::numberIn(*document, "f", 0, 1, "w"));
    EXPECT_FALSE(json::booleanOr(*document, "i", false, "w"));
    EXPECT_TRUE(json::booleanOr(*document, "b", false, "w").value());
    EXPECT_FALSE(json::stringIn(*document, "i", "w"));
    EXPECT_TRUE(json::arrayIn(*document, "l", "w"));
    EXPECT_FALSE(json::objectIn(*document, "l", "w"));
    EXPECT_EQ(json::find(json::Value(3), "i"), nullptr);
}

TEST(JsonInput, OtherFormatsAndVersionsAreRefusedByName)
{
    const auto check = [](const char *text) { return json::checkFormat(json::parse(text, "w").value(), "zigzag-x", 1, "w"); };
    EXPECT_TRUE(check(R"({"format": "zigzag-x", "version": 1})"));
    const auto other = check(R"({"format": "zigzag-y", "version": 1})"), later = check(R"({"format": "zigzag-x", "version": 2})");
    ASSERT_FALSE(other);
    ASSERT_FALSE(later);
    EXPECT_NE(other.error().message.find("zigzag-y"), std::string::npos);
    EXPECT_NE(later.error().message.find("version 2"), std::string::npos);
    EXPECT_FALSE(check("[]"));
    EXPECT_FALSE(check(R"({"format": "zigzag-x"})"));
    EXPECT_FALSE(check(R"({"format": "zigzag-x", "version": "1"})"));
}

} // namespace
} // namespace zigzag
