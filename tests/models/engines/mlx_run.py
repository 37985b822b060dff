# SPDX-License-Identifier: GPL-3.0-or-later
"""mlx-lm answers greedily through its own prompt cache. Arguments: a JSON object; prints one."""
import importlib.metadata
import json
import pathlib
import sys

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import load_model

asked = json.loads(sys.argv[1])
model, _ = load_model(pathlib.Path(asked["model"]))
model.update(tree_map(lambda value: value.astype(mx.float32), model.parameters()))
cache = make_prompt_cache(model)
tokens, logprobs = list(asked["prompt"]), []
logits = model(mx.array([tokens]), cache=cache)[0, -1]
for step in range(asked["new"]):
    tokens.append(int(mx.argmax(logits)))
    logprobs.append(float((logits - mx.logsumexp(logits))[tokens[-1]]))
    logits = model(mx.array([tokens[-1:]]), cache=cache)[0, -1]
kept = sum(part.nbytes for layer in cache for part in layer.state[:2] if part is not None)
print(json.dumps(dict(version=importlib.metadata.version("mlx-lm"), ran=type(model).__module__.split(".")[-1],
                      tokens=tokens[len(asked["prompt"]):], logprobs=logprobs, kv_bytes=kept, seen=len(tokens))))
