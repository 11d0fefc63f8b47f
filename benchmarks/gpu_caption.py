"""Captions a second of a merged model: plain `transformers`, and this project's torch runtime.

    python benchmarks/untrained_captioner.py MERGED
    python benchmarks/gpu_caption.py MERGED --input FILE -n 1024 --batch-sizes 1 32 256

Plain is `generate` over the records in their order; the runtime sorts them by length, and takes
note of probabilities. An untrained model seldom ends a caption: both then write `--max-new-tokens`
for every record. A step of decoding reads all weights and the cache of keys and values once: the
floor is the time that takes at the memory bandwidth of an H100 (SXM).
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

BANDWIDTH = 3.35e12
"""Bytes a second, NVIDIA's H100 data sheet."""
RUNS = ("generate", "runtime")


def main() -> None:
    args = parse_args()
    print("| batch | way | captions/s | tokens/s | of the bandwidth's limit | peak GB |")
    print("|---|---|---|---|---|---|")
    for found in measure(args):
        print(row(found), flush=True)


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Both ways at each batch size."""
    from molcaption.chem.molecule import Molecule
    from molcaption.claims import load_lexicon
    from molcaption.data.readers import read_molecules
    from molcaption.engine.questions import questions
    from molcaption.engine.runtimes.torch import TorchRuntime

    runtime = TorchRuntime.load(args.model)
    records = [r for r in read_molecules([args.input], limit=args.n) if isinstance(r, Molecule)]
    molecules = questions([r.smiles for r in records], runtime.vocabulary, load_lexicon())
    prompts = [len(runtime.model.encode(smiles)) for _, smiles in molecules]
    ways: dict[str, Callable[[Any, int], list[str]]] = {
        "generate": lambda some, size: plain(runtime, some, size, args.max_new_tokens),
        "runtime": lambda some, size: [
            made.text
            for made in runtime.generate(some, batch_size=size, max_new_tokens=args.max_new_tokens)
        ],
    }
    results = []
    for size in args.batch_sizes:
        for name in RUNS:
            ways[name](molecules[:size], size)  # warms up
            reset_peak()
            start = now()
            texts = ways[name](molecules, size)
            seconds = now() - start
            tokens = [count(runtime, text, args.max_new_tokens) for text in texts]
            results.append(
                {
                    "batch": size,
                    "way": name,
                    "captions": texts,
                    "captions_per_second": len(texts) / seconds,
                    "tokens_per_second": sum(tokens) / seconds,
                    "share_of_limit": floor(runtime, prompts, tokens, size) / seconds,
                    "peak_bytes": peak_bytes(),
                }
            )
    return results


def plain(runtime: Any, molecules: Sequence[Any], size: int, new_tokens: int) -> list[str]:
    """What one would write with `transformers` alone."""
    from molcaption.nn.captioner import repeat_rule

    model, texts = runtime.model, []
    for start in range(0, len(molecules), size):
        some = molecules[start : start + size]
        embeds, mask = model.prompt_batch(
            [view for view, _ in some], [model.encode(smiles) for _, smiles in some]
        )
        tokens = model.captioner.llm.generate(
            inputs_embeds=embeds,
            attention_mask=mask,
            max_new_tokens=new_tokens,
            do_sample=False,
            eos_token_id=model.end_token_ids,
            pad_token_id=model.end_token_ids[0],
            suppress_tokens=[model.captioner.graph_token_id],
            logits_processor=repeat_rule(model.no_repeat_ngram),
        )
        texts += model.tokenizer.decode_batch(tokens.tolist(), skip_special_tokens=True)
    return [text.strip() for text in texts]


def count(runtime: Any, text: str, new_tokens: int) -> int:
    """Tokens of a caption with its end; written anew, a text may take a token more or less."""
    ids = runtime.model.tokenizer.encode(text, add_special_tokens=False).ids
    return min(len(ids) + 1, new_tokens)


def floor(runtime: Any, prompts: Sequence[int], tokens: Sequence[int], size: int) -> float:
    """Seconds that the bytes of all steps need at the full bandwidth, batches being full."""
    llm = runtime.model.captioner.llm
    config, itemsize = llm.config, llm.dtype.itemsize
    weights = sum(p.numel() for p in llm.parameters()) * itemsize
    position = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    cached = sum(n * (p + n / 2) for p, n in zip(prompts, tokens, strict=True))
    return (sum(tokens) / size * weights + cached * position * itemsize) / BANDWIDTH


def now() -> float:
    """Seconds, once the GPU has done what it was told."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def reset_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int | None:
    """Most memory of the GPU in use since `reset_peak`."""
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    peak = found["peak_bytes"]
    cells = [
        str(found["batch"]), found["way"], f"{found['captions_per_second']:.2f}",
        f"{found['tokens_per_second']:.0f}", f"{found['share_of_limit']:.2%}",
        "" if peak is None else f"{peak / 1e9:.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="merged model directory")
    parser.add_argument("--input", required=True, help="compound file")
    parser.add_argument("-n", type=int, default=1024, help="first N records")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--max-new-tokens", type=int, default=128)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
