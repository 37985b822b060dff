// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

/// `zigzag-head-map`, version 1 (one window) or 2 (a window per layer, and "L" for a layer that the model's own file makes
/// local), from its text; `where` names it in errors.
Result<HeadMap> parseHeadMap(std::string_view text, const std::string &where);
/// The same from a file, or a DuoAttention folder whose gates are all 0 or 1. Written atomically.
Result<HeadMap> readHeadMap(const std::filesystem::path &file);
Result<void> writeHeadMap(const HeadMap &map, const std::filesystem::path &file);
/// As version 1 where the map has one window and no layer is local, else as version 2.
std::string toJson(const HeadMap &map);

/// MAP of the command line: a head-map file, `full` or `streaming`. A map for another model is refused. `note` receives
/// fitNote, where there is one.
Result<HeadMap> resolveHeadMap(const std::string &name, const ModelShape &model, int sink, int recent,
                               std::string *note = nullptr);
/// Refuses a map whose layers, KV heads, head size or local layers contradict the model. Its fingerprint may be another one: a
/// map of weights in one type is one for their copy in another, and fitNote says where weights differ.
Result<void> checkFits(const HeadMap &map, const ModelShape &model, const std::string &where);
/// What is to be known of a map, as it was read, that fits: that it was made for other weights, or says R or S of layers that the
/// model's own file makes local; else empty.
std::string fitNote(const HeadMap &map, const ModelShape &model, const std::string &where);

} // namespace zigzag
