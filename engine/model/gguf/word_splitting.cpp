// SPDX-License-Identifier: GPL-3.0-or-later
// The expressions are those of the models' own tokenizer.json files; which name stands for which is llama.cpp's.
#include "engine/model/gguf/word_splitting.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace zigzag {

namespace {

constexpr std::string_view llama3Names[]
    = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"};
constexpr std::string_view llama3[]
    = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::string_view plainLlama3Names[] = {"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}; // the same words alone

constexpr std::string_view qwen2Names[] = {"qwen2"};
constexpr std::string_view qwen2[]
    = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::string_view likeQwen2Names[]
    = {"deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan", "solar-open", "kormo", "f2llmv2", "grok-2"};

constexpr std::string_view digits[] = {R"(\p{N})"};
constexpr std::string_view smollmNames[]
    = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"};

constexpr std::string_view gpt2Names[]
    = {"gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat", "a.x-4.0", "mellum", "exaone4"};

constexpr std::string_view tekkenNames[] = {"tekken"};
constexpr std::string_view tekken[] = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr std::string_view gpt4oNames[] = {"gpt-4o", "llama4", "kanana2", "minimax-m2"};
constexpr std::string_view gpt4o[] = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr std::string_view seedCoderNames[] = {"seed-coder"};
constexpr std::string_view seedCoder[]
    = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr std::string_view deepseekCoderNames[] = {"deepseek-coder"};
constexpr std::string_view deepseekCoder[]
    = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", R"(\p{N})"};

// Of files from before the splitting had a name. llama.cpp cuts all of them like this.
constexpr std::string_view defaultNames[] = {"default"};
constexpr std::string_view byDefault[] = {
    R"([\p{P}\$\+<=>\^~\|]+)",
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))",
    R"(\p{N}+)",
    R"([0-9][0-9][0-9])",
};

constexpr WordSplitting splittings[] = {
    {.names = llama3Names, .patterns = llama3, .ignoresMerges = true, .addsBegin = true},
    {.names = plainLlama3Names, .patterns = llama3},
    {.names = qwen2Names, .patterns = qwen2, .composes = true},
    {.names = likeQwen2Names, .patterns = qwen2},
    {.names = smollmNames, .patterns = digits, .gpt2Words = true},
    {.names = gpt2Names, .patterns = {}, .gpt2Words = true},
    {.names = tekkenNames, .patterns = tekken, .ignoresMerges = true, .addsBegin = true},
    {.names = gpt4oNames, .patterns = gpt4o},
    {.names = seedCoderNames, .patterns = seedCoder},
    {.names = deepseekCoderNames, .patterns = deepseekCoder},
    {.names = defaultNames, .patterns = byDefault},
};

} // namespace

const WordSplitting *findWordSplitting(std::string_view name)
{
    for (const WordSplitting &each : splittings)
        if (std::find(each.names.begin(), each.names.end(), name) != each.names.end())
            return &each;
    return nullptr;
}

std::string wordSplittingNames()
{
    std::vector<std::string_view> all;
    for (const WordSplitting &each : splittings)
        all.insert(all.end(), each.names.begin(), each.names.end());
    return fmt::format("{}", fmt::join(all, ", "));
}

} // namespace zigzag
