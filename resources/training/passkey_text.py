# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for the passkey task, from the grammar in resources/tasks/passkey.json.

The program reads the same file, so what the model was trained on and what `zigzag eval` asks are one grammar.
Keys with `key % modulus == residue` are never trained on: they are what the evaluation asks for.
"""
import json
import pathlib
import random
import re

GRAMMAR = json.loads((pathlib.Path(__file__).parents[1] / "tasks" / "passkey.json").read_text())
BOS, EOS, VOCABULARY = 256, 257, 258
_SLOT = re.compile(r"\{(\w+)\}")


def sentence(rng: random.Random) -> str:
    words = GRAMMAR["filler"]["words"]
    return _SLOT.sub(lambda slot: rng.choice(words[slot.group(1)]), rng.choice(GRAMMAR["filler"]["templates"]))


def key(rng: random.Random, held_out: bool) -> str:
    rule, digits = GRAMMAR["held_out"], GRAMMAR["digits"]
    while True:
        value = rng.randrange(10**digits)
        if (value % rule["modulus"] == rule["residue"]) == held_out:
            return f"{value:0{digits}d}"


def passkey_prompt(rng: random.Random, length: int, depth: float):
    """Evaluation: BOS + filler with one needle at `depth` of the filler + the question. Returns (ids, key)."""
    value = key(rng, held_out=True)
    needle = GRAMMAR["needle"].format(name="pass", key=value)
    question = GRAMMAR["question"].format(name="pass")
    room = length - 1 - len(needle) - len(question) - len(value) - 1
    sentences, used = [], 0
    while used + len(nxt := sentence(rng)) <= room:
        sentences.append(nxt)
        used += len(nxt)
    before, cut = round(used * depth), 0
    for s in sentences:
        if cut >= before:
            break
        cut += len(s)
    text = "".join(sentences)
    return [BOS, *(text[:cut] + needle + text[cut:] + question).encode()], value


def training_sequence(rng: random.Random, length: int, density: float):
    """Filler with needles that are asked for again and again: (ids, weight) of length + 1 tokens.

    `density` is the chance that the next sentence is a needle or a question. The weight is 2 on digits of an answer (the
    only way to know them is to look back), 1 on text, 0 on the unpredictable digits of a new needle.
    """
    ids, weight = [BOS], [0]
    known: dict[str, str] = {}
    limit = rng.choice((1, 1, 2, 4, 8))
    names = rng.sample(GRAMMAR["names"], limit)
    if rng.random() < 0.5:
        names[0] = "pass"

    def put(text: str, w: int):
        raw = text.encode()
        ids.extend(raw)
        weight.extend([w] * len(raw))

    def ask(name: str):
        put(GRAMMAR["question"].format(name=name), 1)
        put(known[name] + GRAMMAR["answer_end"], 2)
        put(" ", 1)

    # An answer at the very end, as the evaluation asks it, so that long distances are always in the batch.
    closing = len(GRAMMAR["question"]) + 24
    while len(ids) < length + 1 - closing:
        fresh = [n for n in names if n not in known]
        if rng.random() < density:
            if fresh and (not known or rng.random() < 0.4):
                name = fresh[0]
                known[name] = key(rng, held_out=False)
                head, tail = GRAMMAR["needle"].split("{key}")
                put(head.format(name=name), 1)
                put(known[name], 0)
                put(tail, 1)
            elif known:
                ask(rng.choice(list(known)))
        else:
            put(sentence(rng), 1)
    if known:
        ask(rng.choice(list(known)))
    while len(ids) < length + 1:
        put(sentence(rng), 1)
    return ids[: length + 1], weight[: length + 1]


def repeat_sequence(rng: random.Random, length: int):
    """Random letters and digits, said twice or more: the plainest task that makes copying heads."""
    alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789 "
    period = rng.randrange(8, max(9, length // 2))
    piece = bytes(rng.choice(alphabet) for _ in range(period))
    ids = [BOS, *(piece * (length // period + 2))][: length + 1]
    weight = [0] * min(period + 1, length + 1) + [2] * max(0, length - period)
    return ids, weight[: length + 1]
