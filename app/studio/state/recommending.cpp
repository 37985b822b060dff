// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/recommending.h"

#include "app/studio/state/recommend_run.h"
#include "app/studio/state/studio.h"
#include "profiler/evaluate/answered_questions.h"
#include "views/models/native_path.h"
#include "views/models/recommend_text.h"
#include "views/widgets/recommend_dialog.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QPointer>
#include <QStandardPaths>

#include <algorithm>

namespace zigzag {

namespace {

constexpr const char *paceTask = "recommend-pace";
constexpr std::int64_t smallBytes = 64 << 20;
constexpr int minutesOfSmall = 1, usualMinutes = 20;

/// How long prompts take, by the predictions that there are; none: there are none.
std::optional<jobs::Pace> predictedPace(Studio &studio)
{
    PlottedMaps &plotted = studio.plotted();
    const HeadMap *full = plotted.map(Series::Full);
    if (!full || !plotted.hasTimes() || !plotted.conditions().isHere())
        return {};
    constexpr double second = 1e3;
    const std::int64_t longer = std::min<std::int64_t>(2048, plotted.contexts().back()),
                       shorter = std::max<std::int64_t>(1, longer / 4);
    const double more = plotted.estimate(*full, Phase::Prefill, longer).ms / second / static_cast<double>(longer);
    const double less = plotted.estimate(*full, Phase::Prefill, shorter).ms / second / static_cast<double>(shorter);
    jobs::Pace pace;
    pace.perPair = longer > shorter ? std::max(0.0, (more - less) / static_cast<double>(longer - shorter)) : 0;
    pace.perToken = std::max(0.0, more - pace.perPair * static_cast<double>(longer));
    return pace;
}

/// Between the dialog and the studio, as long as the dialog is there.
class Recommending : public QObject
{
    Q_DECLARE_TR_FUNCTIONS(zigzag::Recommending)
public:
    Recommending(Studio &studio, RecommendDialog &dialog)
        : QObject(&dialog)
        , m_studio(studio)
        , m_dialog(dialog)
    {
        connect(&dialog, &RecommendDialog::changed, this, [this] { update(); });
        connect(&dialog, &RecommendDialog::promptsAsked, this, [this] {
            const QString file = m_studio.prompts().fileToOpen(&m_dialog, RecommendDialog::tr("Choose a file of questions"));
            if (!file.isEmpty())
                m_dialog.setPrompts(file);
        });
        connect(&dialog, &RecommendDialog::folderAsked, this, [this] {
            const QString folder
                = m_studio.prompts().folderToOpen(&m_dialog, RecommendDialog::tr("Choose the folder for the results"));
            if (!folder.isEmpty())
                m_dialog.setFolder(folder);
        });
        connect(&dialog, &QDialog::accepted, this, [this] { begin(); });
        connect(&studio, &Studio::refreshed, this, [this] { update(); });
        connect(&dialog, &QDialog::finished, this, [this] { m_studio.runs().drop(paceTask); });
        if (auto model = loadExportModel(studio.modelName()))
            m_model = std::make_shared<const ExportModel>(std::move(*model));
        else
            m_whyNoModel = QString::fromStdString(model.error().message);
        measurePace();
        update();
    }

private:
    void measurePace()
    {
        RunRequest request;
        request.task = paceTask;
        request.title = RecommendDialog::tr("Time a prompt");
        request.background = true;
        request.canRepeat = false;
        request.ofModel = m_studio.modelName();
        request.work = [self = QPointer<Recommending>(this)](const TaskContext &context) -> Result<void> {
            ZIGZAG_TRY(pace, jobs::measurePace(context.job, 60.0 * usualMinutes));
            context.deliver([self, pace] {
                if (!self)
                    return;
                self->m_pace = pace;
                self->update();
            });
            return {};
        };
        m_studio.runs().enqueue(std::move(request));
    }

    /// What is asked for by now. Questions are read when a file is named, and again when it is another.
    Result<jobs::RecommendRequest> request()
    {
        const RecommendDialog::Choice choice = m_dialog.choice();
        jobs::RecommendRequest request;
        request.engine = choice.engine;
        request.context = choice.context;
        request.memory = choice.memory;
        request.tpotMs = choice.tpotMs;
        request.kept = choice.kept;
        request.seconds = choice.seconds;
        if (choice.prompts != m_promptsRead) {
            m_promptsRead = choice.prompts;
            m_questions.reset();
            m_whyNoQuestions.reset();
            if (!choice.prompts.isEmpty()) {
                std::vector<std::string> notes;
                const std::vector<std::filesystem::path> files{pathOf(choice.prompts)};
                auto questions = readAllQuestions(files, notes);
                if (questions)
                    m_questions = std::make_shared<const std::vector<Question>>(std::move(*questions));
                else
                    m_whyNoQuestions = questions.error();
            }
        }
        if (m_whyNoQuestions)
            return tl::unexpected(*m_whyNoQuestions);
        request.questions = m_questions;
        if (!m_model)
            return badInput(m_whyNoModel.toStdString());
        ZIGZAG_CHECK(jobs::checkRequest(request, m_model->config));
        return request;
    }

