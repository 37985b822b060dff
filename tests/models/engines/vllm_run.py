# SPDX-License-Identifier: GPL-3.0-or-later
"""vLLM answers greedily on a processor. Arguments: a JSON object; prints one as the last line. Its log is on stderr, and says how
many tokens of KV there is room for."""
import json
import os
import sys

asked = json.loads(sys.argv[1])
os.environ.update(VLLM_CPU_KVCACHE_SPACE="1", VLLM_ENABLE_V1_MULTIPROCESSING="0", VLLM_CPU_OMP_THREADS_BIND="nobind",
                  OMP_NUM_THREADS=str(asked["threads"]), HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", VLLM_HOST_IP="127.0.0.1")


def main():
    import vllm
    llm = vllm.LLM(asked["model"], dtype="float32", max_model_len=asked["context"], enforce_eager=True, max_num_seqs=1,
                   max_num_batched_tokens=asked.get("batch", asked["context"]), enable_prefix_caching=False,
                   hf_overrides=asked.get("overrides", {}), model_impl=asked.get("implementation", "auto"),
                   skip_tokenizer_init=True, seed=0,
                   **({"block_size": asked["block"]} if "block" in asked else {}))
    sampling = vllm.SamplingParams(temperature=0, max_tokens=asked["new"], ignore_eos=True, logprobs=1, detokenize=False)
    answer = llm.generate({"prompt_token_ids": asked["prompt"]}, sampling, use_tqdm=False)[0].outputs[0]
    tokens = list(answer.token_ids)
    logprobs = [float(row[token].logprob) for row, token in zip(answer.logprobs, tokens)]
    architectures = llm.llm_engine.model_config.hf_config.architectures
    print(f"\nKV block size: {llm.llm_engine.vllm_config.cache_config.block_size}")
    print(json.dumps(dict(version=vllm.__version__, ran=", ".join(architectures), tokens=tokens, logprobs=logprobs)))


if __name__ == "__main__":
    main()
