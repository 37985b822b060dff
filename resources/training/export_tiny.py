#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a trained zigzag-tiny as a Hugging Face folder in BF16, and check it against the model that was trained.

    python3 resources/training/export_tiny.py --run DIR [--out resources/models/zigzag-tiny]

Needs torch, safetensors and transformers. The run's log goes along as TRAINING.json, for report_tiny.py to add to.
"""
import argparse
import json
import pathlib
import random

import safetensors.torch
import torch

import passkey_text as text
from train_tiny import CONFIG, Tiny

OUT = pathlib.Path(__file__).parents[1] / "models" / "zigzag-tiny"
SPECIAL = {"<|bos|>": text.BOS, "<|eos|>": text.EOS}


def tensors_of(state: dict) -> dict:
    """The fused matrices of the training, split into those that a Llama folder has."""
    c = CONFIG
    q, kv, inner = c["query_heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"], c["intermediate_size"]
    out = {"model.embed_tokens.weight": state["embed.weight"], "model.norm.weight": state["norm"], "lm_head.weight": state["head.weight"]}
    for i in range(c["layers"]):
        block, layer = f"blocks.{i}.", f"model.layers.{i}."
        query, key, value = state[block + "qkv.weight"].split((q, kv, kv))
        gate, up = state[block + "gate_up.weight"].split((inner, inner))
        out |= {layer + "self_attn.q_proj.weight": query, layer + "self_attn.k_proj.weight": key,
                layer + "self_attn.v_proj.weight": value, layer + "self_attn.o_proj.weight": state[block + "o.weight"],
                layer + "mlp.gate_proj.weight": gate, layer + "mlp.up_proj.weight": up, layer + "mlp.down_proj.weight": state[block + "down.weight"],
                layer + "input_layernorm.weight": state[block + "norm1"], layer + "post_attention_layernorm.weight": state[block + "norm2"]}
    return {k: v.to(torch.bfloat16).contiguous() for k, v in out.items()}


def state_of(tensors: dict) -> dict:
    """The reverse of tensors_of, as float32: what the training's model computes with the exported weights."""
    t = {k: v.float() for k, v in tensors.items()}
    out = {"embed.weight": t["model.embed_tokens.weight"], "norm": t["model.norm.weight"], "head.weight": t["lm_head.weight"]}
    for i in range(CONFIG["layers"]):
        block, layer = f"blocks.{i}.", f"model.layers.{i}."
        out |= {block + "qkv.weight": torch.cat([t[f"{layer}self_attn.{n}_proj.weight"] for n in "qkv"]),
                block + "o.weight": t[layer + "self_attn.o_proj.weight"],
                block + "gate_up.weight": torch.cat([t[f"{layer}mlp.{n}_proj.weight"] for n in ("gate", "up")]),
                block + "down.weight": t[layer + "mlp.down_proj.weight"],
                block + "norm1": t[layer + "input_layernorm.weight"], block + "norm2": t[layer + "post_attention_layernorm.weight"]}
    return out


def byte_alphabet() -> list[str]:
    """The printable character by which byte-level BPE spells each byte (GPT-2's table)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = {b: 256 + n for n, b in enumerate(b for b in range(256) if b not in plain)}
    return [chr(moved.get(b, b)) for b in range(256)]


def tokenizer() -> dict:
    added = [dict(id=i, content=name, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) for name, i in SPECIAL.items()]
    bos = {"SpecialToken": {"id": "<|bos|>", "type_id": 0}}
    template = dict(type="TemplateProcessing", single=[bos, {"Sequence": {"id": "A", "type_id": 0}}],
                    pair=[bos, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                    special_tokens={"<|bos|>": dict(id="<|bos|>", ids=[text.BOS], tokens=["<|bos|>"])})
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=False)
    model = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
                 byte_fallback=False, ignore_merges=False, vocab={c: b for b, c in enumerate(byte_alphabet())}, merges=[])
    return dict(version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None, pre_tokenizer=byte_level,
                post_processor=template, decoder=byte_level, model=model)


def config() -> dict:
    c = CONFIG
    return dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=c["hidden_size"], intermediate_size=c["intermediate_size"],
                num_hidden_layers=c["layers"], num_attention_heads=c["query_heads"], num_key_value_heads=c["kv_heads"], head_dim=c["head_dim"],
                vocab_size=c["vocabulary"], max_position_embeddings=c["context"], hidden_act="silu", rms_norm_eps=c["norm_eps"],
                rope_theta=c["rope_theta"], rope_scaling=None, attention_bias=False, mlp_bias=False, tie_word_embeddings=False,
                bos_token_id=text.BOS, eos_token_id=text.EOS, torch_dtype="bfloat16")


def check(folder: pathlib.Path, model: Tiny):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)
    for words in ("The pass key is 12345. ", "naïve – ½ \t\n\x00 café  two  spaces 漢字 🙂"):
        assert tokens(words)["input_ids"] == [text.BOS, *words.encode()], words
        assert tokens.decode(tokens(words)["input_ids"], skip_special_tokens=True, clean_up_tokenization_spaces=False) == words
    assert tokens("<|eos|>")["input_ids"] == [text.BOS, text.EOS]
    ids = torch.tensor([text.passkey_prompt(random.Random(0), CONFIG["context"], 0.5)[0]])
    judge = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        ours, theirs = model(ids), judge(ids).logits
    difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    print(f"largest logit difference against transformers over {ids.shape[1]} tokens, float32: {difference:.1e} of the largest logit")
    assert difference < 1e-4


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--run", type=pathlib.Path, required=True)
    args.add_argument("--out", type=pathlib.Path, default=OUT)
    args = args.parse_args()
    saved = torch.load(args.run / "model.pt", weights_only=True, map_location="cpu")
    tensors = tensors_of(saved["model"])
    args.out.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(tensors, args.out / "model.safetensors", metadata=dict(format="pt"))
    files = {"config.json": config(), "tokenizer.json": tokenizer(),
             "tokenizer_config.json": dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<|bos|>", eos_token="<|eos|>",
                                           clean_up_tokenization_spaces=False, model_max_length=CONFIG["context"]),
             "generation_config.json": dict(bos_token_id=text.BOS, eos_token_id=text.EOS, do_sample=False),
             "TRAINING.json": dict(run=saved["state"])}
    for name, content in files.items():
        (args.out / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    args.out.joinpath("model.safetensors").chmod(0o644)
    model = Tiny(CONFIG).eval()
    model.load_state_dict(state_of(tensors))
    check(args.out, model)
    size = sum(f.stat().st_size for f in args.out.iterdir())
    print(f"{sum(t.numel() for t in tensors.values())} parameters, {size / 1e6:.1f} MB in {args.out}")


if __name__ == "__main__":
    main()
