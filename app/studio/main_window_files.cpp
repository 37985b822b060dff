// SPDX-License-Identifier: GPL-3.0-or-later
// Opening, saving and exporting.
#include "app/studio/main_window.h"
#include "app/studio/open_target.h"

#include "engine/map/map_io.h"
#include "engine/model/model.h"
#include "views/widgets/message_bar.h"

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileInfo>
#include <QMimeData>
#include <QUrl>

#include <algorithm>

namespace zigzag {

namespace {

std::string nativePath(const QString &name)
{
    return name.toStdString();
}

/// How the command line names the model of a map, where it comes with the program.
std::string bundledFor(const HeadMap &map)
{
    const std::vector<std::string> names = bundledNames();
    const bool known = std::find(names.begin(), names.end(), map.model().name) != names.end();
    return known ? "bundled:" + map.model().name : std::string();
}

} // namespace

bool MainWindow::open(const QString &name)
{
    const auto kind = classify(name);
    if (!kind) {
        m_recent.remove(name);
        refreshRecent();
        say(kind.error());
        return false;
    }
    const bool opened = *kind == TargetKind::Model ? openModel(name)
        : *kind == TargetKind::Map                 ? openMap(name)
                                                   : openScores(name);
    if (opened) {
        m_recent.add(QFileInfo::exists(name) ? QFileInfo(name).absoluteFilePath() : name);
        refreshRecent();
    }
    return opened;
}

void MainWindow::adopt(const ModelShape &shape, std::optional<ModelConfig> config)
{
    m_runs.cancel();
    m_loaded.reset();
    m_modelName.clear();
    m_whyNotLoaded.clear();
    m_study.setModel(shape, config);
    m_document.setModel(shape);
    refreshContexts();
}

void MainWindow::loadInBackground(const std::string &name)
{
    m_modelName = name;
    RunRequest request;
    request.kind = RunKind::Load;
    request.model = name;
    m_runs.enqueue(std::move(request));
}

bool MainWindow::openModel(const QString &name)
{
    const auto config = loadModelConfig(nativePath(name));
    if (!config) {
        say(config.error());
        return false;
    }
    if (!mayLoseEdits())
        return false;
    m_messages->close();
    adopt(config->shape(), *config);
    const auto [sink, recent] = defaultWindow(config->maxContext);
    m_document.begin(HeadMap(config->shape(), HeadKind::Retrieval, sink, recent), {});
    loadInBackground(nativePath(name));
    refreshNow();
    return true;
}

bool MainWindow::openMap(const QString &path)
{
    auto map = readHeadMap(nativePath(path));
    if (!map) {
        say(map.error());
        return false;
    }
    if (!mayLoseEdits())
        return false;
    m_messages->close();
    std::shared_ptr<const HeadScores> scores;
    const bool fits = !m_modelName.empty() && checkFits(*map, m_document.model(), path.toStdString()).has_value();
    if (fits) {
        scores = m_document.state().scores;
        map->setModel(m_document.model());
    } else {
        const std::string bundled = bundledFor(*map);
        const auto config = bundled.empty() ? badInput("") : loadModelConfig(bundled);
        if (config && checkFits(*map, config->shape(), path.toStdString())) {
            adopt(map->model(), *config);
            loadInBackground(bundled);
        } else {
            adopt(map->model(), {});
        }
    }
    m_document.begin(std::move(*map), nativePath(path), std::move(scores));
    refreshNow();
    return true;
}

bool MainWindow::openScores(const QString &path)
{
    const ModelShape &shape = m_document.model();
    const bool known = shape.layers > 0;
    auto scores = readHeadScores(nativePath(path), known ? std::optional(shape) : std::nullopt);
    if (scores) {
        const bool begins = !known;
        if (begins) {
            adopt(scores->model, {});
            const auto [sink, recent] = defaultWindow(m_study.contexts().back());
            m_document.begin(HeadMap(scores->model, HeadKind::Retrieval, sink, recent), {});
        }
        m_messages->close();
        takeScores(std::make_shared<const HeadScores>(std::move(*scores)));
        refreshNow();
        return true;
    }
    // Not for this model; perhaps for another one, which then takes the window.
    const Error unfit = scores.error();
    scores = known ? readHeadScores(nativePath(path)) : std::move(scores);
    if (!scores || (scores->model.layers == shape.layers && scores->model.kvHeads == shape.kvHeads)) {
        say(unfit);
        return false;
    }
    if (!mayLoseEdits())
        return false;
    m_messages->close();
    adopt(scores->model, {});
    const auto [sink, recent] = defaultWindow(m_study.contexts().back());
    m_document.begin(HeadMap(scores->model, HeadKind::Retrieval, sink, recent), {});
    takeScores(std::make_shared<const HeadScores>(std::move(*scores)));
    refreshNow();
    return true;
}

void MainWindow::takeScores(std::shared_ptr<const HeadScores> scores)
{
    if (!m_document.isUntouched())
        return m_document.setScores(std::move(scores));
    DocumentState state = m_document.state();
    state.scores = std::move(scores);
    m_document.beginFrom(state);
    report(m_document.assign(state.criterion, state.sparsity));
    m_document.beginFrom(m_document.state()); // a starting point, not an edit
}

bool MainWindow::mayLoseEdits()
{
    if (!m_document.isModified())
        return true;
    const QString what
        = m_document.path().empty() ? tr("The untitled map") : QString::fromStdString(m_document.path().filename().string());
    switch (m_prompts->saveFirst(this, what)) {
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
    if (const auto saved = m_document.save(nativePath(path)); !saved) {
        say(saved.error());
        return false;
    }
    m_recent.add(QFileInfo(path).absoluteFilePath());
    refreshRecent();
    return true;
}

bool MainWindow::save()
{
    return m_document.path().empty() ? saveAs() : saveTo(QString::fromStdString(m_document.path().string()));
}

bool MainWindow::saveAs()
{
    const QString suggested
        = m_document.path().empty() ? QStringLiteral("head-map.json") : QString::fromStdString(m_document.path().string());
    const QString path = m_prompts->fileToSave(this, tr("Save the map"), suggested);
    return !path.isEmpty() && saveTo(path);
}

void MainWindow::exportMap()
{
    const auto choice = m_prompts->exportTo(this, m_document.map());
    if (!choice)
        return;
    if (const auto written = choice->format->write(m_document.map(), nativePath(choice->path)); !written)
        return say(written.error());
    m_messages->say(MessageBar::Kind::Note, tr("Exported to %1").arg(choice->path));
}

void MainWindow::dragEnterEvent(QDragEnterEvent *event)
{
    const QList<QUrl> urls = event->mimeData()->urls();
    if (urls.size() == 1 && urls.first().isLocalFile())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent *event)
{
    event->acceptProposedAction();
    open(event->mimeData()->urls().first().toLocalFile());
}

} // namespace zigzag
