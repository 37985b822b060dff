#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate the bundled model and write its training report: TRAINING.md and TRAINING.json beside the weights.

    python3 resources/training/report_tiny.py --hardware "one GPU of type X" [--model resources/models/zigzag-tiny] [--trials 12]

Needs torch, safetensors and transformers. Asks held-out keys over nine depths with full attention and with every layer
streaming, and scores the heads: how often a head's strongest attention rests on the digit that is being copied.
"""
import argparse
import json
import pathlib
import random

import safetensors.torch
import torch

import passkey_text as text
from export_tiny import OUT, state_of
from train_tiny import CONFIG, PHASES, Tiny

LENGTHS = (256, 512, 1024, 2048)
DEPTHS = tuple(i / 8 for i in range(9))
WINDOWS = {"full attention": None, "all streaming, sink 16, recent 112": (16, 112), "all streaming, sink 16, recent 240": (16, 240)}
# The bar is stated at the full context, with sink + recent at most an eighth of it.
FOUND_AT_LEAST, STREAMING_BELOW = 0.95, 0.30


def streaming_mask(tokens: int, sink: int, recent: int, device) -> torch.Tensor:
    i, j = torch.arange(tokens, device=device)[:, None], torch.arange(tokens, device=device)[None, :]
    return (j <= i) & ((j < sink) | (i - j < recent))


@torch.no_grad()
def found(model: Tiny, length: int, depth: float, trials: int, window) -> int:
    rng, hits = random.Random(f"report/{length}/{depth}"), 0  # the same questions for every window
    for _ in range(trials):
        ids, key = text.passkey_prompt(rng, length, depth)
        whole = torch.tensor([ids + list(key.encode())], device=model.norm.device)
        mask = window and streaming_mask(whole.shape[1] - 1, *window, whole.device)
        predicted = model(whole[:, :-1], mask)[0, len(ids) - 1 :].argmax(-1)
        hits += bool((predicted == whole[0, len(ids) :]).all())
    return hits


@torch.no_grad()
def head_scores(folder: pathlib.Path, length: int, trials: int, device: str) -> torch.Tensor:
    """Retrieval score of arXiv 2404.15574 for each query head [layers, query_heads], by transformers' attention weights."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").to(device).eval()
    rng, total = random.Random("heads"), torch.zeros(CONFIG["layers"], CONFIG["query_heads"])
    for trial in range(trials):
        ids, key = text.passkey_prompt(rng, length, trial / max(1, trials - 1))
        start = 1 + bytes(ids[1:]).index(key.encode())
        steps = range(len(ids) - 1, len(ids) - 1 + len(key))
        attention = model(torch.tensor([ids + list(key.encode())], device=device), output_attentions=True).attentions
        strongest = torch.stack([a[0][:, list(steps)].argmax(-1).cpu() for a in attention])  # [layers, query_heads, digits]
        total += (strongest == start + torch.arange(len(key))).float().mean(-1)
    return total / trials


def table(header, rows) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(lines) + "\n"


