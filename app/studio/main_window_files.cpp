// SPDX-License-Identifier: GPL-3.0-or-later
// Opening, saving, exporting and checking.
#include "app/studio/html_report.h"
#include "app/studio/main_window.h"
#include "app/studio/open_target.h"
#include "app/studio/pages/inspector_page.h"
#include "app/studio/pages/map_page.h"
#include "app/studio/pages/plots_page.h"
#include "app/studio/pages/profile_page.h"
#include "app/studio/pages/questions_page.h"
#include "app/studio/pages/runs_page.h"
#include "app/studio/state/export_carried.h"
#include "app/studio/state/recommending.h"
#include "app/studio/state/server_checking.h"
#include "app/studio/state/session_keeper.h"

#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "engine/model/model.h"
#include "engine/model/resources.h"
#include "views/models/native_path.h"
#include "views/widgets/check_dialog.h"
#include "views/widgets/headline_bar.h"
#include "views/widgets/message_bar.h"

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QMimeData>
#include <QUrl>

#include <algorithm>

namespace zigzag {

namespace {

std::string nativePath(const QString &name)
{
    return pathOf(name).string();
}

QString absolutePath(const QString &name)
{
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(pathOf(name), failed);
    return failed ? name : textOfPath(path);
}

/// How the command line names the model of a map or of scores, where it comes with the program.
std::string bundledFor(const ModelShape &model)
{
    const std::vector<std::string> names = bundledNames();
    const bool known = std::find(names.begin(), names.end(), model.name) != names.end();
    return known ? "bundled:" + model.name : std::string();
}

} // namespace

bool MainWindow::open(const QString &name)
{
    const auto kind = classify(name);
    if (!kind) {
        m_recent.remove(name);
        refreshRecent();
        m_studio.say(kind.error());
        return false;
    }
    const bool opened = *kind == TargetKind::Session ? openSession(name)
        : *kind == TargetKind::Trace                 ? openTrace(name)
        : *kind == TargetKind::Runs                  ? openRuns(name)
        : *kind == TargetKind::Answers               ? openAnswers(name)
        : *kind == TargetKind::Model                 ? openModel(modelNameOf(name), true)
        : *kind == TargetKind::Profile               ? openProfile(name)
        : *kind == TargetKind::Map                   ? openMap(name)
                                                     : openScores(name);
    if (opened) {
        std::error_code none;
        m_recent.add(std::filesystem::exists(pathOf(name), none) ? absolutePath(name) : name);
        refreshRecent();
    }
    return opened;
}

bool MainWindow::openWithoutWeights(const QString &name)
{
    const auto kind = classify(name);
    if (!kind) {
        m_studio.say(kind.error());
        return false;
    }
    if (*kind != TargetKind::Model) {
        m_studio.say(MessageBar::Kind::Error,
                     tr("%1 is no model: give a folder or its config.json, a GGUF file or preset:NAME").arg(shownPath(name)));
        return false;
    }
    return openModel(modelNameOf(name), false);
}

bool MainWindow::openProfile(const QString &path)
{
    if (const auto chosen = m_studio.chooseProfile(pathOf(path)); !chosen) {
        m_studio.say(chosen.error());
        return false;
    }
    m_messages->close();
    raisePage(m_plots->objectName());
    return true;
}

bool MainWindow::openModel(const QString &name, bool withWeights)
{
    const auto config = loadModelConfig(nativePath(name), m_studio.kvType());
    if (!config) {
        m_studio.say(config.error());
        return false;
    }
    const auto runnable = hasWeights(nativePath(name));
    if (!runnable) {
        m_studio.say(runnable.error());
        return false;
    }
    if (!mayLeave())
        return false;
    m_messages->close();
    m_studio.adopt(config->shape(), *config);
    const auto [sink, recent] = defaultWindow(config->maxContext);
    document().begin(HeadMap(config->shape(), HeadKind::Retrieval, sink, recent), {});
    if (withWeights && *runnable) {
        m_studio.showKept(nativePath(name));
        m_studio.loadInBackground(nativePath(name));
    } else {
        m_studio.describe(nativePath(name));
        QStringList lines{tr("%1 is open without weights: nothing is measured or asked. KV memory is exact; for times choose a "
                             "machine profile on the page Latency and memory (zigzag calibrate writes one).")
                              .arg(shownPath(name))};
        for (const std::string &note : config->notes)
            lines << QString::fromStdString(note);
        m_studio.say(MessageBar::Kind::Note, lines.join(QLatin1Char('\n')));
    }
    m_studio.refreshNow();
    beginSession();
    return true;
}

bool MainWindow::mayLeave()
{
    return m_keeper->isKeeping() ? leaveSession() : mayLoseEdits();
}

bool MainWindow::openMap(const QString &path)
{
    auto map = readHeadMap(nativePath(path));
    if (!map) {
        m_studio.say(map.error());
        return false;
    }
    const bool fits = !m_studio.modelName().empty() && checkFits(*map, document().model(), nativePath(path)).has_value();
    if (fits && m_keeper->isKeeping() && document().isModified())
        document().duplicateVariant(shownFileName(path)); // what was there stays beside it
    else if (!(fits ? mayLoseEdits() : mayLeave()))
        return false;
    m_messages->close();
    std::shared_ptr<const HeadScores> scores;
    std::string note;
    if (fits) {
        scores = document().state().scores;
        note = fitNote(*map, document().model(), nativePath(path));
        map->setModel(document().model());
    } else {
        adoptModelOf(map->model());
    }
    document().begin(std::move(*map), nativePath(path), std::move(scores));
    if (!note.empty())
        m_studio.say(MessageBar::Kind::Note, QString::fromStdString(note));
    m_studio.refreshNow();
    beginSession();
    return true;
}

void MainWindow::adoptModelOf(const ModelShape &shape)
{
    const std::string bundled = bundledFor(shape);
    const auto config = bundled.empty() ? badInput("") : loadModelConfig(bundled, m_studio.kvType());
    const HeadMap any(shape, HeadKind::Retrieval, 0, 1);
    if (!config || !checkFits(any, config->shape(), bundled))
        return m_studio.adopt(shape, {});
    // A file of scores may not say how large a head is; the model does.
    m_studio.adopt(shape.headDim > 0 ? shape : config->shape(), *config);
    m_studio.loadInBackground(bundled);
}

bool MainWindow::openScores(const QString &path)
{
    const ModelShape &shape = document().model();
    const bool known = shape.layers > 0;
    auto scores = readHeadScores(nativePath(path), known ? std::optional(shape) : std::nullopt);
    if (!scores && known) {
        // Not for this model; perhaps for another one, which then takes the window.
        const Error unfit = scores.error();
        scores = readHeadScores(nativePath(path));
        if (!scores || (scores->model.layers == shape.layers && scores->model.kvHeads == shape.kvHeads)) {
            m_studio.say(unfit);
            return false;
        }
        if (!mayCloseModel(path, scores->model) || !mayLeave())
            return false;
        beginFor(scores->model);
    } else if (!scores) {
        m_studio.say(scores.error());
        return false;
    } else if (!known) {
        beginFor(scores->model);
    }
    m_messages->close();
    m_studio.takeScores(std::make_shared<const HeadScores>(std::move(*scores)));
    m_studio.refreshNow();
    beginSession();
    return true;
}

void MainWindow::beginFor(const ModelShape &shape)
{
    adoptModelOf(shape);
    const auto [sink, recent] = defaultWindow(plotted().contexts().back());
    document().begin(HeadMap(document().model(), HeadKind::Retrieval, sink, recent), {});
}

bool MainWindow::mayCloseModel(const QString &path, const ModelShape &other)
{
    if (m_studio.modelName().empty())
        return true;
    const QString what
        = tr("%1 has scores for %2 layers of %3 KV heads").arg(shownFileName(path)).arg(other.layers).arg(other.kvHeads);
    return m_studio.prompts().closeModel(this, what, shownPath(textOfPath(m_studio.modelName())));
}

bool MainWindow::mayLoseEdits()
{
    if (!document().isModified())
        return true;
    const QString what = document().path().empty() ? tr("The untitled map") : shownFileName(textOfPath(document().path()));
    switch (m_studio.prompts().saveFirst(this, what)) {
    case UserPrompts::Saving::Save:
        return save();
    case UserPrompts::Saving::Discard:
        return true;
    case UserPrompts::Saving::Cancel:
        return false;
    }
    return false;
}

bool MainWindow::saveTo(const QString &path)
{
    if (const auto saved = document().save(nativePath(path)); !saved) {
        m_studio.say(saved.error());
        return false;
    }
    m_recent.add(absolutePath(path));
    refreshRecent();
    return true;
}

bool MainWindow::save()
{
    return document().path().empty() ? saveAs() : saveTo(textOfPath(document().path()));
}

bool MainWindow::saveAs()
{
    const QString suggested = document().path().empty() ? QStringLiteral("head-map.json") : textOfPath(document().path());
    const QString path = m_studio.prompts().fileToSave(this, tr("Save the map"), suggested);
    return !path.isEmpty() && saveTo(path);
}

void MainWindow::exportMap()
{
    std::optional<ExportModel> model;
    if (!m_studio.modelName().empty()) {
        auto loaded = loadExportModel(m_studio.modelName());
        if (!loaded)
            return m_studio.say(loaded.error());
        model = std::move(*loaded);
    }
    const ExportModel *given = model ? &*model : nullptr;
    const auto lineTo = [this](std::string_view format, const CarriedOptions &options, const std::string &out) {
        return [this, name = std::string(format), options, out, map = document().map()]() -> Result<std::string> {
            ZIGZAG_TRY(word, m_studio.mapWord(map));
            return jobs::exportLine(word, name, m_studio.lineModel().name, out, options);
        };
    };
    const auto copyLine = [&](std::string_view format, const CarriedOptions &options) {
        m_studio.copyLine(lineTo(format, options, std::string(format) + "-export"));
    };
    const auto choice
        = m_studio.prompts().exportTo(this, document().map(), given, m_studio.canScore() ? &m_studio.runs() : nullptr, copyLine);
    if (!choice)
        return;
    if (choice->carried) {
        const auto written = [this, path = choice->path](const CarryQuality &quality) {
            m_messages->say(MessageBar::Kind::Note,
                            tr("Exported to %1. Against full attention, on other text: %2")
                                .arg(shownPath(path), QString::fromStdString(qualityText(quality))));
        };
        RunRequest request = requestFor(
            CarriedExportRun{document().map(), *model, choice->carried, choice->options, pathOf(choice->path), written});
        request.ofModel = m_studio.modelName();
        request.commandLine = lineTo(choice->carried->name, choice->options, nativePath(choice->path));
        return m_studio.runs().enqueue(std::move(request));
    }
    if (const auto written = zigzag::exportMap(*choice->format, document().map(), given, nativePath(choice->path)); !written)
        return m_studio.say(written.error());
    m_messages->say(MessageBar::Kind::Note, tr("Exported to %1").arg(shownPath(choice->path)));
}

void MainWindow::writeReport()
{
    const QString path = m_studio.prompts().fileToSave(this, tr("Write a report"), QStringLiteral("report.html"));
    if (path.isEmpty())
        return;
    HtmlReport report;
    report.title = document().map().model().name.empty()
        ? tr("A head map")
        : tr("A head map for %1").arg(QString::fromStdString(document().map().model().name));
    report.headline = m_headline->text();
    report.facts = reportFacts(m_studio);
    report.variants = reportVariants(m_studio);
    report.commands = reportCommands(m_studio);
    const auto *inspector = findChild<const InspectorPage *>();
    const LayerStory layer = inspector->told();
    report.subject = layer.title;
    report.sentences = layer.facts + inspector->toldOfPicture();
    report.map = QString::fromStdString(toJson(document().map()));
    for (const Exhibit &each : m_map->exhibits())
        report.exhibits.push_back(each);
    for (const Docked &each : m_docks)
        if (each.page != m_profile) // a timeline of a million spans is a trace file's business
            report.exhibits.insert(report.exhibits.end(), each.page->exhibits().begin(), each.page->exhibits().end());
    const QByteArray html = htmlOf(report).toUtf8();
    const std::string_view bytes(html.constData(), static_cast<std::size_t>(html.size()));
    if (const auto written = writeFileAtomically(pathOf(path), bytes); !written)
        return m_studio.say(written.error());
    m_messages->say(MessageBar::Kind::Note, tr("Wrote the report to %1").arg(shownPath(path)));
}

void MainWindow::checkServer()
{
    // Of the contexts at which times are taken: shorter ones have no room for a question, longer ones take long.
    constexpr std::int64_t least = 128, most = 8192;
    std::vector<std::int64_t> contexts = usualContexts(std::min(m_studio.loaded()->config.maxContext / 2, most));
    std::erase_if(contexts, [](std::int64_t context) { return context < least; });
    auto *dialog = new CheckDialog(m_studio.serving().engine(), std::move(contexts), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    joinChecking(*dialog, m_studio);
    dialog->open();
}

void MainWindow::recommend()
{
    if (m_studio.modelName().empty() || m_studio.isDescribed()) {
        const QString folder = m_studio.prompts().folderToOpen(this, tr("Open the folder of a model"));
        if (folder.isEmpty() || !open(folder))
            return;
    }
    if (!m_studio.modelName().empty() && !m_studio.isDescribed()) // else it was opened, and has no weights
        askRecommendation(m_studio, this);
}

bool MainWindow::openTrace(const QString &path)
{
    m_messages->close();
    if (const auto opened = m_profile->openTrace(path); !opened) {
        m_studio.say(opened.error());
        return false;
    }
    showPage(m_profile->objectName());
    return true;
}

bool MainWindow::openRuns(const QString &path)
{
    if (const auto opened = m_runs->openRuns(path); !opened) {
        m_studio.say(opened.error());
        return false;
    }
    m_messages->close();
    showPage(m_runs->objectName());
    return true;
}

bool MainWindow::openAnswers(const QString &path)
{
    if (const auto opened = m_questions->openAnswers(path); !opened) {
        m_studio.say(opened.error());
        return false;
    }
    m_messages->close();
    raisePage(QStringLiteral("questions"));
    return true;
}

void MainWindow::dragEnterEvent(QDragEnterEvent *event)
{
    const QList<QUrl> urls = event->mimeData()->urls();
    if (!urls.isEmpty() && std::all_of(urls.begin(), urls.end(), [](const QUrl &url) { return url.isLocalFile(); }))
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent *event)
{
    event->acceptProposedAction();
    for (const QUrl &url : event->mimeData()->urls())
        if (!open(textOfUrl(url)))
            return; // with its message
}

} // namespace zigzag
