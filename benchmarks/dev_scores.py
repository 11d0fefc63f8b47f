"""Are the captions about the molecule? A bundle against three baselines and against wrong inputs.

    python benchmarks/dev_scores.py exports/mini TRAIN.tsv DEV.tsv [--limit N] [--tokenizer PATH]

The baselines are `molcaption baseline`'s: one constant caption, a random one, the nearest
neighbour's (training rows of one style). The wrong inputs go through the same bundle: every
molecule's graph, or its SMILES, or both, replaced by those of another molecule of the file.
"""

import argparse
import csv
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from molcaption.baseline import baseline
from molcaption.chem.graph import Graph, featurise
from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.engine.runtimes import Runtime, load_runtime
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import load_wordnet

METRICS = ("bleu2", "bleu4", "meteor", "rougeL")


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tokenizer", default="word")
    parser.add_argument("--wordnet", help="folder of WordNet; METEOR does without by default")
    parser.add_argument("--style", default="chebi20", help="of the baselines' training rows")
    parser.add_argument(
        "--no-repeat-ngram", type=int, nargs="+", metavar="N",
        help="compare these repeat rules of the bundle, and nothing else",
    )  # fmt: skip
    args = parser.parse_args()
    with args.dev.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[: args.limit]
    references = [row["description"] for row in rows]
    if args.no_repeat_ngram:
        systems = _repeat_rules(args.bundle, rows, args.no_repeat_ngram)
    else:
        systems = _baselines(args.train, rows, args.style) | _captions(args.bundle, rows)
    print(f"| {args.dev.name}, {len(rows)} molecules | " + " | ".join(METRICS) + " | refuted |")
    print("|---" * (len(METRICS) + 2) + "|")
    for name, captions in systems.items():
        scores = _scores(captions, references, args.tokenizer, args.wordnet)
        refuted = _refuted(rows, captions)
        print(f"| {name} | " + " | ".join(f"{s:.3f}" for s in scores) + f" | {refuted:.1%} |")


def _captions(bundle: Path, rows: Sequence[dict[str, str]]) -> dict[str, list[str]]:
    """The bundle's captions of the right molecules and of wrong ones."""
    runtime = load_runtime(bundle)
    graphs, smiles = _molecules(rows)
    ring = random.Random(0).sample(range(len(rows)), len(rows))
    after = dict(zip(ring, ring[1:] + ring[:1], strict=True))  # nobody keeps its own
    others = [after[i] for i in range(len(rows))]
    return {
        "the bundle": _generate(runtime, graphs, smiles),
        "with another molecule's graph": _generate(runtime, [graphs[i] for i in others], smiles),
        "with another molecule's SMILES": _generate(runtime, graphs, [smiles[i] for i in others]),
        "with another molecule's graph and SMILES": _generate(
            runtime, [graphs[i] for i in others], [smiles[i] for i in others]
        ),
    }


def _repeat_rules(
    bundle: Path, rows: Sequence[dict[str, str]], rules: Sequence[int]
) -> dict[str, list[str]]:
    """The bundle's captions under other repeat rules than its own."""
    runtime = OnnxRuntime.load(bundle)
    graphs, smiles = _molecules(rows)
    made = {}
    for n in rules:
        runtime.manifest = replace(runtime.manifest, no_repeat_ngram=n)
        made[f"no run of {n} tokens twice" if n else "no repeat rule"] = _generate(
            runtime, graphs, smiles
        )
    return made


def _molecules(rows: Sequence[dict[str, str]]) -> tuple[list[Graph], list[str]]:
    """Graphs and canonical SMILES, as `caption` makes them."""
    smiles = [canonical_smiles(parse_smiles(row["smiles"])) for row in rows]
    return [featurise(parse_smiles(text)) for text in smiles], smiles


def _generate(runtime: Runtime, graphs: Sequence[Graph], smiles: Sequence[str]) -> list[str]:
    return [made.text for made in runtime.generate(list(zip(graphs, smiles, strict=True)))]


def _baselines(train: Path, rows: Sequence[dict[str, str]], style: str) -> dict[str, list[str]]:
    names = {
        "one caption for all": "constant",
        "a random training caption": "random",
        "the nearest neighbour's caption": "nearest",
    }
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        molecules = Path(folder) / "molecules.tsv"
        lines = ["id\tsmiles", *(f"{i}\t{row['smiles']}" for i, row in enumerate(rows))]
        molecules.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, kind in names.items():
            output = Path(folder) / f"{kind}.tsv"
            baseline(train, molecules, output, kind=kind, styles=[style])
            with output.open(encoding="utf-8") as table:
                made[name] = [row["caption"] for row in csv.DictReader(table, delimiter="\t")]
    return made


def _scores(
    captions: Sequence[str], references: Sequence[str], tokenizer: str, wordnet: str | None
) -> list[float]:
    corpus = Corpus(captions, references, load_tokenizer(tokenizer), load_wordnet(wordnet))
    return [compute(name, corpus).value for name in METRICS]


def _refuted(rows: Sequence[dict[str, str]], captions: Sequence[str]) -> float:
    """Share of captions with a claim that the structure contradicts."""
    lexicon = load_lexicon()
    checks = [
        check_caption(parse_smiles(row["smiles"]), caption, lexicon)
        for row, caption in zip(rows, captions, strict=True)
    ]
    return sum(check.n_contradicted > 0 for check in checks) / len(checks)


if __name__ == "__main__":
    main()