    Result<std::vector<jobs::ServingWay>> ways(const jobs::RecommendRequest &request) const
    {
        const std::int64_t longest = std::min(request.context, m_model->config.maxContext);
        return jobs::servingWays(request.engine, *m_model, jobs::windowsFor(request, m_model->config, longest).back());
    }

    void update()
    {
        suggestFolder();
        const auto asked = request();
        if (!asked)
            return m_dialog.showPlan({}, QString::fromStdString(asked.error().message));
        const auto served = ways(*asked);
        if (!served)
            return m_dialog.showPlan({}, QString::fromStdString(served.error().message));
        if (m_studio.loaded() && !m_studio.canScore())
            return m_dialog.showPlan({}, RecommendDialog::tr("A recommendation needs a trained model with its tokenizer."));
        if (!m_studio.whyNotLoaded().isEmpty())
            return m_dialog.showPlan({}, RecommendDialog::tr("There is no model to run: %1.").arg(m_studio.whyNotLoaded()));
        const QString noFolder
            = m_dialog.choice().folder.isEmpty() ? RecommendDialog::tr("Choose a folder for the results.") : QString();
        const std::optional<jobs::Pace> pace = m_pace ? m_pace : predictedPace(m_studio);
        if (!pace)
            return m_dialog.showPlan(
                RecommendDialog::tr("What will be done, and how long it takes, is known as soon as the model is loaded and a "
                                    "prompt was timed."),
                noFolder);
        const jobs::RecommendPlan plan = jobs::planFor(*asked, m_model->config, jobs::countsOf(*served), *pace);
        m_seconds = plan.seconds.all();
        QStringList lines = planLines(*asked, plan, *served);
        lines << (m_pace ? RecommendDialog::tr("By a prompt that was timed here.")
                         : RecommendDialog::tr("By predictions, until a prompt has been timed."));
        m_dialog.showPlan(lines.join(QLatin1Char('\n')), noFolder);
    }

    /// One for each thing that can be asked, so that what was stopped goes on and nothing is written over.
    void suggestFolder()
    {
        const RecommendDialog::Choice choice = m_dialog.choice();
        const QString home = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/recommended/");
        QByteArray key = QByteArray::fromStdString(m_studio.modelName()) + '\n' + QByteArray::number(qint64(choice.context))
            + '\n' + QByteArray::number(choice.kept) + '\n' + QByteArray::number(choice.seconds) + '\n' + choice.prompts.toUtf8();
        if (choice.memory)
            key += "\nmemory " + QByteArray::number(qint64(*choice.memory));
        if (choice.tpotMs)
            key += "\ntime " + QByteArray::number(*choice.tpotMs);
        constexpr int digits = 8;
        const QString hash = QString::fromLatin1(QCryptographicHash::hash(key, QCryptographicHash::Sha256).toHex().left(digits));
        const QString model = m_model ? QString::fromStdString(m_model->config.name) : QStringLiteral("model");
        m_dialog.suggestFolder(home + QStringLiteral("%1-%2-%3").arg(model, QString::fromStdString(choice.engine), hash));
    }

    void begin()
    {
        auto asked = request();
        if (!asked)
            return m_studio.say(asked.error());
        const RecommendDialog::Choice choice = m_dialog.choice();
        std::error_code none;
        asked->progressFolder = std::filesystem::absolute(pathOf(choice.folder), none);
        RecommendAsked run{std::move(*asked), m_model, {}, m_seconds};
        if (!choice.prompts.isEmpty())
            run.promptFiles.push_back(std::filesystem::absolute(pathOf(choice.prompts), none).string());
        recommendInStudio(m_studio, std::move(run));
    }

    Studio &m_studio;
    RecommendDialog &m_dialog;
    std::shared_ptr<const ExportModel> m_model; ///< null: it cannot be read
    QString m_whyNoModel;
    std::optional<jobs::Pace> m_pace; ///< measured
    QString m_promptsRead;
    std::shared_ptr<const std::vector<Question>> m_questions;
    std::optional<Error> m_whyNoQuestions;
    double m_seconds = 0;
};

} // namespace

void askRecommendation(Studio &studio, QWidget *parent)
{
    const auto &config = studio.plotted().config();
    RecommendDialog::Start start;
    start.model = QString::fromStdString(studio.modelName());
    start.longest = config ? config->maxContext : studio.context();
    start.engine = std::string(jobs::ourEngine);
    start.minutes = config && config->weightBytes() <= smallBytes ? minutesOfSmall : usualMinutes;
    const auto engines = jobs::recommendedEngines();
    if (const std::string &served = studio.serving().engine(); std::find(engines.begin(), engines.end(), served) != engines.end())
        start.engine = served;
    auto *dialog = new RecommendDialog(start, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    new Recommending(studio, *dialog);
    dialog->open();
}

} // namespace zigzag
