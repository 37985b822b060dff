// SPDX-License-Identifier: GPL-3.0-or-later
// A whole tiny model of whatever shape the input asks for: config, weights, head map, tokens; then prefill in chunks, decode,
// greedy decode, and single layers with their gradients. The fuzzer is built as users' programs are (NDEBUG), because there an
// assertion protects nothing, and every buffer is its own allocation, so that AddressSanitizer sees the first byte beyond.
#include "engine/map/kv_layout.h"
#include "engine/model/weight_plan.h"
#include "engine/run/device_model.h"
#include "engine/run/layer_pass.h"
#include "engine/run/session.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

namespace {

using namespace zigzag;
using test::require;

/// The input, a byte at a time; zeros when it has ended.
class Bytes
{
public:
    explicit Bytes(std::string_view input)
        : m_rest(input)
    { }
    int next()
    {
        if (m_rest.empty())
            return 0;
        const auto byte = static_cast<unsigned char>(m_rest.front());
        m_rest.remove_prefix(1);
        return byte;
    }
    int from(int least, int most) { return least + next() % (most - least + 1); }
    bool flip() { return next() % 2 != 0; }
    template <class T, std::size_t n> T of(const std::array<T, n> &choices)
    {
        return choices[static_cast<std::size_t>(next()) % n];
    }
    bool atEnd() const { return m_rest.empty(); }

private:
    std::string_view m_rest;
};

constexpr std::array headDims = {8, 2, 4, 6, 7, 10, 14, 16, 30, 32, 64, 66, 80, 96, 128, 130, 256, 258, 320, 512, 1024, 1026};
constexpr std::array families = {"llama", "mistral", "qwen2", "qwen3"};
constexpr std::array dtypes = {"float32", "bfloat16", "float16"};
constexpr std::array extremes = {1.0, 0.5, 2.0, 8.0, 32.0, 1e-6, 1e12, 1.0001, 4.0};

nlohmann::ordered_json ropeOf(Bytes &bytes)
{
    constexpr std::array types = {"default", "linear", "llama3", "yarn"};
    nlohmann::ordered_json rope = {{"rope_type", bytes.of(types)}, {"factor", bytes.of(extremes)}};
    if (rope["rope_type"] == "llama3") {
        rope["low_freq_factor"] = bytes.of(extremes);
        rope["high_freq_factor"] = bytes.of(extremes);
    }
    if (bytes.flip())
        rope["original_max_position_embeddings"] = bytes.from(1, 255);
    if (rope["rope_type"] == "yarn" && bytes.flip()) {
        rope["beta_fast"] = bytes.of(extremes);
        rope["beta_slow"] = bytes.of(extremes);
        rope["truncate"] = bytes.flip();
    }
    return rope;
}

std::string configOf(Bytes &bytes)
{
    constexpr std::array groups = {1, 2, 3, 4, 5, 8, 17, 40};
    constexpr std::array kvHeads = {1, 2, 3, 5, 65};
    const int kv = bytes.of(kvHeads);
    nlohmann::ordered_json config = {{"model_type", bytes.of(families)},
                                     {"torch_dtype", bytes.of(dtypes)},
                                     {"num_hidden_layers", bytes.from(1, 3)},
                                     {"num_key_value_heads", kv},
                                     {"num_attention_heads", kv * bytes.of(groups)},
                                     {"head_dim", bytes.of(headDims)},
                                     {"hidden_size", bytes.from(1, 100)},
                                     {"intermediate_size", bytes.from(1, 130)},
                                     {"vocab_size", bytes.from(1, 256)},
                                     {"max_position_embeddings", bytes.from(1, 200)},
                                     {"sliding_window", nullptr},
                                     {"hidden_act", "silu"}};
    config["rms_norm_eps"] = bytes.flip() ? 1e-5 : 0.0;
    // Biases that a family does not have are refused, which ends a run before it begins. A byte is read in any case.
    config["attention_bias"] = bytes.flip() && config["model_type"] != "mistral";
    config["mlp_bias"] = bytes.flip() && config["model_type"] == "llama";
    config["tie_word_embeddings"] = bytes.flip();
    config["rope_theta"] = bytes.flip() ? 10000.0 : std::max(1.0001, bytes.of(extremes));
    if (bytes.flip())
        config["rope_scaling"] = ropeOf(bytes);
    return config.dump();
}

void store(std::byte *to, DType type, float value)
{
    const std::uint16_t half = type == DType::F16 ? floatToF16(value) : floatToBf16(value);
    if (type == DType::F32)
        std::memcpy(to, &value, sizeof value);
    else
        std::memcpy(to, &half, sizeof half);
}

/// Small random weights, each tensor in memory of its own; `odd`: none starts where its type may.
Weights weightsOf(const ModelConfig &config, bool odd)
{
    Weights weights;
    auto storage = std::make_shared<std::vector<std::unique_ptr<std::byte[]>>>();
    std::uint32_t state = 1;
    for (const PlannedTensor &planned : planWeights(config)) {
        const std::int64_t count = planned.rows * planned.columns, size = bytesOf(config.dtype);
        storage->push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(count * size + odd)));
        std::byte *data = storage->back().get() + odd;
        const float scale = planned.role == TensorRole::Matrix ? 1.0f / std::sqrt(static_cast<float>(planned.columns)) : 0.1f;
        for (std::int64_t i = 0; i < count; ++i) {
            state = state * 1664525u + 1013904223u;
            const float value = scale * (static_cast<float>(state >> 8) / 8388608.0f - 1.0f);
            store(data + i * size, config.dtype, planned.role == TensorRole::Norm ? 1.0f + value : value);
        }
        planned.in(weights) = {data, config.dtype, planned.rows, planned.columns};
    }
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    weights.storage = std::move(storage);
    return weights;
}

