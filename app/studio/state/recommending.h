// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QWidget;

namespace zigzag {

class Studio;

/// The dialog that asks for a recommendation of the model that is open, and begins it: the plan follows the inputs, by the
/// model's own pace as soon as that was measured, and until then by what is predicted.
void askRecommendation(Studio &studio, QWidget *parent);

} // namespace zigzag
