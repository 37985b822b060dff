// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QTreeView;

namespace zigzag {

/// Adds "Sort by" to the table's context menu, for whoever cannot click on its headings: a column, or, once it is by that one
/// that the table is sorted, the other way round.
void offerSorting(QTreeView &table);

} // namespace zigzag
