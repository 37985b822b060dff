// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/widgets/exhibit.h"

#include <QPair>
#include <QString>
#include <QStringList>
#include <vector>

namespace zigzag {

class Studio;

/// A variant of the map, in a report.
struct ReportVariant {
    QString name;
    QStringList cells; ///< as variantHeadings() names them
    QString map; ///< its own file
};
QStringList variantHeadings();

/// What a colleague is handed: one file that opens in any browser and asks nothing of a network.
struct HtmlReport {
    QString title;
    QString headline; ///< what the map gains, as the window says it
    std::vector<QPair<QString, QString>> facts; ///< provenance: a name and what it is
    QString subject; ///< what is explained in particular, such as a layer that is selected; empty: nothing
    QStringList sentences; ///< what is said of it
    std::vector<Exhibit> exhibits; ///< pictures with their numbers; those without numbers yet are left out
    QString map; ///< the map's own file
    std::vector<ReportVariant> variants; ///< the one in front among them; none where it is the only one
    QStringList commands; ///< that measured what is shown
};

/// The file's text: pictures as drawings within, numbers as tables, the map itself, ready to be saved.
QString htmlOf(const HtmlReport &report);

/// What is known of the window's model, map, scores and machine.
std::vector<QPair<QString, QString>> reportFacts(Studio &studio);
/// Empty where there is one alone.
std::vector<ReportVariant> reportVariants(Studio &studio);
/// The lines of the runs that ended well, each once; files that they name are written.
QStringList reportCommands(Studio &studio);

} // namespace zigzag
