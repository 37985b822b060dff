// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>

namespace zigzag {

/// How a model's own files get into another folder.
enum class WeightFiles { Link, Copy };

/// One file, in the place of what is there. A link leads to where the file really lies.
Result<void> bringFile(const std::filesystem::path &from, const std::filesystem::path &to, WeightFiles files);

/// The tokenizer's files of a model's folder, as far as it has them; copied, for they are small.
Result<void> bringTokenizer(const std::filesystem::path &folder, const std::filesystem::path &to);

/// The weights of a model's folder under their own names, the index of its shards where it has one, and the tokenizer. Returns
/// how many files of weights. `folder`: as modelFolder names it.
Result<int> bringWeights(const std::filesystem::path &folder, const std::filesystem::path &to, WeightFiles files);

} // namespace zigzag
