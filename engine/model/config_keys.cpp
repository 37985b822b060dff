// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/config_keys.h"

#include "engine/model/family.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <span>
#include <vector>

namespace zigzag {

namespace {

using json::Value;
using Names = std::span<const std::string_view>;

/// Keys that the parts of parseModelConfig read.
constexpr std::string_view readKeys[] = {"model_type",
                                         "num_hidden_layers",
                                         "hidden_size",
                                         "num_attention_heads",
                                         "num_key_value_heads",
                                         "head_dim",
                                         "intermediate_size",
                                         "vocab_size",
                                         "max_position_embeddings",
                                         "hidden_act",
                                         "rms_norm_eps",
                                         "tie_word_embeddings",
                                         "torch_dtype",
                                         "dtype",
                                         "eos_token_id",
                                         "rope_theta",
                                         "rope_scaling",
                                         "rope_parameters",
                                         "partial_rotary_factor",
                                         "original_max_position_embeddings",
                                         "quantization_config",
                                         "layer_types"};

/// Keys of published files, and of transformers' base classes, that say nothing of the network that a prompt runs through:
/// training, labels, tokens, the memory and the history of the file, limits that other programs put on a run.
constexpr std::string_view harmlessKeys[]
    = {"_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_flash_attn_2_enabled", "_from_model_config",
       "_name_or_path", "architectures", "attention_dropout", "attention_probs_dropout_prob", "attn_implementation", "attn_pdrop",
       "bos_token", "bos_token_id", "chunk_size_feed_forward", "classifier_dropout", "context_window_size",
       "cross_attention_hidden_size", "decoder_start_token_id", "embd_pdrop", "eos_token", "ffn_dim_multiplier",
       "finetuning_task", "gradient_checkpointing", "hidden_dropout", "hidden_dropout_prob", "id2label", "initializer_range",
       "is_decoder", "is_llama_config", "keys_to_ignore_at_inference", "label2id", "language", "license", "max_batch_size",
       "model_max_length", "multiple_of", "name_or_path", "neftune_noise_alpha", "num_labels", "output_attentions",
       "output_hidden_states", "output_router_logits", "output_scores", "pad_token", "pad_token_id", "prefill_chunk_size",
       "prefix", "pretraining_tp", "problem_type", "resid_pdrop", "return_dict", "sep_token_id", "summary_activation",
       "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "task_specific_params",
       "tensor_parallel_size", "tf_legacy_loss", "tie_encoder_decoder", "tokenizer_class", "tokenizer_model", "torchscript",
       "transformers.js_config", "transformers_version", "unk_token_id", "unsloth_fixed", "unsloth_version", "use_bfloat16",
       "use_cache", "use_flash_attn", "use_flash_attention", "use_flash_attention_2",
       // How text is generated, which older files say here as well.
       "bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping",
       "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id",
       "length_penalty", "max_length", "max_new_tokens", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams",
       "num_return_sequences", "remove_invalid_values", "repetition_penalty", "return_dict_in_generate", "suppress_tokens",
       "temperature", "top_k", "top_p", "typical_p"};

/// What a key that changes the network says where it changes nothing; null always does.
enum class Off { Empty, One, True }; // Empty: false, 0, "", [] or {}

struct Switch {
    std::string_view key;
    Off off;
};

/// Keys of model files that stand for something which no family's forward pass has, unless it reads the key itself.
constexpr Switch switches[] = {
    // code of the model's own
    {"auto_map", Off::Empty},
    {"per_layer_config", Off::Empty},
    {"block_configs", Off::Empty},
    {"layer_configs", Off::Empty},
    {"pruned_heads", Off::Empty},
    {"text_config", Off::Empty},
    {"vision_config", Off::Empty},
    {"audio_config", Off::Empty},
    {"compression_config", Off::Empty},
    {"quantization", Off::Empty},
    // which keys a query sees
    {"is_causal", Off::True},
    {"causal", Off::True},
    {"use_bidirectional_attention", Off::Empty},
    {"bidirectional", Off::Empty},
    {"is_encoder_decoder", Off::Empty},
    {"add_cross_attention", Off::Empty},
    {"cross_attention_layers", Off::Empty},
    {"dual_chunk_attention_config", Off::Empty},
    {"attention_chunk_size", Off::Empty},
    {"chunk_attention_size", Off::Empty},
    {"sliding_window_pattern", Off::Empty},
    {"sliding_window_layers", Off::Empty},
    {"interleaved_sliding_window", Off::Empty},
    {"window_size", Off::Empty},
    {"window_layers", Off::Empty},
    {"local_attention_window", Off::Empty},
    {"attention_window_size", Off::Empty},
    {"attention_types", Off::Empty},
    {"attention_pattern", Off::Empty},
    {"sparse_attention_config", Off::Empty},
    {"use_sparse_attention", Off::Empty},
    {"index_topk", Off::Empty},
    {"attention_sink", Off::Empty},
    {"attention_sinks", Off::Empty},
    {"use_attention_sinks", Off::Empty},
    {"sinks", Off::Empty},
    {"add_swa_attention_sink_bias", Off::Empty},
    {"add_full_attention_sink_bias", Off::Empty},
    // positions
    {"use_rope", Off::True},
    {"no_rope_layers", Off::Empty},
    {"no_rope_layer_interval", Off::Empty},
    {"nope_layer_interval", Off::Empty},
    {"rope_interleaved", Off::Empty},
    {"rope_interleave", Off::Empty},
    {"rotary_interleaved", Off::Empty},
    {"rotary_pct", Off::One},
    {"rope_pct", Off::One},
    {"rotary_percent", Off::One},
    {"rope_local_base_freq", Off::Empty},
    {"local_rope_theta", Off::Empty},
    {"global_rope_theta", Off::Empty},
    {"use_mrope", Off::Empty},
    {"alibi", Off::Empty},
    {"use_alibi", Off::Empty},
    {"alibi_bias_max", Off::Empty},
    // how scores, logits and residuals are scaled
    {"logits_scaling", Off::One},
    {"logit_scale", Off::One},
    {"logits_scale", Off::One},
    {"output_logit_scale", Off::One},
    {"embedding_scale", Off::One},
    {"embed_scale", Off::One},
    {"scale_emb", Off::One},
    {"scale_depth", Off::One},
    {"residual_scale", Off::One},
    {"softmax_scale", Off::One},
    {"attention_scale", Off::One},
    {"attn_scale", Off::One},
    {"dim_model_base", Off::Empty},
    {"query_pre_attn_scalar", Off::Empty},
    {"attn_temperature_tuning", Off::Empty},
    {"scale_embedding", Off::Empty},
    {"scale_attn_by_inverse_layer_idx", Off::Empty},
    {"clip_qkv", Off::Empty},
    {"use_mup", Off::Empty},
    {"mup_base_width", Off::Empty},
    // norms, biases, gates
    {"qk_norm", Off::Empty},
    {"use_qk_norm", Off::Empty},
    {"qk_layernorm", Off::Empty},
    {"use_qk_layernorm", Off::Empty},
    {"sandwich_norm", Off::Empty},
    {"use_post_norm", Off::Empty},
    {"post_norm", Off::Empty},
    {"qkv_bias", Off::Empty},
    {"use_qkv_bias", Off::Empty},
    {"use_bias", Off::Empty},
    {"bias", Off::Empty},
    {"add_bias_linear", Off::Empty},
    {"attention_out_bias", Off::Empty},
    {"attention_output_bias", Off::Empty},
    {"lm_head_bias", Off::Empty},
    {"attn_output_gate", Off::Empty},
    {"attention_output_gate", Off::Empty},
    {"gated_attention", Off::Empty},
    {"parallel_attn", Off::Empty},
    {"use_parallel_residual", Off::Empty},
    {"parallel_residual", Off::Empty},
    // heads and layers of other kinds
    {"cla_share_factor", Off::Empty},
    {"use_cla", Off::Empty},
    {"num_kv_shared_layers", Off::Empty},
    {"v_head_dim", Off::Empty},
    {"qk_rope_head_dim", Off::Empty},
    {"qk_nope_head_dim", Off::Empty},
    {"moe_intermediate_size", Off::Empty}};

/// The same by a part of the name: each model that scales something has its own word before it.
constexpr Switch parts[]
    = {{"multiplier", Off::One},  {"softcap", Off::Empty},          {"soft_cap", Off::Empty},   {"experts", Off::Empty},
       {"lora_rank", Off::Empty}, {"linear_attention", Off::Empty}, {"linear_attn", Off::Empty}};

/// Names of keys that some families read (Family::keys); for the others see below.
constexpr std::string_view familyKeys[]
    = {"attention_bias", "mlp_bias", "sliding_window", "use_sliding_window", "max_window_layers"};

bool contains(Names names, std::string_view key)
{
    return std::find(names.begin(), names.end(), key) != names.end();
}

bool isOff(const Value &value, Off off)
{
    if (value.is_null())
        return true;
    switch (off) {
    case Off::One:
        return value.is_number() && value.get<double>() == 1;
    case Off::True:
        return value.is_boolean() && value.get<bool>();
    case Off::Empty:
        break;
    }
    return value == false || (value.is_string() && value.get_ref<const std::string &>().empty())
        || (value.is_number() && value.get<double>() == 0) || (value.is_structured() && value.empty());
}

std::optional<Off> switchOf(std::string_view key)
{
    for (const Switch &known : switches)
        if (key == known.key)
            return known.off;
    for (const Switch &known : parts)
        if (key.find(known.key) != std::string_view::npos)
            return known.off;
    return std::nullopt;
}

/// A key that another family reads, and transformers' class of this one has no member for.
Result<void> checkForeignKey(ModelConfig &model, const std::string &key, const Value &value, const std::string &where)
{
    if (isOff(value, Off::Empty) || key == "max_window_layers")
        return {};
    if (key == "attention_bias" || key == "mlp_bias")
        return badInput(fmt::format("{}: {} is true, but a {} has no such biases; set it to false, or correct model_type", where,
                                    key, nameOf(*model.family)));
    model.notes.push_back(fmt::format("{}: {} is not used: a {} has no window of its own", where, key, nameOf(*model.family)));
    return {};
}

} // namespace

void noteUnknownKeys(std::vector<std::string> &notes, const std::vector<std::string> &keys, const std::string &where)
{
    constexpr std::size_t mostNamed = 8;
    if (keys.empty())
        return;
    std::vector<std::string> named;
    for (const std::string &key : keys)
        if (named.size() < mostNamed)
            named.push_back(json::printable(key));
    const std::size_t more = keys.size() - named.size();
    notes.push_back(fmt::format("{}: not known here, and not used: {}{}", where, fmt::join(named, ", "),
                                more > 0 ? fmt::format(" and {} more", more) : std::string()));
}

Result<void> checkConfigKeys(ModelConfig &model, const Value &config, const std::string &where)
{
    std::vector<std::string> unknown;
    for (const auto &[key, value] : config.items()) {
        if (value.is_null() || contains(readKeys, key) || contains(harmlessKeys, key) || contains(model.family->keys, key))
            continue;
        if (contains(familyKeys, key)) {
            ZIGZAG_CHECK(checkForeignKey(model, key, value, where));
        } else if (const auto off = switchOf(key)) {
            if (!isOff(value, *off))
                return badInput(fmt::format(
                    "{}: {} is {}, which changes the network in a way that this program does not run; use a model without it",
                    where, json::printable(key), json::printable(value.dump(-1, ' ', true, Value::error_handler_t::replace))));
        } else {
            unknown.push_back(key);
        }
    }
    noteUnknownKeys(model.notes, unknown, where);
    return {};
}

} // namespace zigzag
