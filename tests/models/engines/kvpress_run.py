# SPDX-License-Identifier: GPL-3.0-or-later
"""kvpress answers greedily with the press that we export, and so does transformers with the map's keys masked by ourselves: the
press reads the prompt with full attention and lets heads stream only afterwards, which no map of ours does throughout. Arguments:
a JSON object; prints one. The press is a snippet of Python, written by our own program."""
import importlib.metadata
import json
import runpy
import sys

import torch
import transformers

asked = json.loads(sys.argv[1])
torch.set_num_threads(asked["threads"])
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
press = runpy.run_path(asked["press"])["ZigzagPress"]()
model = transformers.AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32, attn_implementation="sdpa").eval()
prompt = torch.tensor([asked["prompt"]])
layers = [layer.self_attn for layer in model.model.layers]


def decode(logits, cache):
    tokens, logprobs = [], []
    with torch.no_grad():
        for step in range(asked["new"]):
            tokens.append(int(logits.argmax()))
            logprobs.append(float(torch.log_softmax(logits.double(), 0)[tokens[-1]]))
            logits = model(torch.tensor([tokens[-1:]]), past_key_values=cache).logits[0, -1]
    return tokens, logprobs


cache = transformers.DynamicCache(config=model.config)
with torch.no_grad(), press(model):
    logits = model(prompt, past_key_values=cache).logits[0, -1]
masked = [[len(set(layer.masked_key_indices[2][layer.masked_key_indices[1] == head].tolist())) if layer.masked_key_indices else 0
           for head in range(model.config.num_key_value_heads)] for layer in layers]
tokens, logprobs = decode(logits, cache)

# The same by a mask: a model that kvpress never touched, whose attention adds the map's own mask while it decodes.
hidden = slice(asked["sink"], len(asked["prompt"]) - asked["recent"])
plain = transformers.integrations.sdpa_attention.sdpa_attention_forward


def masking(module, query, key, value, attention_mask, **options):
    mask = None
    if query.shape[2] == 1:
        mask = torch.zeros(1, query.shape[1], 1, key.shape[2])
        groups = query.shape[1] // key.shape[1]
        for head, letter in enumerate(asked["heads"][module.layer_idx]):
            if letter == "S":
                mask[:, head * groups:(head + 1) * groups, :, hidden] = -torch.inf
    return plain(module, query, key, value, mask if mask is not None else attention_mask, **options)


transformers.AttentionInterface.register("zigzag_mask", masking)
transformers.AttentionMaskInterface.register("zigzag_mask", transformers.masking_utils.sdpa_mask)
model = transformers.AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32, attn_implementation="sdpa").eval()
cache = transformers.DynamicCache(config=model.config)
with torch.no_grad():
    logits = model(prompt, past_key_values=cache).logits[0, -1]
model.set_attn_implementation("zigzag_mask")
steps = [torch.log_softmax(logits.double(), 0)]
with torch.no_grad():
    for token in tokens[:-1]:
        row = model(torch.tensor([[token]]), past_key_values=cache).logits[0, -1]
        steps.append(torch.log_softmax(row.double(), 0))
reference = [dict(chosen=int(row.argmax()), logprob=float(row[token])) for row, token in zip(steps, tokens)]
print(json.dumps(dict(version=importlib.metadata.version("kvpress"), ran=type(model).__name__, tokens=tokens, logprobs=logprobs,
                      masked=masked, reference=reference)))
