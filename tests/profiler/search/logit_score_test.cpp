// SPDX-License-Identifier: GPL-3.0-or-later
// What heads give the right answer's logit: the parts of a logit add up to it, and a head that copies has its share.
#include "engine/map/head_scores_io.h"
#include "engine/model/tensor_values.h"
#include "profiler/search/search.h"
#include "tests/model_surgery.h"
#include "tests/paths.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zigzag {
namespace {

constexpr StreamingWindow window{4, 16};

std::shared_ptr<DeviceModel> loadedFrom(const std::filesystem::path &folder)
{
    auto model = loadModel(folder.string());
    EXPECT_TRUE(model) << model.error().message;
    auto device = uploadModel(*model, *createBackend("cpu"));
    EXPECT_TRUE(device) << device.error().message;
    return *device;
}

/// Some tokens, the last three of them the answer.
TaskPrompt promptOf(int count, int vocabulary)
{
    TaskPrompt prompt;
    for (int i = 0; i < count; ++i)
        prompt.tokens.push_back((i * 37 + i / 7 + 11) % std::min(256, vocabulary));
    prompt.answers = {{count - 3, count}};
    return prompt;
}

LogitContributions partsOf(const std::shared_ptr<DeviceModel> &device, const TaskPrompt &prompt)
{
    auto parts = LogitParts::create(device, std::ssize(prompt.tokens), window);
    EXPECT_TRUE(parts) << parts.error().message;
    auto found = parts->of(prompt);
    EXPECT_TRUE(found) << found.error().message;
    return *found;
}

/// Fills the tensors whose names end so with zeros, in a file of safetensors.
int zeroTensors(const std::filesystem::path &file, const std::vector<std::string> &endings)
{
    std::string content = test::readText(file);
    std::uint64_t length = 0;
    std::memcpy(&length, content.data(), sizeof length);
    const test::Json header = test::Json::parse(content.substr(sizeof length, length));
    int zeroed = 0;
    for (const auto &[name, entry] : header.items())
        for (const std::string &ending : endings) {
            if (name.size() < ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0)
                continue;
            const auto begin = entry.at("data_offsets").at(0).get<std::size_t>(),
                       end = entry.at("data_offsets").at(1).get<std::size_t>();
            std::fill(content.begin() + static_cast<std::ptrdiff_t>(sizeof length + length + begin),
                      content.begin() + static_cast<std::ptrdiff_t>(sizeof length + length + end), '\0');
            ++zeroed;
        }
    test::writeText(file, content);
    return zeroed;
}

double sumOf(const std::vector<double> &parts)
{
    return std::accumulate(parts.begin(), parts.end(), 0.0);
}

} // namespace

TEST(LogitContributions, AddUpToTheLogitOnTheBundledModel)
{
    const auto device = *uploadModel(*loadModel("bundled:zigzag-tiny"), *createBackend("cpu"));
    const auto prompts
        = *makeTaskPrompts(*device->model, {.kinds = {TaskKind::Passkey, TaskKind::Copy}, .contexts = {300}, .depths = {0.3}});
    for (const TaskPrompt &prompt : prompts) {
        const LogitContributions found = partsOf(device, prompt);
        EXPECT_GT(found.logit, 1.0);
        EXPECT_NEAR(found.embedding + sumOf(found.layer), found.logit, 1e-4 * std::abs(found.logit));
    }
}

