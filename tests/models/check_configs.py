#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold `zigzag info` on published config.json files against transformers. `./dev check-configs FOLDER` runs it.

    python3 tests/models/check_configs.py --zigzag PROGRAM FOLDER [--write]

FOLDER has one folder a model, each with a config.json and nothing else. Of each: whether we run it, or why not; keys that nobody
knows here; our count of parameters, and transformers' own of the model that the same file makes on the meta device, where
weights have shapes and no memory. Of models that also see, the text part is counted. Exits with 1 where a count differs or an
accepted file has an unknown key. --write stores the table in resources/checked. Needs torch and transformers.
"""
import argparse
import datetime
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import proof

ROOT = pathlib.Path(__file__).parent.parent.parent
UNKNOWN = "not known here, and not used: "


# What transformers has no class for, and another of its models is: the same layers, in other words.
def as_granite(config: dict) -> dict:
    scales = dict(embedding_multiplier=config["scale_emb"], residual_multiplier=config["scale_depth"] / config["num_hidden_layers"] ** 0.5,
                  logits_scaling=config["hidden_size"] / config["dim_model_base"])
    return dict(config, model_type="granite", **scales)


def as_qwen2(config: dict) -> dict:
    return dict(config, model_type="qwen2")


def as_llama(config: dict) -> dict:
    return dict(config, model_type="llama", attention_bias=config.get("bias", True))


STAND_INS = dict(minicpm=as_granite, mimo=as_qwen2, internlm2=as_llama)


def parameters(transformers, torch, file: pathlib.Path) -> int:
    """Of transformers' model of a config.json, a tied head counted once; of the text part of a model that also sees."""
    values = json.loads(file.read_text())
    stand_in = STAND_INS.get(values["model_type"])
    values = stand_in(values) if stand_in else values
    text = values.get("text_config", {})
    if text and transformers.CONFIG_MAPPING[text["model_type"]] in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        tied = {"tie_word_embeddings": values["tie_word_embeddings"]} if "tie_word_embeddings" in values else {}
        values, text = dict(text, **tied), {}
    values.pop("quantization_config", None)  # the network before its weights were made smaller
    config = transformers.CONFIG_MAPPING[values.pop("model_type")].from_dict(values)
    with torch.device("meta"):
        if not text:
            return transformers.AutoModelForCausalLM.from_config(config).num_parameters()
        whole = transformers.AutoModelForImageTextToText.from_config(config)
    return whole.num_parameters() - sum(weight.numel() for weight in whole.model.visual.parameters())


def ours(zigzag: pathlib.Path, folder: pathlib.Path) -> dict:
    done = subprocess.run([str(zigzag), "info", str(folder), "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        assert len(said) == 1, f"{folder.name}: a refusal is one line: {done.stderr}"
        reason = said[0].removeprefix("error: ").replace(f"{folder / 'config.json'}: ", "").split("; use a ")[0]
        return dict(refused=reason)
    info = json.loads(done.stdout)
    unknown = [note.partition(UNKNOWN)[2] for note in info["notes"] if UNKNOWN in note]
    return dict(family=info["family"], parameters=info["parameters"], unknown=", ".join(unknown))


def row(zigzag, transformers, torch, folder: pathlib.Path) -> dict:
    found = ours(zigzag, folder)
    if "refused" in found:
        return found
    try:
        found["theirs"] = parameters(transformers, torch, folder / "config.json")
    except Exception as error:  # whatever transformers cannot make of the file is a line of the table
        found["failed"] = str(error).strip().splitlines()[-1][:200]
    return found


def is_right(found: dict) -> bool:
    return "refused" in found or (found.get("theirs") == found["parameters"] and not found["unknown"])


def table(rows: dict) -> list[str]:
    lines = ["| config | we say | keys unknown | our parameters | transformers' | equal |", "|---|---|---|---|---|---|"]
    for name, found in rows.items():
        if "refused" in found:
            lines.append(f"| {name} | refused: {found['refused'].replace('|', chr(92) + '|')} |  |  |  |  |")
            continue
        theirs = f"{found['theirs']:,}" if "theirs" in found else f"none: {found['failed']}"
        lines.append(f"| {name} | runs, as {found['family']} | {found['unknown'] or 'none'} | {found['parameters']:,} | {theirs} | "
                     f"{'yes' if found.get('theirs') == found['parameters'] else 'NO'} |")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--zigzag", type=pathlib.Path, required=True)
    arguments.add_argument("--write", action="store_true", help="store the table in resources/checked/configs.md")
    args = arguments.parse_args()
    import torch
    import transformers
    transformers.logging.set_verbosity_error()
    rows = {}
    for file in sorted(args.folder.glob("*/config.json"), key=lambda path: path.parent.name.lower()):
        proof.say(file.parent.name)
        rows[file.parent.name] = row(args.zigzag, transformers, torch, file.parent)
    run = sum("refused" not in found for found in rows.values())
    text = "\n".join([
        "# Published configs", "",
        f"{len(rows)} config.json files as their publishers have them, {datetime.date.today()}, by `./dev check-configs`: {run} run, "
        f"{len(rows) - run} are refused. Parameters: ours by `zigzag info`, and those of transformers {transformers.__version__}, whose "
        "model of the same file is made without memory; of models that also see, those of the text part. MiniCPM, MiMo and InternLM2, "
        "which transformers has no class for, are counted as its Granite, its Qwen2 and its Llama, whose layers they have.", "", *table(rows)]) + "\n"
    print(text, end="")
    if args.write:
        (ROOT / "resources" / "checked" / "configs.md").write_text(text)
    wrong = [name for name, found in rows.items() if not is_right(found)]
    if wrong:
        raise SystemExit(f"not as transformers has it: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