def markdown(report: dict) -> str:
    run, c, depths = report["run"], CONFIG, report["depths"]
    out = ["# How zigzag-tiny was trained\n\nWritten by `resources/training/report_tiny.py`; the numbers behind it are in TRAINING.json.\n"]
    out.append(f"Llama architecture from random weights: {report['parameters']:,} parameters, {c['layers']} layers, {c['query_heads']} query and "
               f"{c['kv_heads']} KV heads of {c['head_dim']}, hidden {c['hidden_size']}, context {c['context']}, bytes as tokens. "
               "All text comes from the generator `passkey_text.py` and its grammar; keys that end in 7 are never trained on, and "
               "only such keys are asked for here.\n")
    out.append(f"`train_tiny.py --seed {run['seed']}`: {run['total']:,} steps, {run['tokens']:,} tokens, {run['seconds']:.0f} seconds on "
               f"{report['hardware']}. AdamW (0.9, 0.98), weight decay 0.05, gradient norm at most 1, loss = half the text's + the answers'.\n")
    log = run["log"]
    phases = []
    for i, (length, rows, _, repeats, density, enough) in enumerate(PHASES):
        entries = [e for e in log if e["phase"] == i]
        last = i == len(PHASES) - 1
        phases.append((i, length, rows, f"{repeats:.0%}", density, "its steps are spent" if last else f"{enough:.1%} right", entries[-1]["total"]))
    out.append("## Curriculum\n\n" + table(("phase", "length", "sequences a step", "plain repeats", "needle density", "ends when", "last logged step"), phases))
    shown = [e for n, e in enumerate(log) if n == len(log) - 1 or e["phase"] != log[n + 1]["phase"] or e["step"] % (500 if e["phase"] == len(PHASES) - 1 else 150) == 0]
    out.append("## Loss\n\n`right` is the share of answer tokens predicted right over the last 100 steps.\n\n" + table(
        ("step", "length", "text loss", "answer loss", "right", "learning rate", "seconds"),
        [(e["total"], e["length"], f"{e['text']:.3f}", f"{e['answer']:.3f}", f"{e['right']:.1%}", f"{e['lr']:.1e}", e["seconds"]) for e in shown]))
    out.append(f"## Passkeys found\n\nHeld-out keys, greedy, every digit right; {report['trials']} questions a cell, the exported BF16 weights with float32 arithmetic. "
               "Depth 0 is the beginning of the text.\n")
    for name, grid in report["found"].items():
        rows = [(length, *(f"{v / report['trials']:.0%}" for v in cells), f"**{sum(cells) / len(cells) / report['trials']:.1%}**") for length, cells in grid.items()]
        out.append(f"### {name[0].upper() + name[1:]}\n\n" + table(("length", *(f"depth {d:g}" for d in depths), "all"), rows))
    out.append(f"## Heads\n\nRetrieval score of each query head at length {report['heads']['length']} over {report['heads']['trials']} questions: how often its strongest "
               "attention rests on the digit that is being copied. Query heads 0 and 1 share KV head 0, and so on.\n\n" + table(
        ("layer", *(f"head {h}" for h in range(c["query_heads"]))),
        [(i, *(f"**{s:.2f}**" if s >= 0.5 else f"{s:.2f}" for s in row)) for i, row in enumerate(report["heads"]["scores"])]))
    strong = [f"layer {i} head {h} ({s:.2f})" for i, row in enumerate(report["heads"]["scores"]) for h, s in enumerate(row) if s >= 0.5]
    out.append(f"Retrieval heads (score of at least 0.5): {', '.join(strong) or 'none'}.\n")
    return "\n".join(out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--hardware", required=True, help="what the training ran on, in plain words")
    args.add_argument("--model", type=pathlib.Path, default=OUT)
    args.add_argument("--device", default="cpu")
    args.add_argument("--trials", type=int, default=12, help="questions per length and depth")
    args = args.parse_args()
    tensors = safetensors.torch.load_file(args.model / "model.safetensors")
    model = Tiny(CONFIG).to(args.device).eval()
    model.load_state_dict(state_of(tensors))
    file = args.model / "TRAINING.json"
    report = dict(run=json.loads(file.read_text())["run"], hardware=args.hardware, parameters=sum(t.numel() for t in tensors.values()),
                  trials=args.trials, depths=DEPTHS, found={})
    for name, window in WINDOWS.items():
        report["found"][name] = {}
        for length in LENGTHS:
            report["found"][name][length] = [found(model, length, depth, args.trials, window) for depth in DEPTHS]
            print(name, length, report["found"][name][length], flush=True)
    report["heads"] = dict(length=1024, trials=18, scores=[[round(s, 3) for s in row] for row in head_scores(args.model, 1024, 18, args.device).tolist()])
    at_full = {name: sum(grid[CONFIG["context"]]) / (len(DEPTHS) * args.trials) for name, grid in report["found"].items()}
    file.write_text(json.dumps(report, indent=1) + "\n")
    (args.model / "TRAINING.md").write_text(markdown(report))
    full, *streaming = at_full.values()
    assert full >= FOUND_AT_LEAST and max(streaming) < STREAMING_BELOW, f"the model misses its bar: {at_full}"


if __name__ == "__main__":
    main()
