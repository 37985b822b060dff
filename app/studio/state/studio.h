// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/calibration_watch.h"
#include "app/studio/state/document.h"
#include "app/studio/state/job_list.h"
#include "app/studio/state/kept_results.h"
#include "app/studio/state/preferences.h"
#include "app/studio/state/run_controller.h"
#include "app/studio/state/serving_choice.h"
#include "app/studio/state/user_prompts.h"
#include "profiler/base/job_time.h"
#include "profiler/base/run_types.h"
#include "profiler/cost/cost_model.h"
#include "profiler/cost/cost_samples.h"
#include "profiler/evaluate/needle.h"
#include "profiler/jobs/command_line.h"
#include "profiler/jobs/recommend_record.h"
#include "profiler/search/quality_sweep.h"
#include "views/models/layer_selection.h"
#include "views/models/plotted_maps.h"
#include "views/models/run_list_model.h"
#include "views/models/score_sources.h"
#include "views/widgets/exhibit.h"
#include "views/widgets/message_bar.h"

#include <QTimer>
#include <memory>
#include <optional>

namespace zigzag {

/// What the window needs to know of a model that the worker holds.
struct LoadedModel {
    std::string name; ///< as it was asked for
    ModelConfig config;
    ModelShape shape;
    bool hasTokenizer = false;
    std::string device;
    bool hasChat = false; ///< a chat template that can be read
};

/// Maps and what each costs in quality, as the last sweep found them.
struct QualitySweep {
    std::vector<SweepPoint> points; ///< each with one window for all layers
    std::string engine; ///< that ran the maps; empty: ours
    QString servedAs; ///< the same in words, "as vllm runs it"
    HeadMap (*asRun)(const HeadMap &map) = nullptr; ///< what that engine makes of a map; null: nothing else
    ModelShape model; ///< that the points belong to
};

/// The names of the studio's own runs; a page brings others.
struct RunName {
    static constexpr const char *Load = "load", *Calibrate = "calibrate", *Score = "score", *Measure = "measure",
                                *Needle = "needle", *Recommend = "recommend";
};

class QualityRecords;

/// All of the window that is no widget: the document, its model, the runs and what they found, what is selected and at
/// which context. Pages read it and ask it; it speaks to them by `refreshed`.
class Studio : public QObject
{
    Q_OBJECT
public:
    Studio(std::unique_ptr<RunWorker> worker, std::unique_ptr<UserPrompts> prompts);
    ~Studio() override;

    Document &document() { return m_document; }
    RunController &runs() { return m_runs; }
    JobList &jobs() { return m_jobs; }
    PlottedMaps &plotted() { return m_plotted; }
    LayerSelection &selection() { return m_selection; }
    RunListModel &runList() { return m_runList; }
    ScoreSources &scoreSources() { return m_scoreSources; }
    UserPrompts &prompts() { return *m_prompts; }
    QualitySweep &sweep() { return m_sweep; }
    QualityRecords &qualities() { return *m_qualities; }