/// Puts values that no training gives into a few places.
void spoil(Weights &weights, Bytes &bytes)
{
    constexpr std::array values
        = {0.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f, -1e38f, 6e4f, 1e-40f};
    const auto poke = [&](const TensorView &view) {
        if (!view)
            return;
        const std::int64_t at = (bytes.next() * 256 + bytes.next()) % (view.rows * view.columns);
        store(const_cast<std::byte *>(view.data) + at * view.type.blockBytes(), view.type.plain().value_or(DType::F32),
              bytes.of(values));
    };
    for (int count = bytes.next() % 4; count > 0; --count) {
        const LayerWeights &layer = weights.layers[static_cast<std::size_t>(bytes.next()) % weights.layers.size()];
        const std::array outside = {&weights.embedding, &weights.finalNorm, &weights.head};
        const auto which = static_cast<std::size_t>(bytes.next()) % (outside.size() + weightIds);
        poke(which < outside.size() ? *outside[which] : layer[static_cast<WeightId>(which - outside.size())]);
    }
}

HeadMap mapOf(const ModelConfig &config, Bytes &bytes)
{
    ModelShape shape = config.shape();
    if (bytes.flip())
        shape.headDim = shape.queryHeads = 0; // not known, as in a map made from bare scores
    HeadMap map(std::move(shape), bytes.flip() ? HeadKind::Streaming : HeadKind::Retrieval, bytes.next() % 40,
                1 + bytes.next() % 60);
    const int edits = bytes.next();
    for (int count = edits % 4; count > 0; --count)
        map.set(bytes.next() % config.layers, bytes.next() % config.kvHeads,
                bytes.flip() ? HeadKind::Streaming : HeadKind::Retrieval);
    if (edits >= 192) // a window for each layer
        for (int layer = 0; layer < config.layers; ++layer)
            map.setLayerWindow(layer, bytes.next() % 40, 1 + bytes.next() % 60);
    return map;
}

/// Mostly tokens of the vocabulary, now and then others.
std::vector<int> tokensOf(const ModelConfig &config, Bytes &bytes, int count)
{
    std::vector<int> tokens;
    for (int i = 0; i < count; ++i) {
        const int byte = bytes.next();
        tokens.push_back(byte == 255 ? -1 : byte == 254 ? config.vocabulary : byte % config.vocabulary);
    }
    return tokens;
}

void checkLogits(const Result<std::vector<float>> &logits, std::size_t rows, const ModelConfig &config)
{
    if (!logits)
        return;
    require(logits->size() == rows * static_cast<std::size_t>(config.vocabulary));
    require(std::all_of(logits->begin(), logits->end(), [](float value) { return std::isfinite(value); }));
}

