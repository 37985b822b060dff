// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/html_report.h"

#include "app/studio/state/studio.h"
#include "engine/base/version.h"
#include "engine/map/map_io.h"
#include "engine/map/run_alike.h"
#include "views/models/text.h"

#include <QDateTime>
#include <QLocale>
#include <utility>

namespace zigzag {

namespace {

/// No script, nothing from elsewhere, whatever a model's name would have a browser do.
constexpr const char *head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%1</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #1c1c1c; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2em; font-size: 1.15em; }
.headline { font-size: 1.1em; padding: .6em .8em; background: #f0f4f8; border-left: 4px solid #2a6099; }
table { border-collapse: collapse; font-size: .9em; } td, th { padding: .2em .8em .2em 0; text-align: left; vertical-align: top; }
.numbers td { font-variant-numeric: tabular-nums; } tr + tr td { border-top: 1px solid #ddd; }
figure { margin: 1em 0; } figure svg { max-width: 100%; height: auto; } .scrolls { overflow-x: auto; }
pre { background: #f6f6f6; padding: .8em; overflow-x: auto; font-size: .85em; } summary { cursor: pointer; color: #2a6099; }
</style></head><body>
)";

/// Cells of one line of CSV, quotes undone.
QStringList cellsOf(const QString &line)
{
    QStringList cells;
    QString cell;
    bool isQuoted = false;
    for (qsizetype i = 0; i < line.size(); ++i) {
        const QChar letter = line[i];
        if (isQuoted && letter == QLatin1Char('"') && i + 1 < line.size() && line[i + 1] == QLatin1Char('"'))
            cell += line[i++];
        else if (letter == QLatin1Char('"'))
            isQuoted = !isQuoted;
        else if (letter == QLatin1Char(',') && !isQuoted)
            cells << std::exchange(cell, {});
        else
            cell += letter;
    }
    return cells << cell;
}

QString tableOf(const QStringList &lines)
{
    constexpr qsizetype mostRows = 500; // a report is read
    QString html = QStringLiteral("<div class=\"scrolls\"><table class=\"numbers\">\n");
    for (qsizetype row = 0; row < std::min(lines.size(), mostRows + 1); ++row) {
        const QLatin1String cell(row == 0 ? "th" : "td");
        html += QStringLiteral("<tr>");
        for (const QString &text : cellsOf(lines[row]))
            html += QStringLiteral("<%1>%2</%1>").arg(cell, text.toHtmlEscaped());
        html += QStringLiteral("</tr>\n");
    }
    html += QStringLiteral("</table></div>\n");
    if (lines.size() > mostRows + 1)
        html += QStringLiteral("<p>%1</p>\n").arg(tr("The first %1 of %2 rows.").arg(mostRows).arg(lines.size() - 1));
    return html;
}

/// The drawing alone: what stands before it is for files of their own.
QString drawing(const Exhibit &exhibit)
{
    const QString svg = QString::fromUtf8(svgOf(exhibit, exhibit.fitsAnySize ? PaperSize::Page : PaperSize::Screen));
    return svg.mid(std::max<qsizetype>(0, svg.indexOf(QLatin1String("<svg"))));
}

QString sectionOf(const Exhibit &exhibit)
{
    const QStringList lines = exhibit.csv().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    if (lines.size() < 2)
        return {}; // there is nothing in it yet
    QString name = exhibit.name;
    name[0] = name[0].toUpper();
    QString html = QStringLiteral("<h2>%1</h2>\n").arg(name.toHtmlEscaped());
    if (exhibit.isTable)
        return html + tableOf(lines);
    return html
        + QStringLiteral("<figure>%1</figure>\n<details><summary>%2</summary>%3</details>\n")
              .arg(drawing(exhibit), tr("Numbers").toHtmlEscaped(), tableOf(lines));
}

/// A table of the variants, and each one's file.
QString sectionOf(const std::vector<ReportVariant> &variants)
{
    const auto row = [](const QLatin1String &cell, const QStringList &texts) {
        QString html = QStringLiteral("<tr>");
        for (const QString &text : texts)
            html += QStringLiteral("<%1>%2</%1>").arg(cell, text.toHtmlEscaped());
        return html + QStringLiteral("</tr>\n");
    };
    QString html = QStringLiteral("<h2>%1</h2>\n<div class=\"scrolls\"><table class=\"numbers\">\n")
                       .arg(tr("Variants of the map").toHtmlEscaped());
    html += row(QLatin1String("th"), variantHeadings());
    for (const ReportVariant &each : variants)
        html += row(QLatin1String("td"), each.cells);
    html += QStringLiteral("</table></div>\n");
    for (const ReportVariant &each : variants)
        html += QStringLiteral("<details><summary>%1</summary><pre>%2</pre></details>\n")
                    .arg(tr("The file of %1").arg(each.name).toHtmlEscaped(), each.map.toHtmlEscaped());
    return html;
}

} // namespace

QStringList variantHeadings()
{
    return {
        tr("Variant"),   tr("Note"),           tr("Streaming"),          tr("They keep"), tr("Layers that differ from this map"),
        tr("KV memory"), tr("Time per token"), tr("Time to first token")};
}

QString htmlOf(const HtmlReport &report)
{
    QString html = QString::fromUtf8(head).arg(report.title.toHtmlEscaped());
    html += QStringLiteral("<h1>%1</h1>\n").arg(report.title.toHtmlEscaped());
    if (!report.headline.isEmpty())
        html += QStringLiteral("<p class=\"headline\">%1</p>\n").arg(report.headline.toHtmlEscaped());
    html += QStringLiteral("<table>\n");
    for (const auto &[name, value] : report.facts)
        html += QStringLiteral("<tr><th>%1</th><td>%2</td></tr>\n").arg(name.toHtmlEscaped(), value.toHtmlEscaped());
    html += QStringLiteral("</table>\n");
    if (!report.subject.isEmpty())
        html += QStringLiteral("<h2>%1</h2>\n").arg(report.subject.toHtmlEscaped());
    for (const QString &sentence : report.sentences)
        html += QStringLiteral("<p>%1</p>\n").arg(sentence.toHtmlEscaped());
    if (!report.variants.empty())
        html += sectionOf(report.variants);
    for (const Exhibit &exhibit : report.exhibits)
        html += sectionOf(exhibit);
    if (!report.commands.isEmpty())
        html += QStringLiteral("<h2>%1</h2>\n<pre>%2</pre>\n")
                    .arg(tr("The same from the command line").toHtmlEscaped(),
                         report.commands.join(QLatin1Char('\n')).toHtmlEscaped());
    html += QStringLiteral("<h2>%1</h2>\n<details><summary>%2</summary><pre>%3</pre></details>\n")
                .arg(tr("The map itself").toHtmlEscaped(), tr("As a file: save this text as map.json").toHtmlEscaped(),
                     report.map.toHtmlEscaped());
    return html + QStringLiteral("</body></html>\n");
}

std::vector<QPair<QString, QString>> reportFacts(Studio &studio)
{
    std::vector<QPair<QString, QString>> facts;
    const auto add = [&](const QString &name, const QString &value) {
        if (!value.isEmpty())
            facts.emplace_back(name, value);
    };
    const DocumentState &state = studio.document().state();
    const HeadMap &map = state.map;
    const ModelShape &model = map.model();
    add(tr("Model"), QString::fromStdString(studio.modelName().empty() ? model.name : studio.modelName()));
    add(tr("Weights"), studio.isDescribed() ? tr("none: by its config alone") : QString::fromStdString(model.fingerprint));
    add(tr("Shape"), tr("%1 layers of %2 KV heads").arg(map.layers()).arg(map.kvHeads()));
    if (studio.plotted().config())
        add(tr("Keys and values in"), plain(nameOf(studio.plotted().config()->kvType)));
    add(tr("Streaming"),
        tr("%1 of %2 KV heads (%3), %4 mixed layers")
            .arg(map.streamingHeads())
            .arg(model.mappableHeads())
            .arg(percentText(map.sparsity()))
            .arg(map.mixedLayers()));
    const auto window = map.oneWindow();
    add(tr("They keep"),
        window ? tr("%1 sink and %2 recent tokens").arg(window->sink).arg(window->recent) : tr("a window per layer"));
    add(tr("Chosen by"), QString::fromStdString(map.provenance().criterion));
    add(tr("From scores"), QString::fromStdString(map.provenance().scores));
    if (state.scores && map.provenance().scores.empty())
        add(tr("Scores shown"), QString::fromStdString(state.scores->method));
    add(tr("As served by"), QString::fromStdString(studio.serving().engine()));
    const PlottedMaps &plotted = studio.plotted();
    if (plotted.hasTimes()) {
        const MachineProfile &machine = plotted.cost().machine();
        add(tr("Times of"), QString::fromStdString(machine.device));
        add(tr("Predictions"),
            tr("the fit is %1 from its own passes%2")
                .arg(percentText(plotted.cost().medianFitError()),
                     plotted.cost().isReliable() ? QString() : tr("; other programs disturbed the calibration")));
        add(tr("Under"), plotted.conditionsText());
    }
    add(tr("Written"), QLocale::c().toString(QDateTime::currentDateTime(), QStringLiteral("yyyy-MM-dd HH:mm")));
    add(tr("By"), tr("Zigzag Studio, %1").arg(plain(programVersion)));
    return facts;
}

std::vector<ReportVariant> reportVariants(Studio &studio)
{
    std::vector<ReportVariant> variants;
    const Document &document = studio.document();
    const PlottedMaps &plotted = studio.plotted();
    const std::int64_t context = studio.context();
    for (int index = 0; document.variants() > 1 && index < document.variants(); ++index) {
        const MapVariant variant = document.variantAt(index);
        const HeadMap &map = variant.state.map;
        const auto window = map.oneWindow();
        int differ = 0;
        for (int layer = 0; layer < map.layers(); ++layer)
            differ += compareLayer(map, document.map(), layer) != 0 ? 1 : 0;
        const auto kv = plotted.shownKv(map, context);
        const auto time = [&](Phase phase) {
            return plotted.hasTimes()
                ? tr("%1 predicted at %2").arg(timeText(plotted.estimate(map, phase, context).ms), contextText(context))
                : QString();
        };
        variants.push_back(
            {variant.name,
             {index == document.variant() ? tr("%1 (this map)").arg(variant.name) : variant.name, variant.notes,
              percentText(map.sparsity()),
              window ? tr("%1 sink and %2 recent tokens").arg(window->sink).arg(window->recent) : tr("a window per layer"),
              QString::number(differ),
              kv ? tr("%1 at %2").arg(plotted.hasBytes() ? bytesText(*kv) : keysText(*kv), contextText(context)) : QString(),
              time(Phase::Decode), time(Phase::Prefill)},
             QString::fromStdString(toJson(map))});
    }
    return variants;
}

QStringList reportCommands(Studio &studio)
{
    QStringList lines;
    const JobList &jobs = studio.jobs();
    for (int row = 0; row < jobs.rowCount(); ++row) {
        const Job &job = jobs.job(row);
        if (job.state != Job::State::Done || !job.request.commandLine)
            continue;
        const auto line = job.request.commandLine();
        if (line && !lines.contains(QString::fromStdString(*line)))
            lines << QString::fromStdString(*line);
    }
    return lines;
}

} // namespace zigzag