    /// Another document takes the window: its shape, and its model's config where that is known.
    void adopt(const ModelShape &shape, const std::optional<ModelConfig> &config);
    /// Shows at once what is known of a model that was just adopted, and marks it as kept.
    void showKept(const std::string &name);
    /// Where calibrations are kept for the next start.
    void setKeptFolder(const std::filesystem::path &folder) { m_kept.setFolder(folder); }
    void loadInBackground(const std::string &name);
    /// The model is known by its config alone: nothing is loaded, so nothing is measured; memory is exact, and a machine's
    /// profile predicts the times.
    void describe(const std::string &name);
    bool isDescribed() const { return m_isDescribed; }
    const std::string &modelName() const { return m_modelName; }
    /// What models keep keys and values in; none: their weights' own type. Another one loads the model anew: what was measured
    /// and predicted of it is of the other type.
    std::optional<DType> kvType() const { return m_kvType; }
    void setKvType(std::optional<DType> type);
    /// Who will serve the map. Memory, needles and searches are then of that engine, and say so; times and plots stay ours.
    const ServingChoice &serving() const { return m_serving; }
    void setServedBy(const std::string &engine);
    /// From here on times are those of the machine of a profile (`zigzag calibrate`), or of this one again.
    Result<void> chooseProfile(const std::filesystem::path &file);
    void useThisMachine();
    /// Empty where it is this machine.
    const std::filesystem::path &profile() const { return m_profileFile; }
    /// Refused where the model's heads cannot be dealt out to so many GPUs.
    Result<void> setConditions(int batch, int gpus, const Link &link);
    const Link &link() const { return m_link; }
    /// What this machine was calibrated to, whatever the plots speak of.
    const CostModel &costHere() const { return m_here; }
    /// What runs take from a person's preferences.
    const Preferences &preferences() const { return m_preferences; }
    void setPreferences(const Preferences &preferences) { m_preferences = preferences; }
    const std::optional<LoadedModel> &loaded() const { return m_loaded; }
    const QString &whyNotLoaded() const { return m_whyNotLoaded; }
    bool canScore() const { return m_loaded && m_loaded->hasTokenizer; }
    /// Whether such a run is on or waits, in words for a hint that would otherwise say how to start it; else empty.
    QString doing(const std::string &task) const;
    /// In plain words why there are no times of this machine; empty when there are.
    QString whyNoTimes() const;

    /// The context and the phase that bars, headline and plots speak of.
    std::int64_t context() const { return m_context; }
    /// Whether plots show the other variants of the map beside it.
    bool drawsVariants() const { return m_drawsVariants; }
    void setDrawsVariants(bool draws)
    {
        m_drawsVariants = draws;
        refreshSoon();
    }
    void setContext(std::int64_t context);
    Phase phase() const { return m_phase; }
    void setPhase(Phase phase);

    // Recommendations (studio_recommend.cpp).
    /// As far as the last one is, or as it ended; null: there is none.
    const std::shared_ptr<const jobs::RecommendRecord> &recommendation() const { return m_recommendation; }
    /// It came with the bundled model.
    bool isRecommendationKept() const { return m_isRecommendationKept; }
    /// What was planned of the one that is on, or was stopped; a sentence each.
    const QStringList &recommendPlan() const { return m_recommendPlan; }
    void beginRecommendation();
    void takeRecommendPlan(const QStringList &lines);
    /// `sources`: the orders that were found so far. Done, the recommended map becomes a variant, with the scores that it is
    /// from.
    void takeRecommendation(std::shared_ptr<const jobs::RecommendRecord> record, bool isDone,
                            const std::vector<FoundScores> &sources, std::shared_ptr<const HeadScores> scores);
    /// Of an earlier session.
    void setRecommendation(std::shared_ptr<const jobs::RecommendRecord> record);
    /// One of the maps that were tried, as a variant in front.
    void openTried(std::size_t place);

    /// What saved pictures are for.
    PaperSize paper() const { return m_paper; }
    void setPaper(PaperSize paper) { m_paper = paper; }

    // Runs (studio_runs.cpp). A page brings runs of its own with runs().enqueue.
    /// `asked`: by a person, rather than by the studio itself.
    void calibrateModel(bool asked);
    void scoreModel(bool asked);
    void measureMaps();
    void askNeedles();
    /// A job of several runs that nobody waits at: once its time is used up on a machine that others slow, runs are cut short.
    void setJobTime(const JobTime &time) { m_jobTime = time; }
    /// Whether that is so now.
    bool isHurried() const;
    /// Scores that arrive before anybody edited: the first map is Zigzag at one half rather than full.
    void takeScores(std::shared_ptr<const HeadScores> scores);

    // The command line (studio_lines.cpp).
    jobs::LineModel lineModel() const;
    /// What `--map` takes for a map: "full", the document's file where that holds it, or a file that is written for it now.
    Result<std::string> mapWord(const HeadMap &map) const;
    /// A file of scores that is written now.
    static Result<std::string> scoresWord(const HeadScores &scores);
    /// To the clipboard, and said; what there is no command for says so.
    void copyLine(const std::function<Result<std::string>()> &line);

