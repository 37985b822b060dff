# SPDX-License-Identifier: GPL-3.0-or-later
"""What check_models.py and check_engines.py share: steps whose results are kept, our program, maps, tables."""
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time


def say(text: str):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class NotTried(Exception):
    """A step that this machine cannot do, and why."""


class Steps:
    """Each step's result is a file in `folder`: a second run goes on where the first one ended. A step that could not be
    tried, or failed, is tried again. `only`: words that are all in the names of the steps to be run; others are what they were."""

    def __init__(self, folder: pathlib.Path, only=()):
        self.folder, self.only, self.done = folder, only, {}
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, step, *arguments) -> dict:
        file = self.folder / f"{name}.json"
        if file.exists():
            self.done[name] = json.loads(file.read_text())
            return self.done[name]
        if not all(word in name for word in self.only):
            self.done[name] = {"not_tried": "not asked of this run", "seconds": ""}
            return self.done[name]
        say(f"{name}: begins")
        begin = time.monotonic()
        try:
            result = step(*arguments)
        except NotTried as reason:
            result = {"not_tried": str(reason)}
        except Exception as error:  # whatever a step throws is a line of the table, and the others are still run
            result = {"failed": str(error).strip()}
        result["seconds"] = round(time.monotonic() - begin, 1)
        result["date"] = f"{datetime.date.today()}"
        reason = result.get("not_tried") or result.get("failed")
        if reason:
            say(f"{name}: {'not tried' if 'not_tried' in result else 'FAILED'}: {reason.splitlines()[-1]}")
        else:
            file.write_text(json.dumps(result, indent=1) + "\n")
            say(f"{name}: {result['seconds']} s")
        self.done[name] = result
        return result


def run(command: list, **options) -> str:
    """The program's standard output; its last line of complaint where it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise RuntimeError(lines[-1] if lines else f"{command[0]} ended with {done.returncode}")
    return done.stdout


def logits(zigzag: str, model, tokens: list[int], scratch: pathlib.Path, map_file="full"):
    import numpy
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "tokens.txt").write_text(" ".join(map(str, tokens)))
    run([zigzag, "logits", model, "--tokens", scratch / "tokens.txt", "--map", map_file, "--backend", "cpu", "--out",
         scratch / "logits.npy"])
    return numpy.load(scratch / "logits.npy")


def log_softmax(rows):
    import numpy
    rows = rows.astype(numpy.float64)
    top = rows.max(-1, keepdims=True)
    return rows - top - numpy.log(numpy.exp(rows - top).sum(-1, keepdims=True))


def head_map(name: str, layers: int, kv_heads: int, streams, sink: int, recent: int) -> str:
    rows = ", ".join(f'"{("S" if streams(layer) else "R") * kv_heads}"' for layer in range(layers))
    return (f'{{"format": "zigzag-head-map", "version": 1, "model": {{"name": "{name}", "layers": {layers}, '
            f'"kv_heads": {kv_heads}}},\n "sink": {sink}, "recent": {recent}, "heads": [{rows}]}}\n')


def smollm2_f32(gguf: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The GGUF file as a folder in float32, decoded by transformers."""
    import torch
    import transformers
    if not folder.exists():
        where = dict(pretrained_model_name_or_path=gguf.parent, gguf_file=gguf.name)
        read = transformers.AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
        if hasattr(read.config, "quantization_config"):
            del read.config.quantization_config
        plain = transformers.AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)  # `read` still counts as quantised
        plain.load_state_dict(read.state_dict())
        begun = folder.with_name(folder.name + ".begun")
        plain.save_pretrained(begun)
        transformers.AutoTokenizer.from_pretrained(**where).save_pretrained(begun)
        begun.rename(folder)
    return folder


def machine() -> str:
    flags = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    wide = " with AVX-512" if "avx512f" in flags else ""
    return f"{os.cpu_count()} cores, {platform.machine()}{wide}"


def commit(zigzag: str) -> str:
    return ", ".join(run([zigzag, "--version"]).splitlines()[:2])  # version and commit


def table(head: list[str], rows: list[list]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" for _ in head) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def short(reason: str) -> str:
    """One cell of a table: one line, no bar, not endless."""
    line = " ".join(reason.replace("|", "/").split())
    return line if len(line) <= 160 else line[:157] + "…"
