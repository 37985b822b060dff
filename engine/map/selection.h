// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/penalty.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zigzag {

/// Units that were chosen, in ascending order, and the decisions between equal ones: for each group of equal units of which
/// some were chosen and some not, its size less one. Of equal units the lower index is chosen.
struct Selection {
    std::vector<std::size_t> chosen;
    int ties = 0;
    std::vector<std::size_t> tied; ///< the units of these groups, in ascending order
};

/// The `count` units with the least penalty; count <= penalties.size().
Selection leastPenalties(const std::vector<Penalty> &penalties, std::size_t count);

/// The units with the least total penalty (none is below 0) among those whose savings add up to `need` at least. Exact: the
/// 0/1 knapsack, solved by dynamic programming over undominated (saving, penalty) pairs with a linear bound (Nemhauser and
/// Ullmann 1969; Martello and Toth 1990, chapter 2). Units that save nothing are never chosen. The savings of all units must
/// add up to `need` at least. Fails, rather than exhaust memory, on an instance of millions of undominated pairs.
Result<Selection> leastPenaltySaving(const std::vector<Penalty> &penalties, const std::vector<std::int64_t> &savings,
                                     std::int64_t need);

} // namespace zigzag
