// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <QString>

namespace zigzag {

enum class TargetKind { Model, Map, Scores, Trace, Runs, Answers, Session };

/// What a name, a file or a folder is, judged by its content: `bundled:` and `preset:` names and folders with a
/// config.json are models; a DuoAttention folder is scores; of files, those that call themselves zigzag-head-map are
/// maps, those that call themselves zigzag-trace and Chrome traces are traces, those of bench and predict are runs, and those of
/// questions (eval --out) are answers.
Result<TargetKind> classify(const QString &name);

} // namespace zigzag
