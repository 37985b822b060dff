#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times torch's scaled_dot_product_attention on the shapes of a Llama-3-8B layer, to set beside `zigzag bench`:
32 query heads, 8 KV heads, head_dim 128, bfloat16, batch 1. Prefill is causal over the whole context (causal counted as
half); decode is one query over the context. Random numbers; buffers rotate beyond the last-level cache; median of events."""
import argparse
import statistics

import torch
from torch.nn.functional import scaled_dot_product_attention as attend

QUERY_HEADS, KV_HEADS, HEAD_DIM = 32, 8, 128


def timed(run, repeats):
    for _ in range(3):
        run(0)
    times = []
    for i in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run(i)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    quarters = statistics.quantiles(times, n=4)
    return statistics.median(times), quarters[2] - quarters[0]


def tensors(heads, tokens, copies):
    return [torch.randn(1, heads, tokens, HEAD_DIM, device="cuda", dtype=torch.bfloat16) for _ in range(copies)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexts", default="4096,16384,32768,131072,524288")
    parser.add_argument("--longest-prefill", type=int, default=32768)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}: scaled_dot_product_attention, one layer")
    for context in map(int, options.contexts.split(",")):
        copies = max(1, min(8, (256 << 20) // (context * KV_HEADS * HEAD_DIM * 2)))
        keys, values = tensors(KV_HEADS, context, copies), tensors(KV_HEADS, context, copies)
        query = tensors(QUERY_HEADS, 1, 1)[0]
        ms, spread = timed(lambda i: attend(query, keys[i % copies], values[i % copies], enable_gqa=True), options.repeats)
        rate = 2 * context * KV_HEADS * HEAD_DIM * 2 / ms / 1e6
        print(f"decode   {context:>7} keys {ms:9.4f} ± {spread:.4f} ms {rate:8.0f} GB/s")
        if context <= options.longest_prefill:
            queries = tensors(QUERY_HEADS, context, 1)[0]
            # Flash attention without expanding the keys: torch chooses it where it can.
            ms, spread = timed(lambda i: attend(queries, keys[i % copies], values[i % copies], is_causal=True, enable_gqa=True),
                               max(5, options.repeats // 2))
            rate = 2 * QUERY_HEADS * HEAD_DIM * context * context / ms / 1e9
            print(f"prefill  {context:>7} tokens {ms:9.3f} ± {spread:.3f} ms {rate:8.0f} TFLOP/s")
        del keys, values


if __name__ == "__main__":
    main()
