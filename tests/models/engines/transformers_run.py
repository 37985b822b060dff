# SPDX-License-Identifier: GPL-3.0-or-later
"""transformers answers greedily through its own cache. Arguments: a JSON object; prints one."""
import json
import sys

import torch
import transformers

asked = json.loads(sys.argv[1])
torch.set_num_threads(asked["threads"])
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
model = transformers.AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32, attn_implementation="eager").eval()
tokens, logprobs = list(asked["prompt"]), []
cache = transformers.DynamicCache(config=model.config)
with torch.no_grad():
    logits = model(torch.tensor([tokens]), past_key_values=cache).logits[0, -1]
    for step in range(asked["new"]):
        tokens.append(int(logits.argmax()))
        logprobs.append(float(torch.log_softmax(logits.double(), 0)[tokens[-1]]))
        logits = model(torch.tensor([tokens[-1:]]), past_key_values=cache).logits[0, -1]
kept = sum(layer.keys.numel() * layer.keys.element_size() * 2 for layer in cache.layers)
print(json.dumps(dict(version=transformers.__version__, ran=type(model).__name__, tokens=tokens[len(asked["prompt"]):],
                      logprobs=logprobs, kv_bytes=kept, seen=len(tokens))))
