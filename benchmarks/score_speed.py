"""Text metrics against plain nltk, rouge_score and sacrebleu: the same digits, and how much sooner.

    python benchmarks/score_speed.py PREDICTIONS.tsv.gz --vocab vocab.txt --nltk-data DIR [-n N]

The file has the columns `ground truth` and `output`, unquoted, as the field's prediction files do.
Each side runs in a fresh process, from texts in memory to all numbers, WordNet's loading and
tokenizing included, imports not. Theirs is one process that calls the libraries as their
documentation shows; ours is what `molcaption score` calls, on all cores and on one. Repeats take
turns and the medians count. Fails unless the digits are identical, METEOR's and ROUGE's in every
single row. Writes one JSON object to standard output.
"""

import argparse
import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Result = dict[str, Any]


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        self.seconds[step] = time.perf_counter() - start
        return result


def main() -> None:
    args = parse_args()
    if args.side:
        captions, references = read(args.predictions, args.n)
        print(json.dumps(SIDES[args.side](captions, references, args)))
        return
    turns = [{side: run(side, args) for side in SIDES} for _ in range(args.repeats)]
    plain = turns[0]["libraries"]
    for result in (result for turn in turns for result in turn.values()):
        check_digits(plain, result)
    seconds = {side: medians([turn[side] for turn in turns]) for side in SIDES}
    total = {side: sum(steps.values()) for side, steps in seconds.items()}
    report = {
        "rows": plain["rows"],
        "cores": len(os.sched_getaffinity(0)),
        "identical_digits": True,
        "scores": plain["scores"],
        "seconds": seconds,
        "total_seconds": total,
        "times_faster": {side: round(total["libraries"] / total[side], 2) for side in SIDES},
    }
    print(json.dumps(report, indent=1))


def read(path: Path, n: int | None) -> tuple[list[str], list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        header, *rows = (line.rstrip("\n").split("\t") for line in lines)
    caption, reference = header.index("output"), header.index("ground truth")
    return [row[caption] for row in rows[:n]], [row[reference] for row in rows[:n]]


def run(side: str, args: argparse.Namespace) -> Result:
    """One side in a process of its own, so that neither finds the other's caches."""
    command = [sys.executable, __file__, str(args.predictions), "--side", side]
    command += ["--vocab", args.vocab, "--nltk-data", args.nltk_data]
    command += ["-n", str(args.n)] if args.n else []
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: Result = json.loads(output.splitlines()[-1])
    return result


def check_digits(plain: Result, result: Result) -> None:
    """Scores of rows to the last bit; means to 12 digits: the order of adding moves the last."""
    wrong = [name for name, rows in plain["rows_of"].items() if result["rows_of"][name] != rows]
    for name, value in plain["scores"].items():
        if not math.isclose(result["scores"][name], value, rel_tol=1e-12):
            wrong.append(name)
    if wrong:
        raise SystemExit(f"digits differ: {', '.join(wrong)}")


def medians(results: Sequence[Result]) -> dict[str, float]:
    steps = results[0]["seconds"]
    return {step: statistics.median(r["seconds"][step] for r in results) for step in steps}


def molcaption_side(captions: list[str], references: list[str], args: Any) -> Result:
    """The metrics of `molcaption score`."""
    import sacrebleu.metrics.bleu  # noqa: F401  imports are on neither side's clock

    from molcaption.metrics.signatures import METRICS, Corpus, compute
    from molcaption.metrics.tokenizers import load_tokenizer
    from molcaption.metrics.wordnet import load_wordnet

    clock = Stopwatch()
    tokenizer = clock("vocabulary", lambda: load_tokenizer(args.vocab))
    wordnet = clock("wordnet", lambda: load_wordnet(args.nltk_data))
    corpus = Corpus(captions, references, tokenizer, wordnet)
    clock("tokens", lambda: (corpus.caption_tokens, corpus.reference_tokens))
    scores = {name: clock(name, lambda n=name: compute(n, corpus).value) for name in METRICS}
    rows_of = {"meteor": corpus.meteor.tolist()}
    rows_of |= {kind: values.tolist() for kind, values in corpus.rouge.items()}
    return result_of(len(captions), scores, rows_of, clock)


def one_core_side(captions: list[str], references: list[str], args: Any) -> Result:
    """What of it is not the work of a second core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return molcaption_side(captions, references, args)


def library_side(captions: list[str], references: list[str], args: Any) -> Result:
    """The same numbers by plain calls."""
    import nltk
    import numpy as np
    import sacrebleu
    from nltk.corpus import wordnet
    from nltk.translate.bleu_score import corpus_bleu
    from nltk.translate.meteor_score import meteor_score
    from rouge_score.rouge_scorer import RougeScorer
    from tokenizers.implementations import BertWordPieceTokenizer

    nltk.data.path = [args.nltk_data]
    clock = Stopwatch()
    tokenizer = clock("vocabulary", lambda: BertWordPieceTokenizer(args.vocab, lowercase=True))
    clock("wordnet", lambda: wordnet.ensure_loaded())  # noqa: PLW0108  the attribute loads it
    left, right = clock("tokens", lambda: [pieces(tokenizer, t) for t in (captions, references)])
    lists, pairs = [[tokens] for tokens in right], list(zip(left, right, strict=True))
    scores = {
        "bleu2": clock("bleu2", lambda: corpus_bleu(lists, left, (1 / 2,) * 2)),
        "bleu4": clock("bleu4", lambda: corpus_bleu(lists, left, (1 / 4,) * 4)),
    }
    meteor = clock("meteor", lambda: [meteor_score([r], c) for c, r in pairs])
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer, texts = RougeScorer(kinds), list(zip(references, captions, strict=True))
    rouge = clock("rouge1", lambda: [scorer.score(*pair) for pair in texts])
    rows_of = {"meteor": meteor, **{k: [row[k].fmeasure for row in rouge] for k in kinds}}
    scores |= {name: float(np.mean(rows)) for name, rows in rows_of.items()}
    sacre = clock("sacrebleu", lambda: sacrebleu.corpus_bleu(captions, [references]))
    exact = sum(c.strip() == r.strip() for r, c in texts) / len(texts)
    ratio = sum(map(len, left)) / sum(map(len, right))
    scores |= {"sacrebleu": sacre.score / 100, "exact": exact, "length_ratio": ratio}
    scores |= {f"distinct{n}": clock(f"distinct{n}", lambda n=n: distinct(left, n)) for n in (1, 2)}
    return result_of(len(captions), scores, rows_of, clock)


def pieces(tokenizer: Any, texts: list[str]) -> list[list[str]]:
    """As MolT5's evaluation: 512 word pieces at most, the special ones dropped."""
    special = ("[PAD]", "[CLS]", "[SEP]")
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [[token for token in e.tokens[:512] if token not in special] for e in encodings]


def distinct(texts: list[list[str]], order: int) -> float:
    from nltk.util import ngrams

    counts = Counter(gram for tokens in texts for gram in ngrams(tokens, order))
    return len(counts) / counts.total()


def result_of(n: int, scores: Any, rows_of: Any, clock: Stopwatch) -> Result:
    return {"rows": n, "scores": scores, "rows_of": rows_of, "seconds": clock.seconds}


SIDES = {
    "molcaption": molcaption_side,
    "molcaption_one_core": one_core_side,
    "libraries": library_side,
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictions", type=Path, help=".tsv.gz of captions beside references")
    parser.add_argument("--vocab", required=True, help="vocabulary of word pieces")
    parser.add_argument("--nltk-data", required=True, help="NLTK data folder with WordNet in it")
    parser.add_argument("-n", type=int, help="first N rows; all without it")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