void runSession(const std::shared_ptr<DeviceModel> &device, Bytes &bytes)
{
    const ModelConfig &config = device->config();
    const HeadMap map = mapOf(config, bytes);
    const SessionOptions options = {.maxContext = 1 + bytes.next(),
                                    .chunk = bytes.next() % 70,
                                    .mixed = static_cast<MixedMode>(bytes.next() % 3),
                                    .batch = 1 + bytes.next() % 3};
    auto created = Session::create(device, map, options);
    if (!created)
        return;
    Session &session = **created;
    HeadMap known = map;
    known.setModel(config.shape());
    require(session.kvBytesAllocated() == options.batch * kvBytes(known, options.maxContext, config.kvType));
    if (bytes.flip())
        session.setAttentionObserver([&](int, std::span<const std::int32_t> strongest) {
            for (const std::int32_t key : strongest)
                require(key >= 0 && key < options.maxContext);
        });
    constexpr std::array rows = {Session::Logits::Last, Session::Logits::All, Session::Logits::None};
    for (int call = 0; call < 4 && !bytes.atEnd(); ++call) {
        const std::vector<int> tokens = tokensOf(config, bytes, bytes.next() % 140);
        const Session::Logits wanted = bytes.of(rows);
        const auto logits = session.run(tokens, wanted, bytes.next() % options.batch);
        checkLogits(logits,
                    wanted == Session::Logits::All                           ? tokens.size()
                        : wanted == Session::Logits::Last && !tokens.empty() ? 1
                                                                             : 0,
                    config);
    }
    session.setAttentionObserver({});
    if (bytes.flip())
        session.pretend(bytes.next(), 1);
    for (int step = bytes.next() % 4; step > 0; --step)
        checkLogits(session.step(tokensOf(config, bytes, options.batch)), static_cast<std::size_t>(options.batch), config);
    const int steps = 1 + bytes.next() % 5;
    if (const auto chosen = session.continueGreedily(tokensOf(config, bytes, options.batch), steps)) {
        require(chosen->size() == static_cast<std::size_t>(steps * options.batch));
        for (const std::int32_t token : *chosen)
            require(token >= 0 && token < config.vocabulary);
    }
}

HeadPattern streamingOf(const HeadMap &map, int layer)
{
    return patternOf(HeadKind::Streaming, map.window(layer));
}

void runLayers(const std::shared_ptr<DeviceModel> &device, Bytes &bytes)
{
    const ModelConfig &config = device->config();
    const bool gradients = bytes.flip();
    const std::int64_t longest = bytes.from(1, 200);
    auto created = LayerPass::create(device, longest, gradients);
    if (!created)
        return;
    LayerPass &pass = **created;
    const std::vector<int> tokens = tokensOf(config, bytes, bytes.from(1, 120));
    const auto count = static_cast<std::int64_t>(tokens.size());
    std::vector<std::unique_ptr<Buffer>> states; // before each layer, and after the last
    for (int layer = 0; layer <= config.layers; ++layer)
        states.push_back(*pass.states());
    if (!pass.embed(tokens, *states.front()))
        return;
    const HeadMap map = mapOf(config, bytes);
    const std::vector<float> gates(static_cast<std::size_t>(config.kvHeads), static_cast<float>(bytes.next()) / 255.0f);
    for (int layer = 0; layer < config.layers; ++layer) {
        const auto at = static_cast<std::size_t>(layer);
        if (gradients)
            pass.runGated(layer, gates, streamingOf(map, layer), count, *states[at], *states[at + 1]);
        else
            pass.run(layer, map.patterns(layer), count, *states[at], *states[at + 1]);
    }
    const std::vector<std::int64_t> rows = {0, count - 1, bytes.next() % count};
    checkLogits(pass.logits(rows, *states.back()), rows.size(), config);
    const auto last = pass.lastStates(rows, *states.back());
    if (!last)
        return;
    require(std::all_of(last->begin(), last->end(), [](float value) { return std::isfinite(value); }));
    if (!gradients)
        return;
    const auto gradient = *pass.states();
    if (!pass.lastStatesGradient(rows, *states.back(), *last, count, *gradient))
        return;
    std::vector<double> gradGates(gates.size());
    for (int layer = config.layers; layer-- > 0;)
        pass.backward(layer, gates, streamingOf(map, layer), count, *states[static_cast<std::size_t>(layer)], *gradient,
                      gradGates);
}

} // namespace

ZIGZAG_FUZZ(forward)
{
    Bytes bytes(input);
    const auto config = parseModelConfig(configOf(bytes), "config.json");
    if (!config)
        return;
    require(config->headDim % 2 == 0);
    const bool odd = bytes.next() % 8 == 1;
    // What a query reads and writes is bounded, so that an input takes milliseconds.
    if (config->queryWidth() > 8192 || config->parameters() > 2'000'000)
        return;
    auto model = std::make_shared<Model>();
    model->config = *config;
    model->weights = weightsOf(*config, odd);
    spoil(model->weights, bytes);
    static const std::shared_ptr<Backend> backend = *createBackend("cpu");
    const auto device = uploadModel(model, backend);
    require(device.has_value());
    if (bytes.flip())
        runLayers(*device, bytes);
    runSession(*device, bytes);
}
