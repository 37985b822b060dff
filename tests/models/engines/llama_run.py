# SPDX-License-Identifier: GPL-3.0-or-later
"""llama.cpp's library answers greedily, or gives a text's negative log-likelihoods. Arguments: a JSON object; prints one."""
import importlib.metadata
import json
import math
import re
import sys

import numpy
from llama_cpp_py_sync._cffi_bindings import get_ffi, get_lib

asked = json.loads(sys.argv[1])
ffi, lib = get_ffi(), get_lib()
said = []


@ffi.callback("void(enum ggml_log_level, const char *, void *)")
def hear(level, text, user_data):
    said.append(ffi.string(text).decode(errors="replace"))


lib.llama_log_set(hear, ffi.NULL)
lib.llama_backend_init()
model = lib.llama_model_load_from_file(asked["model"].encode(), lib.llama_model_default_params())
if model == ffi.NULL:
    sys.exit("".join(said).strip().splitlines()[-1])
parameters = lib.llama_context_default_params()
parameters.n_ctx = asked["context"]
parameters.n_batch = parameters.n_ubatch = asked.get("batch", 512)
parameters.n_threads = parameters.n_threads_batch = asked["threads"]
parameters.type_k = parameters.type_v = 0  # F32
parameters.flash_attn_type = 0
parameters.swa_full = False
context = lib.llama_init_from_model(model, parameters)
if context == ffi.NULL:
    sys.exit("".join(said).strip().splitlines()[-1])
vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))


def evaluate(tokens, first, every):
    """Log-probabilities [rows, vocabulary] after each token, or after the last one."""
    rows = []
    for begin in range(0, len(tokens), parameters.n_batch):
        chunk = tokens[begin:begin + parameters.n_batch]
        batch = lib.llama_batch_init(len(chunk), 0, 1)
        batch.n_tokens = len(chunk)
        for i, token in enumerate(chunk):
            batch.token[i], batch.pos[i] = token, first + begin + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = every or begin + i + 1 == len(tokens)
        if lib.llama_decode(context, batch) != 0:
            sys.exit("llama_decode failed: " + "".join(said[-3:]).strip())
        for i in range(len(chunk)):
            if batch.logits[i]:
                raw = ffi.buffer(lib.llama_get_logits_ith(context, i), 4 * vocabulary)
                row = numpy.frombuffer(raw, numpy.float32).astype(numpy.float64)
                rows.append(row - row.max() - math.log(numpy.exp(row - row.max()).sum()))
        lib.llama_batch_free(batch)
    return rows


result = dict(version="b" + importlib.metadata.version("llama-cpp-py-sync").split(".")[-1].lstrip("0"))
if "text" in asked:  # windows of `context` tokens; the first of each is given
    losses = []
    for begin in range(0, len(asked["text"]), asked["context"]):
        window = asked["text"][begin:begin + asked["context"]]
        lib.llama_memory_clear(lib.llama_get_memory(context), True)
        for row, token in zip(evaluate(window[:-1], 0, True), window[1:]) if len(window) > 1 else ():
            losses.append(-row[token])
    result.update(perplexity=math.exp(sum(losses) / len(losses)), predicted=len(losses))
else:
    tokens, logprobs = list(asked["prompt"]), []
    row = evaluate(tokens, 0, False)[-1]
    for step in range(asked["new"]):
        tokens.append(int(row.argmax()))
        logprobs.append(float(row[tokens[-1]]))
        row = evaluate(tokens[-1:], len(tokens) - 1, False)[-1]
    text = "".join(said)
    architecture = re.search(r"general\.architecture\s+str\s+=\s+(\S+)", text)
    sizes = re.findall(r"KV buffer size\s*=\s*([\d.]+) MiB", text)
    result.update(ran=architecture.group(1) if architecture else "", tokens=tokens[len(asked["prompt"]):], logprobs=logprobs,
                  kv_bytes=int(sum(float(size) for size in sizes) * 2**20), seen=asked["context"])
print(json.dumps(result))