    // What runs deliver.
    void takeCost(const CostModel &cost, std::shared_ptr<const Calibration> calibration = {});
    /// What an earlier session calibrated: predictions until this one's calibration is there, on the same machine.
    void setKeptCalibration(std::shared_ptr<const Calibration> calibration) { m_calibration = std::move(calibration); }
    /// What the cost model was fitted to, or would be; null: not known.
    const std::shared_ptr<const Calibration> &calibration() const { return m_calibration; }
    void takeRecords(const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records);
    /// `engine`: that ran the map; empty: ours.
    /// A trace that was recorded in an earlier session.
    void takeKeptTrace(RunEntry entry);
    void takeNeedles(const NamedMap &map, const NeedleResult &result, const std::string &engine = {});

    void report(const Result<void> &result);
    void say(MessageBar::Kind kind, const QString &text) { Q_EMIT said(kind, text); }
    /// What was said is out of date, and goes if it is still there.
    void takeBack(const QString &text) { Q_EMIT tookBack(text); }
    void say(const Error &error) { say(MessageBar::Kind::Error, QString::fromStdString(error.message)); }
    /// Brings every view up to date: at the end of this turn of the event loop, however often it is asked for, or now.
    void refreshSoon() { m_refresh.start(); }
    void refreshNow();
    /// Asks for a calibration once a machine that disturbed the last one has become quiet.
    CalibrationWatch &calibrationWatch() { return m_watch; }

Q_SIGNALS:
    void refreshed();
    void said(zigzag::MessageBar::Kind kind, const QString &text);
    void tookBack(const QString &text);
    void contextsChanged();
    void calibrated();
    void traceKept(const QString &name, const std::shared_ptr<const zigzag::Trace> &trace);

private:
    void connectRuns();
    /// After another model, type or machine: the cost model that the plots speak of.
    void applyCost();
    void applyServing();
    void onLoaded(const LoadedModel &model);
    void onFinished(const std::string &task, const RunOutcome &outcome);
    /// Seconds that full passes over these contexts should take, `times` each; 0 where nothing is predicted.
    double expectedSeconds(const std::vector<std::int64_t> &contexts, double times) const;
    /// After a measurement: predictions that err much are made anew.
    void calibrateIfFarOff();

    std::unique_ptr<UserPrompts> m_prompts;
    Document m_document;
    RunController m_runs;
    JobList m_jobs{m_runs};
    PlottedMaps m_plotted;
    LayerSelection m_selection;
    RunListModel m_runList;
    ScoreSources m_scoreSources;
    std::optional<FoundScores> m_partOfScores; ///< of the scoring that runs, for when it is stopped
    QualitySweep m_sweep;
    std::unique_ptr<QualityRecords> m_qualities;
    std::shared_ptr<const Calibration> m_calibration;
    KeptResults m_kept;
    std::shared_ptr<const jobs::RecommendRecord> m_recommendation;
    bool m_isRecommendationKept = false;
    QStringList m_recommendPlan;
    std::shared_ptr<const HeadScores> m_keptScores; ///< that were shown before the model was loaded
    QTimer m_refresh;
    CalibrationWatch m_watch;
    JobTime m_jobTime;
    Preferences m_preferences;
    std::string m_modelName; ///< as MODEL on the command line; empty for a map without its model
    ServingChoice m_serving;
    std::optional<DType> m_kvType;
    CostModel m_here;
    CostModel m_keptCost; ///< what stands in for it until this machine has been calibrated
    std::optional<Calibration> m_profile; ///< of another machine
    std::filesystem::path m_profileFile;
    Link m_link;
    bool m_isDescribed = false;
    std::optional<LoadedModel> m_loaded;
    QString m_whyNotLoaded; ///< after a failed or cancelled load
    std::int64_t m_context = 0;
    bool m_drawsVariants = true;
    Phase m_phase = Phase::Decode;
    PaperSize m_paper = PaperSize::Screen;
};

} // namespace zigzag
