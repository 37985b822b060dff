// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag-head-scores, DuoAttention TSV and Retrieval_Head JSON, told apart by content.
#include "engine/map/checks.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/score_formats.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(head_scores)
{
    using namespace zigzag;
    for (const std::optional<ModelShape> &model :
         {std::optional<ModelShape>{}, std::optional<ModelShape>{ModelShape{"m", 2, 4, 2, 8, "sha256:00"}}})
        for (const Fold fold : {Fold::Max, Fold::Mean}) {
            const auto scores = parseScores(input, {"input", "name", model, fold});
            if (scores)
                test::require(checkScores(*scores, "result").has_value());
        }
}