/// Without feed-forwards, what a layer adds is what its heads and the bias behind them add: attention of the forward pass,
/// against heads that were computed one by one.
TEST(LogitContributions, OfHeadsAreWhatAttentionAdds)
{
    // Plain; with biases; with sink logits and windows; scaled residuals; norms behind products, with capped scores and with
    // windows of the file; norms over all heads.
    for (const std::string name :
         {"llama-default", "llama-biases", "granite-swa", "granite", "gemma2", "gemma3", "olmo2", "glm4"}) {
        const test::TempFolder folder;
        std::filesystem::copy(test::sourceDir() + "/tests/fixtures/goldens/" + name, folder.path(),
                              std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
        ASSERT_GT(
            zeroTensors(folder / "model.safetensors", {"mlp.down_proj.weight", "mlp.down_proj.bias", "output_linear.weight"}), 0)
            << name;
        const auto device = loadedFrom(folder.path());
        const ModelConfig &config = device->config();
        const LogitContributions found = partsOf(device, promptOf(60, config.vocabulary));
        const double total = found.embedding + sumOf(found.layer);
        if (config.logitCap == 0) {
            EXPECT_NEAR(total, found.logit, 1e-4 * (1 + std::abs(found.logit))) << name;
        }
        double beyond = 0;
        for (int layer = 0; layer < config.layers; ++layer) {
            const auto first = found.heads.begin() + std::ptrdiff_t{layer} * config.queryHeads;
            const double heads = std::accumulate(first, first + config.queryHeads, 0.0);
            const auto at = static_cast<std::size_t>(layer);
            EXPECT_NEAR(heads + found.bias[at], found.layer[at], 1e-4 * (1 + std::abs(total))) << name << " layer " << layer;
            EXPECT_GT(std::abs(found.layer[at]), 1e-6) << name << " layer " << layer;
            for (auto head = first; head < first + config.queryHeads; ++head)
                beyond += std::abs(found.beyond[static_cast<std::size_t>(head - found.heads.begin())]);
        }
        EXPECT_GT(beyond, 0.0) << name;
    }
}

/// A head that spreads its attention evenly and writes what it saw: the numbers can be had by hand.
TEST(LogitContributions, OfAHeadByHand)
{
    const test::TempFolder folder;
    test::writeTinyModel(folder.path(), {.layers = 1});
    zeroTensors(folder / "model.safetensors", {"q_proj.weight", "down_proj.weight"}); // each key weighs the same
    const auto device = loadedFrom(folder.path());
    const Weights &weights = device->model->weights;
    const ModelConfig &config = device->config();
    TaskPrompt prompt = promptOf(50, config.vocabulary);
    prompt.answers = {{49, 50}};
    const LogitContributions found = partsOf(device, prompt);

    const auto hidden = static_cast<std::size_t>(config.hiddenSize), dim = static_cast<std::size_t>(config.headDim);
    const auto matrix = [&](WeightId id) { return floatsOf(weights.layers[0][id]); };
    const std::vector<float> embedding = floatsOf(weights.embedding), head = floatsOf(weights.head),
                             norm = matrix(WeightId::InputNorm), lastNorm = floatsOf(weights.finalNorm),
                             value = matrix(WeightId::Value), output = matrix(WeightId::Output);
    const auto normed = [&](const std::vector<double> &state, const std::vector<float> &weight) {
        double squares = 0;
        for (const double each : state)
            squares += each * each;
        std::vector<double> out;
        for (std::size_t i = 0; i < hidden; ++i)
            out.push_back(state[i] / std::sqrt(squares / static_cast<double>(hidden) + config.normEpsilon)
                          * static_cast<double>(weight[i]));
        return out;
    };
    const auto embedded = [&](int token) {
        const auto first = embedding.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(token) * hidden);
        return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(hidden));
    };
    // What query head `queryHead` writes at position 48 of what it saw in [begin, end).
    const auto written = [&](std::size_t queryHead, int begin, int end) {
        std::vector<double> out(hidden);
        for (int key = begin; key < end; ++key) {
            const std::vector<double> state = normed(embedded(prompt.tokens[static_cast<std::size_t>(key)]), norm);
            for (std::size_t d = 0; d < dim; ++d) {
                double seen = 0; // two query heads share a KV head
                for (std::size_t i = 0; i < hidden; ++i)
                    seen += static_cast<double>(value[(queryHead / 2 * dim + d) * hidden + i]) * state[i];
                for (std::size_t i = 0; i < hidden; ++i)
                    out[i] += static_cast<double>(output[i * 4 * dim + queryHead * dim + d]) * seen / 49;
            }
        }
        return out;
    };
    std::vector<double> last = embedded(prompt.tokens[48]);
    for (std::size_t queryHead = 0; queryHead < 4; ++queryHead) {
        const std::vector<double> all = written(queryHead, 0, 49);
        for (std::size_t i = 0; i < hidden; ++i)
            last[i] += all[i];
    }
    double squares = 0;
    for (const double each : last)
        squares += each * each;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(hidden) + config.normEpsilon);
    const auto towardsAnswer = [&](const std::vector<double> &state) {
        double sum = 0;
        for (std::size_t i = 0; i < hidden; ++i) {
            double mean = 0;
            for (std::size_t token = 0; token < head.size() / hidden; ++token)
                mean += static_cast<double>(head[token * hidden + i]) / static_cast<double>(config.vocabulary);
            const double own = static_cast<double>(head[static_cast<std::size_t>(prompt.tokens[49]) * hidden + i]);
            sum += state[i] * scale * static_cast<double>(lastNorm[i]) * (own - mean);
        }
        return sum;
    };
    for (std::size_t queryHead = 0; queryHead < 4; ++queryHead) {
        EXPECT_NEAR(found.heads[queryHead], towardsAnswer(written(queryHead, 0, 49)), 1e-5) << queryHead;
        // Of 49 keys a streaming head sees the first four and the last sixteen.
        EXPECT_NEAR(found.beyond[queryHead], towardsAnswer(written(queryHead, 4, 33)), 1e-5) << queryHead;
    }
    EXPECT_NEAR(found.embedding, towardsAnswer(embedded(prompt.tokens[48])), 1e-5);
}

class LogitScores : public testing::Test
{
protected:
    static SearchPlan plan()
    {
        SearchPlan plan;
        plan.method = SearchMethod::Logits;
        plan.window = {16, 64};
        plan.tasks = {.kinds = {TaskKind::Passkey}, .contexts = {300}, .depths = {0.2, 0.6}, .trials = 2, .seed = 9};
        return plan;
    }
    std::shared_ptr<const Model> model = *loadModel("bundled:zigzag-tiny");
    std::shared_ptr<DeviceModel> device = *uploadModel(model, *createBackend("cpu"));
};

