// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <QString>

namespace zigzag {

enum class TargetKind { Model, Map, Scores, Trace, Runs, Answers, Session, Profile };

/// What a name, a file or a folder is, judged by its content: `bundled:` and `preset:` names and folders with a
/// config.json are models, and so is that file itself; a DuoAttention folder is scores; of files, those that call themselves
/// zigzag-head-map are maps, those that call themselves zigzag-trace and Chrome traces are traces, those of bench and predict are
/// runs, those of questions (eval --out) answers, and those of calibrate machine profiles.
Result<TargetKind> classify(const QString &name);

/// What to load where a model was named: of a config.json its folder, of everything else the name itself.
QString modelNameOf(const QString &name);

} // namespace zigzag
