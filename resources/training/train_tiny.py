#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Train zigzag-tiny from scratch: a byte-level Llama that can find a passkey anywhere in 2,048 tokens.

    python3 resources/training/train_tiny.py --run DIR [--device cpu|cuda] [--threads N] [--last-steps N]

Needs torch and numpy; resumes from DIR. Two CPU cores take hours, a GPU minutes.
A curriculum over lengths: the copying heads form on short sequences, where a step is cheap, and are then stretched.
A phase ends when its answers are right (or its steps are spent), not after a fixed time. `--last-steps` shortens the last
phase, also of a run that is resumed inside it: the learning rate falls along a cosine that ends there.
"""
import argparse
import json
import math
import pathlib
import random
import time

import torch
import torch.nn.functional as F

import passkey_text as text

CONFIG = dict(hidden_size=128, layers=8, query_heads=8, kv_heads=4, head_dim=32, intermediate_size=320,
              rope_theta=100000.0, context=2048, norm_eps=1e-5, vocabulary=text.VOCABULARY)

# length, sequences a step, most steps, share of plain repeats, needle density, answer accuracy that ends the phase
PHASES = [
    (96, 32, 8000, 0.7, 0.6, 0.80),
    (192, 20, 6000, 0.3, 0.6, 0.97),
    (384, 10, 2500, 0.2, 0.4, 0.985),
    (768, 6, 1500, 0.1, 0.3, 0.985),
    (1280, 4, 1000, 0.1, 0.2, 0.985),
    (2056, 3, 2500, 0.05, 0.15, 2.0),
]


class Block(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        d, q, kv = c["hidden_size"], c["query_heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"]
        self.c = c
        self.norm1 = torch.nn.Parameter(torch.ones(d))
        self.norm2 = torch.nn.Parameter(torch.ones(d))
        self.qkv = torch.nn.Linear(d, q + 2 * kv, bias=False)
        self.o = torch.nn.Linear(q, d, bias=False)
        self.gate_up = torch.nn.Linear(d, 2 * c["intermediate_size"], bias=False)
        self.down = torch.nn.Linear(c["intermediate_size"], d, bias=False)

    def forward(self, x, cos, sin, mask):
        c, (b, t, _) = self.c, x.shape
        h = F.rms_norm(x, x.shape[-1:], self.norm1, c["norm_eps"])
        qkv = self.qkv(h).view(b, t, -1, c["head_dim"]).transpose(1, 2)  # [batch, heads, tokens, head_dim]
        nq, nkv = c["query_heads"], c["kv_heads"]
        qk, v = qkv[:, : nq + nkv], qkv[:, nq + nkv :]
        half = c["head_dim"] // 2
        rotated = torch.cat((-qk[..., half:], qk[..., :half]), -1)
        qk = qk * cos + rotated * sin
        q, k = qk[:, :nq], qk[:, nq:]
        k, v = (z.repeat_interleave(nq // nkv, 1) for z in (k, v))
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + self.o(a.transpose(1, 2).reshape(b, t, -1))
        h = F.rms_norm(x, x.shape[-1:], self.norm2, c["norm_eps"])
        g, u = self.gate_up(h).chunk(2, -1)
        return x + self.down(F.silu(g) * u)


class Tiny(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.embed = torch.nn.Embedding(c["vocabulary"], c["hidden_size"])
        self.blocks = torch.nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = torch.nn.Parameter(torch.ones(c["hidden_size"]))
        self.head = torch.nn.Linear(c["hidden_size"], c["vocabulary"], bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                scale = 0.02 if "embed" in name else 1 / math.sqrt(p.shape[1])
                if name.endswith(("o.weight", "down.weight")):
                    scale /= math.sqrt(2 * c["layers"])
                torch.nn.init.normal_(p, std=scale)
        angle = torch.outer(torch.arange(c["context"] + 64).float(),
                            c["rope_theta"] ** (-torch.arange(0, c["head_dim"], 2).float() / c["head_dim"]))
        self.register_buffer("cos", torch.cat((angle.cos(), angle.cos()), -1), persistent=False)
        self.register_buffer("sin", torch.cat((angle.sin(), angle.sin()), -1), persistent=False)

    def forward(self, ids, mask=None):
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        return self.head(F.rms_norm(x, x.shape[-1:], self.norm, self.c["norm_eps"]))


def batch(rng, length, rows, repeats, density, device):
    ids, weight = [], []
    for _ in range(rows):
        i, w = text.repeat_sequence(rng, length) if rng.random() < repeats else text.training_sequence(rng, length, density)
        ids.append(i)
        weight.append(w)
    return torch.tensor(ids, device=device), torch.tensor(weight, device=device)


def losses(model, ids, weight):
    # On CPUs with bf16 units long sequences gain from them (attention); short ones lose more to the casts.
    with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=ids.shape[1] > 512):
        logits = model(ids[:, :-1])
    loss = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    w = weight[:, 1:].flatten()
    plain, answer = w == 1, w == 2
    right = (logits.flatten(0, 1).argmax(-1) == ids[:, 1:].flatten())[answer].float()
    return *(x.mean() if len(x) else x.new_zeros(()) for x in (loss[plain], loss[answer])), right.mean()


@torch.no_grad()
def passkeys(model, rng, length, trials, depths):
    """Share of held-out keys of which every digit is right (teacher forced: equal to greedy decoding)."""
    found = []
    for depth in depths:
        hits = 0
        for _ in range(trials):
            ids, key = text.passkey_prompt(rng, length, depth)
            full = torch.tensor([ids + list(key.encode())], device=model.embed.weight.device)
            with torch.autocast(full.device.type, dtype=torch.bfloat16):
                predicted = model(full[:, :-1])[0, len(ids) - 1 :].argmax(-1)
            hits += bool((predicted == full[0, len(ids) :]).all())
        found.append(hits / trials)
    return found


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--run", type=pathlib.Path, required=True)
    args.add_argument("--threads", type=int, default=torch.get_num_threads())
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--lr", type=float, default=2e-3)
    args.add_argument("--device", default="cpu")
    args.add_argument("--last-steps", type=int, default=PHASES[-1][2])
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.run.mkdir(parents=True, exist_ok=True)
    model = Tiny(CONFIG).to(args.device)
    print("parameters", sum(p.numel() for p in model.parameters()), flush=True)
    decay = [p for p in model.parameters() if p.dim() == 2]
    other = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([dict(params=decay, weight_decay=0.05), dict(params=other, weight_decay=0.0)],
                                  lr=args.lr, betas=(0.9, 0.98))
    state = dict(phase=0, step=0, total=0, tokens=0, seconds=0.0, log=[])
    checkpoint = args.run / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True, map_location=args.device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        state = saved["state"]
    state.update(seed=args.seed, device=args.device, last_steps=args.last_steps)
    start = time.time() - state["seconds"]
    compiled = torch.compile(model)

    def save():
        state["seconds"] = time.time() - start
        torch.save(dict(model=model.state_dict(), optimizer=optimizer.state_dict(), state=state), checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)
        torch.save(dict(model=model.state_dict(), state=state), args.run / "model.pt")

    while state["phase"] < len(PHASES):
        length, rows, most, repeats, density, enough = PHASES[state["phase"]]
        last = state["phase"] == len(PHASES) - 1
        most = args.last_steps if last else most
        window = []
        while state["step"] < most:
            # Batches are seeded by the step, so a resumed run sees what an uninterrupted one would have seen.
            rng = random.Random(f"{args.seed}/{state['phase']}/{state['step']}")
            lr = args.lr * min(1, (state["total"] + 1) / 300) * (0.6 if state["phase"] >= 3 else 1)
            lr *= min(1, (state["step"] + 1) / 50) if state["phase"] else 1
            if last:
                lr *= max(0.02, 0.5 * (1 + math.cos(math.pi * state["step"] / most)))
            for group in optimizer.param_groups:
                group["lr"] = lr
            plain, answer, right = losses(compiled, *batch(rng, length, rows, repeats, density, args.device))
            optimizer.zero_grad(set_to_none=True)
            (0.5 * plain + answer).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            state["step"] += 1
            state["total"] += 1
            state["tokens"] += rows * length
            window = [*window[-99:], right.item()] if not math.isnan(right.item()) else window
            if state["step"] % 50 == 0:
                entry = dict(phase=state["phase"], length=length, step=state["step"], total=state["total"], text=round(plain.item(), 3),
                             answer=round(answer.item(), 3), right=round(sum(window) / len(window), 4), lr=round(lr, 6),
                             seconds=round(time.time() - start))
                print(*(f"{k} {v}" for k, v in entry.items()), flush=True)
                state["log"].append(entry)
            if state["step"] % 200 == 0:
                save()
            if state["step"] % 500 == 0:
                print("  passkeys", passkeys(model, random.Random(0), min(length, 2048), 10, (0, 0.25, 0.5, 0.75, 1)), flush=True)
            if len(window) == 100 and sum(window) / 100 >= enough:
                break
        state["phase"] += 1
        state["step"] = 0
        save()
    print("done", flush=True)


if __name__ == "__main__":
    main()