TEST_F(LogitScores, AreHighestOfHeadsThatCopy)
{
    auto search = *Search::create(device, plan());
    const auto result = search.run({}, nullptr);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->complete && result->answered);
    EXPECT_EQ(result->logits.answered, 4);
    const HeadScores &scores = result->scores;
    EXPECT_EQ(scores.method, "attention-logits");
    // TRAINING.md: layers 6 and 7 copy, in KV heads 1 and 3. What they copy is the answer.
    const auto best = std::max_element(scores.scores.begin(), scores.scores.end()) - scores.scores.begin();
    EXPECT_TRUE(best / 4 == 6 || best / 4 == 7) << best;
    EXPECT_EQ(best % 2, 1) << best;
    EXPECT_EQ(*std::max_element(scores.scores.begin(), scores.scores.end()), 1.0f);
    float copying = 0, others = 0;
    for (int layer = 0; layer < 8; ++layer)
        for (int head = 0; head < 4; ++head)
            (layer >= 6 && head % 2 == 1 ? copying : others)
                += std::max(0.0f, scores.logitsBeyond[static_cast<std::size_t>(layer * 4 + head)]);
    EXPECT_GT(copying, others);

    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadScores(scores, folder / "scores.json"));
    const auto read = readHeadScores(folder / "scores.json", model->shape());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->scores, scores.scores);
    EXPECT_EQ(read->logits, scores.logits);
    EXPECT_EQ(read->logitsBeyond, scores.logitsBeyond);
}

TEST_F(LogitScores, GoOnToTheSameLastBit)
{
    const test::TempFolder folder;
    const auto file = folder / "scores.json.progress";
    auto whole = *Search::create(device, plan());
    EXPECT_GT(*whole.estimateSeconds(), 0.0);
    const auto expected = whole.run({}, nullptr);
    ASSERT_TRUE(expected);
    std::atomic<bool> cancel = false;
    auto first = *Search::create(device, plan());
    const auto part = first.run(file, &cancel, [&](double done, int) { cancel = done >= 3; });
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_EQ(part->done, 3);
    SearchPlan other = plan();
    other.window.recent = 65;
    EXPECT_FALSE(Search::create(device, other)->resumeFrom(file));
    auto second = Search::create(device, plan(), file, Begin::GoOn);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->alreadyDone(), 3);
    const auto finished = second->run(file, nullptr);
    ASSERT_TRUE(finished) << finished.error().message;
    EXPECT_EQ(finished->scores.logits, expected->scores.logits);
    EXPECT_EQ(finished->scores.scores, expected->scores.scores);
    EXPECT_EQ(finished->scores.spread, expected->scores.spread);

    for (const char *hostile :
         {R"({})", R"({"done": 5, "answered": 0, "logits": 0, "sums": [], "squares": [], "far_sums": [], "far_squares": []})",
          R"({"done": 1, "answered": 2, "logits": 0, "sums": [], "squares": [], "far_sums": [], "far_squares": []})",
          R"({"done": 1, "answered": 1, "logits": 0, "sums": [1], "squares": [1], "far_sums": [1], "far_squares": [1]})"})
        EXPECT_FALSE(LogitState::fromJson(hostile, model->shape(), 4)) << hostile;
}

TEST_F(LogitScores, NeedKeysBeyondTheWindow)
{
    SearchPlan asked = plan();
    asked.window = {16, 300};
    const auto refused = Search::create(device, asked);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("beyond 16 sink and 300 recent"), std::string::npos) << refused.error().message;
    asked = plan();
    asked.loss = SearchLoss::Answer;
    EXPECT_FALSE(Search::create(device, asked)) << "there is no loss in it";
    asked = plan();
    asked.asked = std::make_shared<const std::vector<TaskPrompt>>(
        *makeTaskPrompts(*model, {.kinds = {TaskKind::Recall}, .contexts = {300}, .depths = {0.2}}));
    auto search = Search::create(device, asked);
    ASSERT_TRUE(search) << "a person's questions are taken: " << search.error().message;
    EXPECT_EQ(search->all(), 1);
}

TEST_F(LogitScores, AFileOfThemIsNotTrusted)
{
    HeadScores scores;
    scores.model = model->shape();
    scores.method = "attention-logits";
    scores.scores.assign(32, 0.5f);
    scores.logits.assign(32, -1.5f);
    scores.logitsBeyond.assign(32, 2.5f);
    const std::string good = toJson(scores);
    const test::TempFolder folder;
    const auto reads = [&](const std::string &text) {
        test::writeText(folder / "scores.json", text);
        return readHeadScores(folder / "scores.json", model->shape()).has_value();
    };
    const auto replaced = [&](const std::string &from, const std::string &to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    EXPECT_TRUE(reads(good));
    EXPECT_FALSE(reads(replaced("-1.5", "1e31")));
    EXPECT_FALSE(reads(replaced("-1.5", "\"a\"")));
    EXPECT_FALSE(reads(replaced("-1.5, ", "")));
    EXPECT_FALSE(reads(replaced("\"logits_beyond\": [", "\"logits_beyond\": [3, ")));
    scores.logits.pop_back();
    EXPECT_FALSE(writeHeadScores(scores, folder / "no.json"));
}

} // namespace zigzag
